// Where everything of a backup set lies in a store. The only place that builds keys.
//
//   <server-uuid>/agent.asc                         the agent's public key
//   <server-uuid>/RECOVERY.txt                      how to recover with gpg, zstd and mbstream alone
//   <server-uuid>/escrow/<subkey-fpr>.gpg           copy of the escrow record
//   <server-uuid>/escrow/replaced/<subkey-fpr>.<n>.gpg  one for recovery keys that were pinned before
//   <server-uuid>/escrow/index.json, index.json.sig     which recovery key opens which record
//   <server-uuid>/identity/<fpr>.asc                public key of an identity before or after a change
//   <server-uuid>/identity/<NNNN>-<part>            proofs of a change of the identity key
//   <server-uuid>/sets/<set-id>/envelope.gpg        the data passphrase, encrypted to the decryption subkey
//   <server-uuid>/sets/<set-id>/envelope-<fpr>.gpg  the same for a verifying host, named by its identity key
//   <server-uuid>/sets/<set-id>/data/000000.gpg     segments
//   <server-uuid>/sets/<set-id>/manifest.json       commit record
//   <server-uuid>/sets/<set-id>/manifest.json.sig   its detached signature, written last: the commit
//   <server-uuid>/logs/<log-id>/...                 the same objects of a piece of the binary log
//   <server-uuid>/prune/<set-id>.json               mark: this set is to be removed (pruner.hpp)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.hpp"

namespace strongroom::backupset {

std::string agent_key_key(const std::string& server);
std::string recovery_text_key(const std::string& server);
std::string escrow_prefix(const std::string& server);
std::string escrow_key(const std::string& server, const std::string& subkey_fingerprint);
// `sequence`: of the set of recovery keys that the record is for.
std::string replaced_escrow_key(const std::string& server, const std::string& subkey_fingerprint,
                                std::int64_t sequence);
std::string escrow_index_key(const std::string& server);
std::string escrow_index_signature_key(const std::string& server);
std::string identity_prefix(const std::string& server);
std::string identity_key_key(const std::string& server, const std::string& fingerprint);
// `part`: current.gpg, next.gpg, approver.asc, approval.gpg.
std::string identity_change_key(const std::string& server, std::int64_t sequence, const std::string& part);
std::string sets_prefix(const std::string& server);
std::string logs_prefix(const std::string& server);
// `set`: a set id, or a log id; each has its folder.
std::string set_prefix(const std::string& server, const std::string& set);
std::string envelope_key(const std::string& server, const std::string& set);
// The one for a verifying host: the fingerprint of its identity key; empty: the server's own.
std::string envelope_key_for(const std::string& verifier, const std::string& server, const std::string& set);
std::string segment_key(const std::string& server, const std::string& set, std::int64_t index);
std::string manifest_key(const std::string& server, const std::string& set);
std::string manifest_signature_key(const std::string& server, const std::string& set);
// When the set of this set or log id was begun; none if it is neither, or names no time that exists.
std::optional<UtcTime> begun_at(const std::string& set);

std::string marks_prefix(const std::string& server);
std::string mark_key(const std::string& server, const std::string& set);

}  // namespace strongroom::backupset
