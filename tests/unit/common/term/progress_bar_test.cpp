#include "common/term/progress_bar.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace strongroom::term;
using namespace std::chrono_literals;

namespace {

struct Turned {
    std::chrono::steady_clock::time_point time{};
    ProgressBar::Now now() {
        return [this] { return time; };
    }
};

constexpr std::int64_t mib = 1 << 20;

}  // namespace

TEST_CASE("a terminal gets one line that redraws with rate and time left") {
    Turned clock;
    std::ostringstream out;
    ProgressBar bar(out, ProgressStyle::bar, "restoring", clock.now());
    bar.update(1 * mib, 100 * mib);
    CHECK(out.str().empty());  // too early to redraw
    clock.time += 2s;
    bar.update(40 * mib, 100 * mib);
    CHECK(out.str() ==
          "\rrestoring  [########............]  40 %  40 MiB of 100 MiB  20 MiB/s  0:03 left\x1b[K");
    clock.time += 50ms;
    bar.update(41 * mib, 100 * mib);
    CHECK(out.str().find("41 %") == std::string::npos);  // at most ten times a second
    clock.time += 2950ms;
    bar.update(100 * mib, 100 * mib);
    bar.finish();
    CHECK(out.str().ends_with("\rrestoring  done: 100 MiB in 0:05, 20 MiB/s\x1b[K\n"));
}

TEST_CASE("elsewhere plain lines at intervals, without control characters") {
    Turned clock;
    std::ostringstream out;
    ProgressBar bar(out, ProgressStyle::lines, "restoring", clock.now());
    for (int second = 1; second <= 25; ++second) {
        clock.time += 1s;
        bar.update(second * mib, 0);
    }
    bar.finish();
    CHECK(
        out.str() ==
        "restoring  10 MiB  1 MiB/s\nrestoring  20 MiB  1 MiB/s\nrestoring  done: 25 MiB in 0:25, 1 MiB/s\n");
}

TEST_CASE("quiet prints nothing, and a failed work leaves a fresh line") {
    Turned clock;
    std::ostringstream quiet;
    {
        ProgressBar bar(quiet, ProgressStyle::quiet, "restoring", clock.now());
        clock.time += 60s;
        bar.update(mib, 0);
        bar.finish();
    }
    CHECK(quiet.str().empty());
    std::ostringstream out;
    {
        ProgressBar bar(out, ProgressStyle::bar, "restoring", clock.now());
        clock.time += 1s;
        bar.update(mib, 2 * mib);
    }
    CHECK(out.str().ends_with("\n"));
    CHECK(progress_style(-1, false) == ProgressStyle::lines);
    CHECK(progress_style(-1, true) == ProgressStyle::quiet);
}

TEST_CASE("work that counts no bytes ends with its time alone") {
    Turned clock;
    std::ostringstream out;
    ProgressBar bar(out, ProgressStyle::lines, "preparing", clock.now());
    clock.time += 3s;
    bar.update(0, 0);
    bar.finish();
    CHECK(out.str() == "preparing  done in 0:03\n");
}

TEST_CASE("a rate that somebody measured goes before the mean since the start") {
    Turned clock;
    std::ostringstream out;
    ProgressBar bar(out, ProgressStyle::bar, "backup", clock.now());
    clock.time += 200ms;
    bar.update(60 * mib, 100 * mib, 4 * mib);  // watched from its middle on
    CHECK(out.str() == "\rbackup  [############........]  60 %  60 MiB of 100 MiB  4 MiB/s  0:10 left\x1b[K");
}
