#include "common/base/priority.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/error.hpp"

namespace strongroom {
namespace {

// linux/ioprio.h; glibc has no wrapper.
constexpr int who_process = 1;
constexpr int class_shift = 13;
constexpr int class_best_effort = 2;
constexpr int class_idle = 3;
constexpr int lowest_level = 7;

int nice_of(int thread_id) {
    errno = 0;
    const int value = ::getpriority(PRIO_PROCESS, static_cast<id_t>(thread_id));
    if (errno != 0) throw system_error(ErrorKind::not_found, "cannot read a nice value", errno);
    return value;
}

}  // namespace

void lower_priority(const Priority& priority) {
    const auto self = static_cast<int>(::gettid());
    if (priority.nice > nice_of(self) &&
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(self), priority.nice) != 0)
        throw system_error(ErrorKind::internal, "cannot set the nice value", errno);
    if (priority.io_class == "none") return;
    const int wanted = priority.io_class == "idle" ? class_idle << class_shift
                                                   : class_best_effort << class_shift | lowest_level;
    if (::syscall(SYS_ioprio_set, who_process, self, wanted) != 0)
        throw system_error(ErrorKind::internal, "cannot set the I/O class", errno);
}

Priority priority_of(int thread_id) {
    const long raw = ::syscall(SYS_ioprio_get, who_process, thread_id);
    if (raw < 0) throw system_error(ErrorKind::not_found, "cannot read an I/O class", errno);
    const auto kind = raw >> class_shift;
    return {nice_of(thread_id), kind == class_idle          ? "idle"
                                : kind == class_best_effort ? "best-effort"
                                                            : "none"};
}

}  // namespace strongroom
