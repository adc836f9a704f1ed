#include "common/term/progress_bar.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "common/base/printable.hpp"
#include "common/term/text.hpp"

namespace strongroom::term {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t bar_width = 20;
constexpr milliseconds redraw_every{100};
constexpr milliseconds line_every{10'000};
constexpr std::int64_t rate_after_ms = 500;  // before that a rate is noise

std::int64_t millis_between(std::chrono::steady_clock::time_point from,
                            std::chrono::steady_clock::time_point to) {
    return std::chrono::duration_cast<milliseconds>(to - from).count();
}

std::int64_t bytes_per_second(std::int64_t bytes, std::int64_t ms) {
    return static_cast<std::int64_t>(static_cast<double>(bytes) * 1000.0 /
                                     static_cast<double>(std::max<std::int64_t>(ms, 1)));
}

}  // namespace

ProgressStyle progress_style(int fd, bool quiet) {
    if (quiet) return ProgressStyle::quiet;
    const char* kind = std::getenv("TERM");
    const bool dumb = kind == nullptr || std::string_view(kind) == "dumb" || *kind == '\0';
    return ::isatty(fd) == 1 && !dumb ? ProgressStyle::bar : ProgressStyle::lines;
}

ProgressBar::ProgressBar(std::ostream& out, ProgressStyle style, std::string label, Now now)
    : out_(out),
      style_(style),
      label_(printable_line(label)),
      now_(std::move(now)),
      start_(now_()),
      drawn_(start_) {}

ProgressBar::~ProgressBar() {
    if (on_screen_) out_ << '\n' << std::flush;
}

void ProgressBar::update(std::int64_t done, std::int64_t total, std::int64_t rate) {
    done_ = done;
    total_ = total;
    rate_ = rate;
    if (style_ == ProgressStyle::quiet) return;
    const auto now = now_();
    const auto every = style_ == ProgressStyle::bar ? redraw_every : line_every;
    if (now - drawn_ < every) return;
    drawn_ = now;
    draw(line(millis_between(start_, now)));
}

void ProgressBar::finish() {
    if (style_ == ProgressStyle::quiet) return;
    const auto elapsed = millis_between(start_, now_());
    if (done_ > 0)
        draw(label_ + "  done: " + format_work(done_, elapsed));
    else
        draw(label_ + "  done in " +
             format_seconds((elapsed + 500) / 1000));  // work that does not count bytes
    if (on_screen_) out_ << '\n' << std::flush;
    on_screen_ = false;
}

std::string ProgressBar::line(std::int64_t elapsed_ms) const {
    std::string text = label_ + "  ";
    if (total_ > 0) {
        const double share = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
        const auto filled = static_cast<std::size_t>(share * bar_width);
        if (style_ == ProgressStyle::bar)
            text += "[" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "]  ";
        text += std::to_string(static_cast<int>(share * 100)) + " %  " + format_bytes(done_) + " of " +
                format_bytes(total_);
    } else {
        text += format_bytes(done_);
    }
    if (done_ <= 0 || (rate_ <= 0 && elapsed_ms < rate_after_ms)) return text;
    const std::int64_t rate = rate_ > 0 ? rate_ : bytes_per_second(done_, elapsed_ms);
    text += "  " + format_bytes(rate) + "/s";
    if (total_ > done_ && rate > 0)
        text += "  " + format_seconds((total_ - done_ + rate - 1) / rate) + " left";
    return text;
}

void ProgressBar::draw(const std::string& text) {
    if (style_ == ProgressStyle::lines) {
        out_ << text << '\n' << std::flush;
        return;
    }
    out_ << '\r' << text << "\x1b[K" << std::flush;  // erase what a longer line left behind
    on_screen_ = true;
}

}  // namespace strongroom::term
