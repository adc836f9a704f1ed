#include "common/backupset/verifier_envelope.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>

#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/replace_object.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/subkey_cipher.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t sets_at_once = 8;  // a store over a network is mostly waiting

std::string newest_subkey(const gpg::Home& home, const std::string& identity) {
    const gpg::Key key = gpg::find_key(home, identity);
    if (const auto* subkey = key.encryption_subkey()) return subkey->fingerprint;
    throw Error(ErrorKind::crypto,
                "the key " + group_fingerprint(identity) + " has no usable encryption subkey",
                "Pin its newer self: strongroom-agent verifier add FILE");
}

// `one` does the work of a set and says whether it changed something.
VerifierEnvelopeResult for_all_sets(std::vector<std::string> sets,
                                    const std::function<bool(const std::string& set)>& one) {
    VerifierEnvelopeResult out;
    out.sets = sets.size();
    std::mutex mutex;  // out
    SharedWork shared(sets.size());
    shared.run(sets_at_once, [&] {
        while (const auto i = shared.next()) {
            std::string problem;
            bool changed = false;
            try {
                changed = one(sets[*i]);
            } catch (const Error& error) {
                if (!is_about_one_set(error.kind())) throw error.with_context("set " + sets[*i]);
                problem = error.text();
            }
            const std::lock_guard lock(mutex);
            if (changed) ++out.changed;
            if (!problem.empty()) out.problems.push_back({sets[*i], problem});
        }
    });
    std::ranges::sort(out.problems, {}, &VerifierEnvelopeProblem::set);
    return out;
}

}  // namespace

void put_verifier_envelopes(storage::ObjectStore& store, const std::string& server, const std::string& set,
                            const Secret& passphrase, const Verifiers& verifiers) {
    for (const auto& identity : verifiers.identities) {
        Bytes envelope;
        try {
            envelope = make_envelope(verifiers.home, newest_subkey(verifiers.home, identity), passphrase);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::crypto) throw;
            log_event(Level::warning, "BACKUPSET_VERIFIER_LEFT_OUT",
                      "set {} gets no envelope for the verifying host {}: {} {}", set, identity, error.text(),
                      error.hint());
            continue;
        }
        store.put(envelope_key_for(identity, server, set), envelope);
    }
}

std::vector<std::string> verifiers_among(const std::vector<storage::ObjectInfo>& objects) {
    constexpr std::string_view before = "envelope-";
    constexpr std::string_view behind = ".gpg";
    std::vector<std::string> out;
    for (const auto& object : objects) {
        std::string_view name = object.key;
        name.remove_prefix(name.rfind('/') + 1);
        if (!name.starts_with(before) || !name.ends_with(behind)) continue;
        name.remove_prefix(before.size());
        name.remove_suffix(behind.size());
        if (is_fingerprint(name)) out.emplace_back(name);
    }
    return out;
}

VerifierEnvelopeResult add_verifier_envelopes(storage::ObjectStore& store, const std::string& server,
                                              const gpg::Home& key_home, const Verifiers& verifiers) {
    const gpg::SubkeyCipher own(key_home);
    const gpg::SubkeyCipher theirs(verifiers.home);
    std::map<std::string, std::string> subkeys;  // by identity
    for (const auto& identity : verifiers.identities)
        subkeys.emplace(identity, newest_subkey(verifiers.home, identity));
    return for_all_sets(committed_sets(store, server), [&](const std::string& set) {
        const Secret passphrase =
            open_envelope(own, store.get(envelope_key(server, set), max_envelope).view());
        for (const auto& [identity, subkey] : subkeys)
            store.put(envelope_key_for(identity, server, set), make_envelope(theirs, subkey, passphrase));
        return true;
    });
}

VerifierEnvelopeResult remove_verifier_envelopes(storage::ObjectStore& store, const std::string& server,
                                                 const std::string& identity) {
    // Sets that are being made, or were left behind, too.
    return for_all_sets(set_folders(store, server), [&](const std::string& set) {
        const std::string key = envelope_key_for(identity, server, set);
        if (!store.stat(key)) return false;
        try {
            store.remove(key);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::forbidden && error.kind() != ErrorKind::storage) throw;
            throw Error(ErrorKind::corrupt, "cannot remove " + key + ": " + error.text());
        }
        return true;
    });
}

}  // namespace strongroom::backupset
