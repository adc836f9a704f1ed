#include "common/backupset/rate_limited_source.hpp"

#include <algorithm>

#include "common/base/error.hpp"

namespace strongroom::backupset {
namespace {

// Small enough that a slow rate is smooth and a new one counts soon, large enough to cost nothing.
std::size_t piece(std::int64_t rate) {
    constexpr std::int64_t most = 1 << 20;
    return static_cast<std::size_t>(rate == 0 ? most : std::clamp<std::int64_t>(rate / 8, 4096, most));
}

}  // namespace

std::size_t RateLimitedSource::read(char* data, std::size_t size) {
    std::size_t done = 0;
    while (done < size) {
        const std::size_t wanted = std::min(size - done, piece(limiter_.rate()));
        const std::size_t got = inner_->read(data + done, wanted);
        done += got;
        if (!limiter_.take(static_cast<std::int64_t>(got), ended_.get_token()))
            throw Error(ErrorKind::interrupted, "the source was stopped before its end");
        if (got < wanted) break;
    }
    return done;
}

void RateLimitedSource::abort() noexcept {
    ended_.request_stop();
    inner_->abort();
}

}  // namespace strongroom::backupset
