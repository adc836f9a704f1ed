// What every Store promises (dispatcher/store/store.hpp). A new store calls check_store() with its own
// factory.
#pragma once

#include <functional>
#include <memory>

#include "dispatcher/store/store.hpp"

namespace strongroom::test {

// Each call opens the same empty-at-first database again, as a second program would.
using OpenStore = std::function<std::unique_ptr<dispatcher::Store>()>;

void check_peers(const OpenStore& open);
void check_codes(const OpenStore& open);
void check_schedules(const OpenStore& open);
void check_jobs(const OpenStore& open);
void check_failed_jobs(const OpenStore& open);
void check_statements(const OpenStore& open);
void check_groups(const OpenStore& open);
void check_verifiers(const OpenStore& open);
void check_ledger(const OpenStore& open);
void check_transactions(const OpenStore& open);
void check_mixed_transactions(const OpenStore& open);
void check_concurrent_claims(const OpenStore& open);

// Sample records, so that other tests can fill a store.
dispatcher::User sample_user(char letter);
dispatcher::Server sample_server(const dispatcher::User& owner, char letter);
dispatcher::Job sample_job(const std::string& server, std::int64_t created);

}  // namespace strongroom::test
