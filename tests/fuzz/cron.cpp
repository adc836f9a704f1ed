// Cron expressions: whatever is accepted has a next minute, and it is the first that matches.
#include "common/base/cron.hpp"

#include <optional>

#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {

void fuzz(BytesView input) {
    using std::chrono::minutes;
    Front front(input);
    constexpr std::uint64_t year_9950 = 251'824'291'200'000;  // 40 years and more before the last time
    const UtcTime time = from_millis(static_cast<std::int64_t>(front.number(6) % year_9950));
    const auto splay = static_cast<std::int64_t>(front.number(3));
    const BytesView text = front.rest();
    std::optional<Cron> cron;
    if (!accepts([&] { cron = Cron::parse(text); })) return;
    const auto first = cron->next_after(time);
    require(first > time, "the next minute is later");
    require(cron->matches(first), "the next minute matches");
    require(first == std::chrono::floor<minutes>(first), "a slot is a whole minute");
    UtcTime between = std::chrono::floor<minutes>(time) + minutes(1);
    for (int i = 0; i < 3000 && between < first; ++i, between += minutes(1))
        require(!cron->matches(between), "no minute before the next one matches");
    require(cron->next_after(first - minutes(1)) == first, "the minute before has the same next one");
    require(cron->next_after(first) > first, "there always is another");
    const auto offset = splay_offset(text, splay);
    require(offset.count() >= 0 && (offset.count() < splay || splay == 0), "an offset lies in its window");
}

}  // namespace strongroom::fuzz
