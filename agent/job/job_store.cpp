#include "agent/job/job_store.hpp"

namespace strongroom::agent {

std::shared_ptr<storage::RetryingStore> open_job_store(const AgentConfig& config, const std::string& url,
                                                       RateLimiter* writes, std::stop_token stop,
                                                       storage::StoreMeter* meter) {
    storage::Guard guard;
    guard.timeout = std::chrono::seconds(config.store_timeout);
    guard.retry.attempts = config.store_retries + 1;
    guard.retry.total = std::chrono::seconds(config.store_retry_time);
    guard.writes = writes;
    guard.meter = meter;
    guard.stop = std::move(stop);
    return storage::open_guarded_store(url, false, config.stores, guard);
}

}  // namespace strongroom::agent
