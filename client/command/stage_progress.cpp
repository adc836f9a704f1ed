#include "client/command/stage_progress.hpp"

#include <unistd.h>

namespace strongroom::client {

StageProgress::StageProgress(Context& context)
    : context_(context), style_(term::progress_style(STDERR_FILENO, context.config.quiet)) {}

void StageProgress::update(const std::string& stage, std::int64_t done, std::int64_t total,
                           std::int64_t rate) {
    if (!bar_ || stage != stage_) {
        stage_ = stage;
        bar_.reset();  // leaves the old line before the new one starts
        bar_ = std::make_unique<term::ProgressBar>(context_.err, style_, stage);
    }
    bar_->update(done, total, rate);
}

void StageProgress::finish() {
    if (bar_) bar_->finish();
    bar_.reset();
}

}  // namespace strongroom::client
