#include "agent/verifiers/pins.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::agent {

std::vector<std::string> verifier_fingerprints(const StateDir& state) {
    std::vector<std::string> out;
    for (const auto& one : state.verifiers().verifiers) out.push_back(one.fingerprint);
    return out;
}

std::optional<backupset::Verifiers> pinned_verifiers(const StateDir& state) {
    auto identities = verifier_fingerprints(state);
    if (identities.empty()) return std::nullopt;
    return backupset::Verifiers{gpg::Home::use(state.verifier_home()), std::move(identities)};
}

PinnedVerifier pin_verifier(const StateDir& state, const std::filesystem::path& file,
                            const std::optional<std::string>& expected, const Clock& clock) {
    const Bytes bytes = read_file(file, gpg::max_public_key);
    gpg::Key key;
    try {
        key = gpg::inspect_public_key(bytes, expected);
    } catch (const Error& error) {
        throw error.with_context("verifying host's key " + file.string());
    }
    if (key.fingerprint == state.agent().identity)
        throw Error(ErrorKind::usage, file.string() + " is this host's own key",
                    "Give the key of the other host: strongroom-agent verifier key, run there.");
    const FileLock alone = state.lock_escrow();
    VerifierState next = state.verifiers();
    PinnedVerifier pinned{key.fingerprint, printable_line(key.user_id, 200), to_millis(clock.now())};
    auto known = std::ranges::find(next.verifiers, key.fingerprint, &PinnedVerifier::fingerprint);
    if (known == next.verifiers.end()) {
        if (next.verifiers.size() >= proto::max_verifiers)
            throw Error(
                ErrorKind::refused,
                "more than " + std::to_string(proto::max_verifiers) + " verifying hosts cannot be pinned",
                "Take one back first: strongroom-agent verifier remove FPR");
        next.verifiers.push_back(pinned);
    } else {
        pinned.since = known->since;
        *known = pinned;
    }
    // A key in this home that is not pinned opens nothing: envelopes are made for the pinned ones by name.
    const gpg::Home home = gpg::Home::create(state.verifier_home(), gpg::HomeFor::public_keys);
    gpg::import_public_key(home, bytes, key.fingerprint);
    state.save(next);
    log_event(Level::warning, "AGENT_VERIFIER_PINNED",
              "{} ({}) may open the sets of this host from now on, to prove them", pinned.fingerprint,
              pinned.name);
    return pinned;
}

PinnedVerifier unpin_verifier(const StateDir& state, const std::string& fingerprint) {
    const FileLock alone = state.lock_escrow();
    VerifierState next = state.verifiers();
    const auto known = std::ranges::find(next.verifiers, fingerprint, &PinnedVerifier::fingerprint);
    if (known == next.verifiers.end())
        throw Error(ErrorKind::not_found,
                    "no verifying host " + group_fingerprint(fingerprint) + " is pinned on this host",
                    "strongroom-agent verifier list shows those that are.");
    const PinnedVerifier out = *known;
    next.verifiers.erase(known);
    state.save(next);
    log_event(Level::warning, "AGENT_VERIFIER_UNPINNED", "{} ({}) gets no envelope of new sets any more",
              out.fingerprint, out.name);
    return out;
}

}  // namespace strongroom::agent
