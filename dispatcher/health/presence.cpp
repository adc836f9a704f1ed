#include "dispatcher/health/presence.hpp"

#include <iterator>

namespace strongroom::dispatcher {
namespace {

constexpr std::int64_t write_every = INT64_C(120'000);
constexpr std::int64_t forget_after = INT64_C(3'600'000);

}  // namespace

void Presence::seen(const std::string& server, std::int64_t now) {
    const std::lock_guard lock(mutex_);
    signs_[server].seen = now;
}

std::vector<std::string> Presence::take(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (auto it = signs_.begin(); it != signs_.end();) {
        auto& [server, sign] = *it;
        if (sign.seen > sign.written && (now - sign.written >= write_every || now < sign.written)) {
            out.push_back(server);
            sign.written = now;
        }
        it = now - sign.seen > forget_after ? signs_.erase(it) : std::next(it);
    }
    return out;
}

}  // namespace strongroom::dispatcher
