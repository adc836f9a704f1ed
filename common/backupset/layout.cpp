#include "common/backupset/layout.hpp"

#include <fmt/format.h>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"

namespace strongroom::backupset {
namespace {

// Ids become parts of keys; only their own shapes may.
const std::string& checked(const std::string& id, bool (*valid)(std::string_view), const char* shape) {
    if (!valid(id))
        throw Error(ErrorKind::usage, "not " + std::string(shape) + ": " + printable_line(id, 80));
    return id;
}

std::string server_prefix(const std::string& server) {
    return checked(server, is_uuid, "a server id (a UUID in lower case)") + "/";
}

}  // namespace

std::string agent_key_key(const std::string& server) {
    return server_prefix(server) + "agent.asc";
}
std::string recovery_text_key(const std::string& server) {
    return server_prefix(server) + "RECOVERY.txt";
}
std::string escrow_prefix(const std::string& server) {
    return server_prefix(server) + "escrow/";
}
std::string escrow_key(const std::string& server, const std::string& subkey_fingerprint) {
    return escrow_prefix(server) + checked(subkey_fingerprint, is_fingerprint, "a full fingerprint") + ".gpg";
}
std::string replaced_escrow_key(const std::string& server, const std::string& subkey_fingerprint,
                                std::int64_t sequence) {
    return escrow_prefix(server) + "replaced/" +
           checked(subkey_fingerprint, is_fingerprint, "a full fingerprint") +
           fmt::format(".{}.gpg", sequence);
}
std::string escrow_index_key(const std::string& server) {
    return escrow_prefix(server) + "index.json";
}
std::string escrow_index_signature_key(const std::string& server) {
    return escrow_prefix(server) + "index.json.sig";
}
std::string identity_prefix(const std::string& server) {
    return server_prefix(server) + "identity/";
}
std::string identity_key_key(const std::string& server, const std::string& fingerprint) {
    return identity_prefix(server) + checked(fingerprint, is_fingerprint, "a full fingerprint") + ".asc";
}
std::string identity_change_key(const std::string& server, std::int64_t sequence, const std::string& part) {
    return identity_prefix(server) + fmt::format("{:04}-", sequence) + part;
}
std::string sets_prefix(const std::string& server) {
    return server_prefix(server) + "sets/";
}
std::string logs_prefix(const std::string& server) {
    return server_prefix(server) + "logs/";
}
std::string set_prefix(const std::string& server, const std::string& set) {
    return (is_log_id(set) ? logs_prefix(server) : sets_prefix(server)) +
           checked(set, is_set_or_log_id, "a set id") + "/";
}
std::string envelope_key(const std::string& server, const std::string& set) {
    return set_prefix(server, set) + "envelope.gpg";
}
std::string envelope_key_for(const std::string& verifier, const std::string& server, const std::string& set) {
    if (verifier.empty()) return envelope_key(server, set);
    return set_prefix(server, set) + "envelope-" + checked(verifier, is_fingerprint, "a full fingerprint") +
           ".gpg";
}
std::string segment_key(const std::string& server, const std::string& set, std::int64_t index) {
    return set_prefix(server, set) + fmt::format("data/{:06}.gpg", index);
}
std::string manifest_key(const std::string& server, const std::string& set) {
    return set_prefix(server, set) + "manifest.json";
}
std::string manifest_signature_key(const std::string& server, const std::string& set) {
    return set_prefix(server, set) + "manifest.json.sig";
}
std::optional<UtcTime> begun_at(const std::string& set) {
    if (!is_set_or_log_id(set)) return std::nullopt;
    const auto part = [&](std::size_t at, std::size_t size) { return set.substr(at, size); };
    try {
        return parse_utc(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(9, 2) + ":" +
                         part(11, 2) + ":" + part(13, 2) + "Z");
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string marks_prefix(const std::string& server) {
    return server_prefix(server) + "prune/";
}
std::string mark_key(const std::string& server, const std::string& set) {
    return marks_prefix(server) + checked(set, is_set_or_log_id, "a set id") + ".json";
}

}  // namespace strongroom::backupset
