// Writing large data to a file without going through the page cache: no copy, no memory taken from whatever
// else runs on the host (a database's own files stay cached), and the data is on its way to the disk at once.
#pragma once

#include "common/base/bytes.hpp"

namespace strongroom {

// Appends all of `bytes` to `fd`, an open regular file that was written in whole blocks of 4096 so far. Large
// page-aligned data (a MemFile's) goes directly where the file system can do that, everything else through
// the page cache. Durable only after fsync, as any write. Throws Error{storage, "what: reason"}.
void write_past_cache(int fd, BytesView bytes, const char* what);

}  // namespace strongroom
