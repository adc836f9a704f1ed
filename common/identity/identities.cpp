#include "common/identity/identities.hpp"

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom {
namespace {

Error refused(const ShownIdentities& shown, const std::string& text, const std::string& hint = {}) {
    return Error(ErrorKind::refused,
                 "the identity keys that " + shown.origin + " shows for server " + shown.server +
                     " are refused: " + text,
                 hint.empty() ? "Nothing was done. Ask the host which key it has (strongroom-agent identity "
                                "show) before you trust another."
                              : hint);
}

// Everything about the order of the statements that needs no signature.
std::vector<IdentityStatement> claims_of(const ShownIdentities& shown) {
    std::vector<IdentityStatement> out;
    for (const auto& change : shown.changes) {
        IdentityStatement claim;
        try {
            claim = claim_of(change);
        } catch (const Error& error) {
            throw refused(shown, "change " + std::to_string(out.size() + 1) + ": " + error.text());
        }
        const std::string number = "change " + std::to_string(claim.sequence);
        if (claim.server != shown.server)
            throw refused(shown, number + " is of another server, " + claim.server);
        if (claim.sequence != static_cast<std::int64_t>(out.size()) + 1)
            throw refused(shown, number + " stands where change " + std::to_string(out.size() + 1) +
                                     " is due (a gap, or a repetition)");
        if (!out.empty() && claim.current != out.back().next)
            throw refused(shown, number + " goes on from " + group_fingerprint(claim.current) +
                                     ", but the change before it ends at " +
                                     group_fingerprint(out.back().next) + " (a fork)");
        for (const auto& before : out)
            if (claim.next == before.current)
                throw refused(shown, number + " goes back to a key that the server had before");
        out.push_back(std::move(claim));
    }
    return out;
}

}  // namespace

bool Identities::contains(const std::string& fingerprint) const {
    return std::ranges::find(members_, fingerprint, &Member::fingerprint) != members_.end();
}

std::vector<std::string> Identities::fingerprints() const {
    std::vector<std::string> out;
    for (const auto& member : members_) out.push_back(member.fingerprint);
    return out;
}

Identities Identities::follow(const ShownIdentities& shown, const std::string& trusted,
                              const AcceptsApprover& accepts) {
    Identities out;
    out.trusted_ = trusted;
    const gpg::Home& home = out.home();
    if (shown.changes.empty()) {
        gpg::import_public_key(home, shown.public_key, trusted);
        out.members_ = {{trusted, {}}};
        out.shown_ = trusted;
        return out;
    }
    const auto claims = claims_of(shown);
    std::size_t at = 0;  // claims[at] is the change that the trusted key signed as `current`
    while (at < claims.size() && claims[at].current != trusted) ++at;
    if (at == claims.size() && claims.back().next != trusted)
        throw refused(shown, "they lead from " + group_fingerprint(claims.front().current) + " to " +
                                 group_fingerprint(claims.back().next) + "; the key that you trust, " +
                                 group_fingerprint(trusted) +
                                 ", is none of them (another key's chain, or a rollback)");

    const auto import_one_of = [&](const std::string& fingerprint) {
        for (const auto& claim : claims)
            if (claim.next == fingerprint)
                return void(gpg::import_public_key(home, claim.public_key, fingerprint));
        for (const auto& key : shown.keys) {
            const gpg::TempHome look(gpg::HomeFor::public_keys);
            try {
                if (gpg::import_into_empty(look.home(), key).fingerprint != fingerprint) continue;
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::crypto) throw;
                continue;
            }
            return void(gpg::import_public_key(home, key, fingerprint));
        }
        throw refused(shown, "the public key of " + group_fingerprint(fingerprint) + " is missing");
    };
    import_one_of(trusted);

    const auto checked = [&](std::size_t i, const auto& work) {
        try {
            work();
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::unauthenticated && error.kind() != ErrorKind::crypto &&
                error.kind() != ErrorKind::protocol && error.kind() != ErrorKind::refused)
                throw;
            throw refused(shown, "change " + std::to_string(i + 1) + ": " + error.text(), error.hint());
        }
    };
    for (std::size_t i = at; i < claims.size(); ++i)
        checked(i, [&] {
            const auto statement = verify_keys(shown.changes[i], home);
            out.steps_.push_back({statement, verify_approval(shown.changes[i], accepts)});
        });
    // Who trusts a later key believes what that key said of the one before it.
    for (std::size_t i = at; i-- > 0;)
        checked(i, [&] {
            import_one_of(claims[i].current);
            verify_keys(shown.changes[i], home);
        });

    out.members_.push_back({claims.back().next, {}});
    for (auto claim = claims.rbegin(); claim != claims.rend(); ++claim)
        out.members_.push_back({claim->current, claim->expires});

    // The key with its present subkeys; of the identity before, until the switch.
    const gpg::TempHome look(gpg::HomeFor::public_keys);
    out.shown_ = gpg::import_into_empty(look.home(), shown.public_key).fingerprint;
    if (!out.contains(out.shown_))
        throw refused(shown,
                      "the key in use is " + group_fingerprint(out.shown_) + ", to which no change leads");
    gpg::import_public_key(home, shown.public_key, out.shown_);
    return out;
}

}  // namespace strongroom
