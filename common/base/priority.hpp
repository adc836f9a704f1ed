// How much of the machine a piece of work may take from others: nice value and I/O class. On Linux both
// belong to a thread, and threads and children that it starts inherit them.
#pragma once

#include <string>

namespace strongroom {

struct Priority {
    int nice = 0;                   // 0 to 19; a thread's own is only ever raised
    std::string io_class = "none";  // "none" (leave as it is), "best-effort" (lowest of it), "idle"
};

// For the calling thread and all that it starts from now on. There is no way back for a user without
// privileges, so call it in a thread that was made for the work. Throws Error{internal} if the system
// refuses.
void lower_priority(const Priority& priority);

// Of a thread (or of a process' first thread): for tests and diagnostics. Throws Error{not_found}.
Priority priority_of(int thread_id);

}  // namespace strongroom
