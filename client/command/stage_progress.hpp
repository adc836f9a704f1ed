// A progress bar for work that goes through stages ("verifying", "restoring"): a new stage gets a new bar.
#pragma once

#include <memory>
#include <string>

#include "client/command/context.hpp"
#include "common/term/progress_bar.hpp"

namespace strongroom::client {

class StageProgress {
  public:
    explicit StageProgress(Context& context);
    // Bytes of this stage so far and in all (0: not known); their rate now, if somebody measured it.
    void update(const std::string& stage, std::int64_t done, std::int64_t total, std::int64_t rate = 0);
    // The last stage succeeded.
    void finish();
    // Somebody else says how it ended: the line on the screen is left as it is.
    void leave() { bar_.reset(); }

  private:
    Context& context_;
    term::ProgressStyle style_;
    std::string stage_;
    std::unique_ptr<term::ProgressBar> bar_;
};

}  // namespace strongroom::client
