// Private to common/gpg: an end to every operation of GPGME, which by itself waits for its gpg for ever
// (S19).
//
// GPGME looks at a request to cancel only when its gpg says something, and does not know its gpg's process:
// so after the limit the operation is cancelled, and the processes that keep it are killed.
#pragma once

#include <gpgme.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "common/base/error.hpp"

namespace strongroom::gpg {

// Once, from initialise(), while there is one thread: children are known by a mark in their environment.
void mark_children();

std::chrono::milliseconds time_limit();

// While it lives, the operations of this context end after the limit (set_time_limit()).
class TimeLimit {
  public:
    explicit TimeLimit(std::function<void()> cancel);  // called from another thread
    ~TimeLimit();
    TimeLimit(const TimeLimit&) = delete;
    bool ran_out() const;

  private:
    std::uint64_t number_;
};

// Error{timeout} instead of whatever the operations in `work` make of being cancelled.
template <class Work>
auto limited(std::function<void()> cancel, const Work& work) {
    const TimeLimit limit(std::move(cancel));
    const auto require_in_time = [&](const std::string& what) {
        if (limit.ran_out())
            throw Error(ErrorKind::timeout, "gpg did not end in time: " + what,
                        "Does its gpg-agent answer, or does it wait for a passphrase that nobody types?");
    };
    try {
        auto out = work();
        require_in_time("its operation was cut off");
        return out;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::timeout) require_in_time(error.text());
        throw;
    }
}

}  // namespace strongroom::gpg
