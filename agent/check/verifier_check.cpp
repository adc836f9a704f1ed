#include "agent/check/verifier_check.hpp"

#include "agent/job/job_store.hpp"
#include "agent/verifiers/subject.hpp"
#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::agent {

Finding check_verified(const AgentConfig& config, const StateDir& state, const std::string& server) {
    const auto store = open_store_to_verify(config, false, nullptr);
    const Subject subject = subject_of(config, state, *store, server);
    const auto newest = backupset::newest_committed(*store, server);
    if (!newest)
        return {Verdict::warn, {}, "its key is the pinned one; " + store->label() + " has no set of it", {}};
    backupset::read_manifest(*store, server, *newest, subject.signers);
    const auto envelope = backupset::envelope_key_for(subject.verifier, server, *newest);
    if (!store->stat(envelope))
        return {Verdict::warn,
                {},
                "its newest set, " + *newest + ", has no envelope for this host and cannot be proven here",
                "On that server's host: strongroom-agent verifier add FILE --existing, with the key that "
                "`strongroom-agent verifier key` prints here."};
    backupset::open_envelope(subject.home, store->get(envelope, backupset::max_envelope).view());
    return {Verdict::ok, {}, "its newest set, " + *newest + ", opens here", {}};
}

Finding check_verifiers(const backupset::Verifiers& pinned) {
    std::string text;
    for (const auto& fingerprint : pinned.identities) {
        if (gpg::find_key(pinned.home, fingerprint).encryption_subkey() == nullptr)
            throw Error(ErrorKind::crypto,
                        "the verifying host " + group_fingerprint(fingerprint) +
                            " has no usable encryption key: new sets get no envelope for it",
                        "Pin its newer self: strongroom-agent verifier add FILE");
        text += (text.empty() ? "" : "; ") + group_fingerprint(fingerprint);
    }
    return {Verdict::ok, {}, text + " may open this host's sets", {}};
}

}  // namespace strongroom::agent
