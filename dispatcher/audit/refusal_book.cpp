#include "dispatcher/audit/refusal_book.hpp"

#include <limits>

namespace strongroom::dispatcher {
namespace {

constexpr std::int64_t hour = INT64_C(3'600'000);

}  // namespace

bool RefusalBook::admit(const std::string& actor, const std::string& owner, std::int64_t now) {
    const std::lock_guard lock(mutex_);
    auto& entry = hours_.try_emplace(actor, Hour{owner, now, 0, 0}).first->second;
    // An hour with a count goes on until take_ended() has written that down.
    if (entry.suppressed == 0 && (now - entry.start >= hour || now < entry.start)) entry = {owner, now, 0, 0};
    if (entry.admitted < entries_an_hour) {
        ++entry.admitted;
        return true;
    }
    ++entry.suppressed;
    return false;
}

std::vector<RefusalBook::Suppressed> RefusalBook::take_ended(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    std::vector<Suppressed> out;
    std::erase_if(hours_, [&](const auto& item) {
        const auto& [actor, entry] = item;
        if (now - entry.start < hour && now >= entry.start) return false;
        if (entry.suppressed > 0) out.push_back({actor, entry.owner, entry.suppressed});
        return true;
    });
    return out;
}

std::vector<RefusalBook::Suppressed> RefusalBook::take_all() {
    return take_ended(std::numeric_limits<std::int64_t>::max());
}

}  // namespace strongroom::dispatcher
