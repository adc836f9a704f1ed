// What this user has verified, and when: <folder of client.toml>/verified/<server>.json, or as a message
// signed by the user's key with the same JSON in it (then `gpg -d` shows it). It is the memory that pruning
// relies on, and by which a set that changed or vanished since is noticed.
//
// Not shared between threads; the file is replaced as a whole.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/backupset/verifier.hpp"
#include "common/base/clock.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::maintenance {

struct VerifiedSet {
    std::string set;
    std::string verified;         // UTC, when: "2026-11-22T01:37:00Z"
    std::string manifest_sha256;  // of the manifest that was looked at; empty if there was none
    std::string good_sha256;      // of the manifest that was last found good; empty: never
    std::string result;           // "good", or the name of the worst flaw
    std::int64_t flaws = 0;
    std::int64_t stored_bytes = 0;  // that were compared
    // UTC, of this manifest: when it was last restored, started and compared with success; and since when it
    // cannot be. At most one of them: the last proof counts.
    std::optional<std::string> proven{};
    std::optional<std::string> proof_failed{};
    bool good() const { return result == "good"; }
    template <class Fields>
    void fields(Fields& f) {
        f("set", set, set_id_text);
        f("verified", verified, Text{20});
        f("manifest_sha256", manifest_sha256, Text{64});
        f("good_sha256", good_sha256, Text{64});
        f("result", result, Text{16});
        f("flaws", flaws, any_size);
        f("stored_bytes", stored_bytes, any_size);
        f("proven", proven, Text{20});
        f("proof_failed", proof_failed, Text{20});
    }
};

// Who signs the log. Without one it is only private (0600).
struct LogSigner {
    gpg::Home home;
    std::string fingerprint;  // of the primary key
};

class VerificationLog {
  public:
    // Reads the file; a missing one is an empty log. A signed one must be signed by `signer`, an unsigned one
    // must be closed to other users. Throws Error{crypto}, Error{insecure_file}; Error{config} if it is
    // damaged or of another server or of none of these identity keys, the one in use first (then nothing
    // counts as verified).
    VerificationLog(std::filesystem::path file, std::string server, std::vector<std::string> identities,
                    const std::optional<LogSigner>& signer);

    const VerifiedSet* find(const std::string& set) const;
    const std::map<std::string, VerifiedSet>& sets() const { return sets_; }

    void note(const backupset::SetVerdict& verdict, UtcTime now);
    // The outcome of a proof by restoring. One that succeeded has compared every object; one that failed
    // leaves a set that nobody counts on (retention), whatever its digests say.
    void note_proof(const std::string& set, const std::string& manifest_sha256, std::int64_t stored_bytes,
                    bool succeeded, UtcTime now);
    void forget(const std::string& set) { sets_.erase(set); }

    // Durably; signed if `sign`, which needs the signer (and perhaps a pinentry).
    void save(bool sign) const;
    bool was_signed() const { return was_signed_; }  // when it was read

  private:
    std::filesystem::path file_;
    std::string server_;
    std::vector<std::string> identities_;
    std::optional<LogSigner> signer_;
    bool was_signed_ = false;
    std::map<std::string, VerifiedSet> sets_;
};

}  // namespace strongroom::maintenance
