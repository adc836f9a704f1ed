// When the daemon sends the dispatcher a sealed message. Each costs four gpg runs there, so an idle agent
// sends next to none: the long poll, which costs a socket, tells it when to ask. And none of this happens at
// the same moment on thousands of hosts: every time is drawn from a range. Pure: no clock, no files.
#pragma once

#include <optional>
#include <random>

#include "common/base/clock.hpp"

namespace strongroom::agent {

class ContactPlan {
  public:
    explicit ContactPlan(std::uint32_t seed) : random_(seed * 2654435761U) {}  // near seeds differ, too

    // Due at the start; then what happens moves the time.
    bool due(UtcTime now) const;

    // The long poll says that there is work, or a backup was made or failed that no answered message has told
    // of: at once, unless the last message failed (there may be work for thousands).
    void has_event(UtcTime now);
    // Something else to tell, or to make sure of: up to a minute after the last message.
    void has_news(UtcTime now);
    // The long poll is answered again after so long a time: nobody asks in the first moment. Whoever failed
    // to reach the dispatcher tries again within half of that time, in five minutes at most.
    void is_back(UtcTime now, std::chrono::milliseconds outage);

    void succeeded(UtcTime now);  // asks again in three to six hours even without a reason
    void failed(UtcTime now);     // about 15 s, then doubling up to five minutes

  private:
    using Milliseconds = std::chrono::milliseconds;
    Milliseconds draw(Milliseconds least, Milliseconds most);
    void not_later_than(UtcTime time);

    std::minstd_rand random_;
    std::optional<UtcTime> last_;  // message
    UtcTime next_{};
    UtcTime not_before_{};
    Milliseconds pause_{0};  // after the next failure; 0: the last one succeeded
};

}  // namespace strongroom::agent
