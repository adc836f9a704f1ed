// System and library calls that fail where they are told to, below the real local store and the real
// compressor. Linked into a test program it takes the calls' place there; as a library in LD_PRELOAD it does
// so in a real program, told by the file that $FAULTY_CALLS names.
//
// A rule is one line, "CALL ERRNO NUMBER PATH":
//   fsync 5 3 /data/     the third fsync of something whose path holds "/data/" fails with EIO
//   rename 28 1 /data/   the first rename to such a path
//   write 28 7000 /data/ writes to such files fail once 7000 bytes were written, after a short write
//   compress 0 2 -       the second ZSTD_compress2() says that it has no memory
// A call that failed goes on failing, as a full or a broken disk does. With the negative number of a signal
// as ERRNO the process gets that signal before the call takes place: "rename -9 4 /data/" is a SIGKILL.
#pragma once

#include <string>

namespace strongroom::test {

// In this process, while it lives; one at a time.
class FaultyCalls {
  public:
    explicit FaultyCalls(const std::string& rule);
    ~FaultyCalls();
    FaultyCalls(const FaultyCalls&) = delete;
    // How many calls were failed so far. A fault that never came would prove nothing.
    static int failed();
    // How many calls of the rule's kind were seen (for "write": bytes).
    static long seen();
};

}  // namespace strongroom::test
