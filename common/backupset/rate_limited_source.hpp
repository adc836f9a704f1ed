// Keeps reads from a source to a rate, and counts its bytes. A tool that is held back waits in its pipe: the
// silence that a source may keep is measured only while it is asked for bytes.
#pragma once

#include <memory>
#include <stop_token>

#include "common/backupset/streams.hpp"
#include "common/base/rate_limiter.hpp"

namespace strongroom::backupset {

class RateLimitedSource : public Source {
  public:
    // `limiter` must outlive this. abort() requests a stop on `ended`, which frees a read that waits here and
    // whatever else the caller has tied to it.
    RateLimitedSource(std::unique_ptr<Source> inner, RateLimiter& limiter, std::stop_source ended = {})
        : inner_(std::move(inner)), limiter_(limiter), ended_(std::move(ended)) {}

    std::size_t read(char* data, std::size_t size) override;
    Facts finish() override { return inner_->finish(); }
    void abort() noexcept override;

  private:
    std::unique_ptr<Source> inner_;
    RateLimiter& limiter_;
    std::stop_source ended_;
};

}  // namespace strongroom::backupset
