#include "dispatcher/handler/recoverable.hpp"

namespace strongroom::dispatcher {

std::optional<EscrowRecord> newest_record(Transaction& tx, const std::string& server,
                                          const std::string& subkey) {
    for (auto& record : tx.list_escrow(server))  // newest first
        if (record.subkey == subkey) return std::move(record);
    return std::nullopt;
}

std::optional<Proof> proof_of(Transaction& tx, const EscrowRecord& record) {
    auto out = tx.find_proof(record.server, record.subkey);
    if (out && out->sha256 != record.sha256) out.reset();
    return out;
}

std::int64_t proof_window(Transaction& tx) {
    const std::string text = tx.service_value(proof_window_value);
    return text.empty() ? std::int64_t{default_proof_days} * 24 * 3600 * 1000 : std::stoll(text);
}

}  // namespace strongroom::dispatcher
