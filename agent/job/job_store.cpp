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

std::shared_ptr<storage::RetryingStore> open_to_read(const AgentConfig& config, const std::string& url,
                                                     const std::string& s3_credentials_file,
                                                     RateLimiter* reads, std::stop_token stop,
                                                     storage::StoreMeter* meter) {
    storage::Guard guard = guard_of(config, std::move(stop), meter);
    guard.reads = reads;
    storage::StoreSettings settings = config.stores;
    if (!s3_credentials_file.empty()) settings.s3.credentials_file = s3_credentials_file;
    return storage::open_guarded_store(url, false, settings, guard);
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
    return open_to_read(config, config.store, config.maintenance.s3_credentials_file, reads, std::move(stop),
                        meter);
}

std::shared_ptr<storage::RetryingStore> open_store_to_verify(const AgentConfig& config, bool own,
                                                             RateLimiter* reads, std::stop_token stop,
                                                             storage::StoreMeter* meter) {
    if (own) return open_maintenance_store(config, reads, std::move(stop), meter);
    return open_to_read(config, config.verify.store.empty() ? config.store : config.verify.store,
                        config.verify.s3_credentials_file, reads, std::move(stop), meter);
}

}  // namespace strongroom::agent
