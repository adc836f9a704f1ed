#include "proto/messages.hpp"

#include <algorithm>

#include "common/base/ids.hpp"

namespace strongroom::proto {
namespace {

bool is_set_kind(std::string_view text) {
    return is_one_of(text, {"full", "incremental"});
}
bool is_statement_state(std::string_view text) {
    return is_one_of(text, {"pending", "applied", "refused", "replaced"});
}
bool is_statement_outcome(std::string_view text) {
    return is_one_of(text, {"applied", "refused"});
}
bool is_identity_state(std::string_view text) {
    return is_one_of(text, {"pending", "changed"});
}
bool is_outcome(std::string_view text) {
    return is_one_of(text, {"succeeded", "failed"});
}

}  // namespace

const std::vector<std::string>& job_kinds() {
    static const std::vector<std::string> kinds{"backup", "incremental", "escrow", "rotate",
                                                "verify", "verify-full", "prune"};
    return kinds;
}

bool is_backup_kind(std::string_view kind) {
    return kind == "backup" || kind == "incremental";
}

bool is_job_kind(std::string_view text) {
    return std::ranges::find(job_kinds(), text) != job_kinds().end();
}

bool is_job_state(std::string_view text) {
    return is_one_of(text, {"queued", "leased", "running", "succeeded", "failed", "expired", "cancelled"});
}

bool is_token(std::string_view text) {
    return is_sha256_hex(text);
}

const Text job_kind_text{
    16, is_job_kind, "a known job kind (backup, incremental, escrow, rotate, verify, verify-full, prune)"};
const Text job_state_text{16, is_job_state, "a known job state"};
const Text set_kind_text{16, is_set_kind, "full or incremental"};
const Text statement_state_text{16, is_statement_state, "a known state of a statement"};
const Text statement_outcome_text{16, is_statement_outcome, "applied or refused"};
const Text identity_state_text{16, is_identity_state, "pending or changed"};
const Text outcome_text{16, is_outcome, "succeeded or failed"};

}  // namespace strongroom::proto
