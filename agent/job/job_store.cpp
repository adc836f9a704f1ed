#include "agent/job/job_store.hpp"

namespace strongroom::agent {
namespace {

storage::Guard guard_of(const AgentConfig& config, std::stop_token stop, storage::StoreMeter* meter) {
    storage::Guard out;
    out.timeout = std::chrono::seconds(config.store_timeout);
    out.retry.attempts = config.store_retries + 1;
    out.retry.total = std::chrono::seconds(config.store_retry_time);
    out.stop = std::move(stop);
    out.meter = meter;
    return out;
}

}  // namespace

std::shared_ptr<storage::RetryingStore> open_job_store(const AgentConfig& config, const std::string& url,
                                                       RateLimiter* writes, std::stop_token stop,
                                                       storage::StoreMeter* meter) {
    storage::Guard guard = guard_of(config, std::move(stop), meter);
    guard.writes = writes;
    return storage::open_guarded_store(url, false, config.stores, guard);
}

std::shared_ptr<storage::RetryingStore> open_maintenance_store(const AgentConfig& config, RateLimiter* reads,
                                                               std::stop_token stop,
                                                               storage::StoreMeter* meter) {
    storage::Guard guard = guard_of(config, std::move(stop), meter);
    guard.reads = reads;
    storage::StoreSettings settings = config.stores;
    if (!config.maintenance.s3_credentials_file.empty())
        settings.s3.credentials_file = config.maintenance.s3_credentials_file;
    return storage::open_guarded_store(config.store, false, settings, guard);
}

}  // namespace strongroom::agent
