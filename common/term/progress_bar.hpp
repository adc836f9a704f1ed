// Progress of one long piece of work: a bar that redraws itself on a terminal, a plain line at intervals
// elsewhere (cron mail, logs), nothing when quiet.
//
//   restoring  [########............]  40 %  410 MiB of 1 GiB  205 MiB/s  0:03 left
//
// Used by one thread at a time. Never throws: a closed stderr must not end a restore.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace strongroom::term {

enum class ProgressStyle { bar, lines, quiet };

// bar if `fd` is a terminal (and TERM is not "dumb"), else lines; quiet if asked for.
ProgressStyle progress_style(int fd, bool quiet);

class ProgressBar {
  public:
    using Now = std::function<std::chrono::steady_clock::time_point()>;

    // `label` says what is being done ("restoring"). The clock is for tests.
    ProgressBar(std::ostream& out, ProgressStyle style, std::string label,
                Now now = std::chrono::steady_clock::now);
    // Leaves the terminal at the start of a fresh line, also when the work failed.
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;

    // Bytes so far, and in all (0: not known). Draws at most ten times a second; plain lines every ten
    // seconds.
    // `rate`: bytes per second now, if somebody measured it; otherwise the mean since this object was made.
    void update(std::int64_t done, std::int64_t total, std::int64_t rate = 0);
    // The work succeeded: draws the last state with the time taken and the mean rate.
    void finish();

  private:
    std::string line(std::int64_t elapsed_ms) const;
    void draw(const std::string& text);

    std::ostream& out_;
    ProgressStyle style_;
    std::string label_;
    Now now_;
    std::chrono::steady_clock::time_point start_;
    std::chrono::steady_clock::time_point drawn_;
    std::int64_t done_ = 0;
    std::int64_t total_ = 0;
    std::int64_t rate_ = 0;
    bool on_screen_ = false;
};

}  // namespace strongroom::term
