#include "agent/check/window_check.hpp"

#include "agent/policy/backup_window.hpp"
#include "common/base/cron.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {

Finding check_windows(const AgentConfig& config, const StateDir& state, UtcTime now) {
    constexpr int most_slots = 400;
    const BackupWindows windows(config.backup_windows);
    std::string text = windows.text() + (windows.contains(now) ? ", open now (" : ", closed now (") +
                       local_time_of_day(now) + ")";
    bool outside = false;
    for (const auto& known : state.schedules().schedules) {
        const auto cron = Cron::try_parse(known.order.cron);
        if (!proto::is_backup_kind(known.order.kind) || !cron) continue;
        const auto offset = splay_offset(known.order.id, known.order.splay_s);
        int slots = 0;
        int within = 0;
        for (UtcTime slot = cron->next_after(now);
             slots < most_slots && slot < now + std::chrono::hours(24 * 366); slot = cron->next_after(slot)) {
            ++slots;
            if (windows.contains(slot + offset)) ++within;
        }
        if (within == slots) continue;
        outside = true;
        text += "; the " + known.order.kind + " schedule \"" + printable_line(known.order.cron, 60) +
                "\" UTC " +
                (within == 0 ? std::string("NEVER begins within it")
                             : "begins outside it in " + std::to_string(slots - within) + " of the next " +
                                   std::to_string(slots) + " slots");
    }
    if (!outside) return {Verdict::ok, {}, text, {}};
    return {Verdict::warn,
            {},
            text,
            "Such an order is refused. Times of schedules are UTC, those of windows this host's local time."};
}

}  // namespace strongroom::agent
