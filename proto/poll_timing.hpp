// When an agent polls, so that thousands of them do not do it at the same moment: every time is drawn from a
// range. The agent and the benchmark's agents use the same.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace strongroom::proto {

// Proxies commonly cut an answer that takes 60 seconds, some 50.
inline constexpr std::chrono::seconds shortest_poll{40};
inline constexpr std::chrono::seconds longest_poll{48};
inline constexpr std::chrono::milliseconds between_polls{20};
inline constexpr std::chrono::milliseconds first_poll_pause{1'000};
inline constexpr std::chrono::milliseconds longest_poll_pause{60'000};

class PollTiming {
  public:
    explicit PollTiming(std::uint32_t seed) : random_(seed * 2654435761U) {}  // near seeds differ, too

    // N of the next GET /v1/wait?seconds=N.
    std::chrono::seconds poll() {
        return std::chrono::seconds(draw(shortest_poll.count(), longest_poll.count()));
    }
    // Before the next poll, after one that failed or said that there is work (which may be more than the
    // dispatcher can hand out at once): about 1, 2, 4 ... 60 seconds, until begin_anew().
    std::chrono::milliseconds pause() {
        const std::chrono::milliseconds out(draw(pause_.count() / 2, pause_.count() * 3 / 2));
        pause_ = std::min(pause_ * 2, longest_poll_pause);
        return out;
    }
    // A poll ended without work, or work was handed out and is done.
    void begin_anew() { pause_ = first_poll_pause; }

  private:
    std::int64_t draw(std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
    }
    std::minstd_rand random_;
    std::chrono::milliseconds pause_ = first_poll_pause;
};

}  // namespace strongroom::proto
