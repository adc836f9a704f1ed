#include "common/maintenance/verification_log.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/json_fields.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::maintenance {
namespace {

constexpr std::size_t max_file = 64U << 20U;
constexpr std::int64_t log_version = 1;

struct Document {
    std::string format = "strongroom-verification-log";
    std::int64_t version = log_version;
    std::string server;
    std::string identity;
    std::vector<VerifiedSet> sets;
    template <class Fields>
    void fields(Fields& f) {
        f("format", format, Text{64});
        f("version", version, Range{log_version, log_version});
        f("server", server, uuid_text);
        f("identity", identity, fingerprint_text);
        f("sets", sets, Many<Nested>{200'000, {}});
    }
};

// The JSON of a signed log, once the signature is good.
Bytes open_signed(const std::filesystem::path& file, BytesView bytes,
                  const std::optional<LogSigner>& signer) {
    if (!signer)
        throw Error(ErrorKind::crypto, "the verification log " + file.string() + " is signed",
                    "Say by whom: --user FPR, the key that must have signed it.");
    return gpg::verify(signer->home, signer->fingerprint, bytes, max_file).payload;
}

}  // namespace

VerificationLog::VerificationLog(std::filesystem::path file, std::string server,
                                 std::vector<std::string> identities, const std::optional<LogSigner>& signer)
    : file_(std::move(file)),
      server_(std::move(server)),
      identities_(std::move(identities)),
      signer_(signer) {
    if (!std::filesystem::exists(std::filesystem::symlink_status(file_))) return;
    Bytes text = read_file(file_, max_file);
    was_signed_ = !text.starts_with("{");
    if (was_signed_)
        text = open_signed(file_, text, signer_);
    else
        require_private_file(file_);
    try {
        const auto document = from_json<Document>(parse_json(text, max_file));
        if (document.format != Document{}.format)
            throw Error(ErrorKind::protocol, "it is a " + document.format);
        if (document.server != server_ ||
            std::ranges::find(identities_, document.identity) == identities_.end())
            throw Error(ErrorKind::protocol,
                        "it is of server " + document.server + " with the identity key " + document.identity);
        for (const auto& one : document.sets)
            if (!sets_.try_emplace(one.set, one).second)
                throw Error(ErrorKind::protocol, "set " + one.set + " stands in it twice");
    } catch (const Error& error) {
        throw Error(ErrorKind::config,
                    "the verification log " + file_.string() + " is of no use: " + error.text(),
                    "Move it away and verify again: without it nothing counts as verified.");
    }
}

const VerifiedSet* VerificationLog::find(const std::string& set) const {
    const auto found = sets_.find(set);
    return found == sets_.end() ? nullptr : &found->second;
}

void VerificationLog::note(const backupset::SetVerdict& verdict, UtcTime now) {
    VerifiedSet entry;
    entry.set = verdict.set;
    entry.verified = format_utc(now);
    entry.manifest_sha256 = verdict.manifest_sha256;
    if (verdict.good())
        entry.good_sha256 = verdict.manifest_sha256;
    else if (const auto* before = find(verdict.set))
        entry.good_sha256 = before->good_sha256;
    entry.result = verdict.result();
    entry.flaws = static_cast<std::int64_t>(verdict.flaws);
    entry.stored_bytes = verdict.manifest ? verdict.manifest->stored_total : 0;
    if (const auto* before = find(verdict.set); before != nullptr) {
        entry.proof_failed = before->proof_failed;
        if (verdict.good() && before->manifest_sha256 == entry.manifest_sha256) entry.proven = before->proven;
    }
    sets_[verdict.set] = entry;
}

void VerificationLog::note_proof(const std::string& set, const std::string& manifest_sha256,
                                 std::int64_t stored_bytes, bool succeeded, UtcTime now) {
    VerifiedSet& entry = sets_[set];
    const bool known = entry.set == set;
    entry.set = set;
    entry.proven.reset();
    entry.proof_failed.reset();
    if (!succeeded) {
        entry.proof_failed = format_utc(now);
        if (known) return;
        entry.verified = format_utc(now);
        entry.manifest_sha256 = manifest_sha256;
        entry.result = "unproven";
        return;
    }
    entry.proven = entry.verified = format_utc(now);
    entry.manifest_sha256 = entry.good_sha256 = manifest_sha256;
    entry.result = "good";
    entry.flaws = 0;
    entry.stored_bytes = stored_bytes;
}

void VerificationLog::save(bool sign) const {
    Document document;
    document.server = server_;
    document.identity = identities_.front();
    for (const auto& [set, entry] : sets_) document.sets.push_back(entry);
    const Bytes text = strongroom::to_json(document).dump(1) + "\n";
    if (sign && !signer_) throw Error(ErrorKind::internal, "a log cannot be signed without a signer");
    make_private_dir(file_.parent_path());
    write_file_atomic(file_, sign ? gpg::sign(signer_->home, signer_->fingerprint, text) : text);
}

}  // namespace strongroom::maintenance
