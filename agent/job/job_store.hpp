// The store of this host's backups with the configured time-out and retries.
#pragma once

#include <stop_token>

#include "agent/config/agent_config.hpp"
#include "common/storage/open/open_store.hpp"

namespace strongroom::agent {

// `writes` and `meter` may be null. A request on `stop` ends waiting. Throws as open_guarded_store().
std::shared_ptr<storage::RetryingStore> open_job_store(const AgentConfig& config, const std::string& url,
                                                       RateLimiter* writes = nullptr,
                                                       std::stop_token stop = {},
                                                       storage::StoreMeter* meter = nullptr);

// The same store for verifying and pruning: with credentials of its own where the configuration names some.
std::shared_ptr<storage::RetryingStore> open_maintenance_store(const AgentConfig& config, RateLimiter* reads,
                                                               std::stop_token stop = {},
                                                               storage::StoreMeter* meter = nullptr);

// The same of this host's `own` sets; else the store of verify-servers, by credentials that need only read.
std::shared_ptr<storage::RetryingStore> open_store_to_verify(const AgentConfig& config, bool own,
                                                             RateLimiter* reads, std::stop_token stop = {},
                                                             storage::StoreMeter* meter = nullptr);

}  // namespace strongroom::agent
