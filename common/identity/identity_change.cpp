#include "common/identity/identity_change.hpp"

#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"

namespace strongroom {
namespace {

Bytes payload_of(const Bytes& part, const char* what) {
    if (part.size() > max_identity_statement)
        throw Error(ErrorKind::protocol, std::string("the ") + what + " is over its size limit");
    try {
        return gpg::read_unverified(part, IdentityStatement::max_json);
    } catch (const Error& error) {
        throw Error(error.kind(), std::string("the ") + what + " is no signed statement: " + error.text());
    }
}

// Signed by exactly this key, and the same bytes as all parts hold.
void require_signed(const gpg::Home& home, const std::string& signer, const Bytes& part,
                    const Bytes& expected, const std::string& what) {
    try {
        if (gpg::verify(home, signer, part, IdentityStatement::max_json).payload != expected)
            throw Error(ErrorKind::crypto, "it says something else");
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::crypto) throw;
        throw Error(ErrorKind::unauthenticated, what + ": " + error.text());
    }
}

}  // namespace

IdentityStatement claim_of(const IdentityChange& change) {
    const Bytes content = payload_of(change.current, "statement of the identity key before");
    if (payload_of(change.next, "statement of the new identity key") != content ||
        (!change.approval.empty() && payload_of(change.approval, "approval") != content))
        throw Error(ErrorKind::protocol, "the proofs of the identity change are about different statements");
    auto out = read_statement<IdentityStatement>(content);
    if (out.current == out.next) throw Error(ErrorKind::protocol, "it names the same key before and after");
    if (out.expires <= out.made) throw Error(ErrorKind::protocol, "it expires before it is made");
    return out;
}

IdentityStatement verify_keys(const IdentityChange& change, const gpg::Home& home) {
    auto out = claim_of(change);
    const Bytes content = payload_of(change.current, "statement");
    require_signed(home, out.current, change.current, content,
                   "the identity key before, " + group_fingerprint(out.current) + ", did not sign it");
    const gpg::TempHome throw_away(gpg::HomeFor::public_keys);
    const gpg::Key key = gpg::import_into_empty(throw_away.home(), out.public_key, out.next);
    if (!key.user_id.starts_with(out.server + "@"))
        throw Error(ErrorKind::protocol, "the new identity key is not named after server " + out.server);
    require_signed(throw_away.home(), out.next, change.next, content,
                   "nothing proves that its maker has the new identity key " + group_fingerprint(out.next));
    gpg::import_public_key(home, out.public_key, out.next);
    return out;
}

std::string verify_approval(const IdentityChange& change, const AcceptsApprover& accepts) {
    if (change.approval.empty() || change.approver_key.empty())
        throw Error(ErrorKind::unauthenticated, "no recovery key approved the change of the identity key");
    const Bytes content = payload_of(change.current, "statement");
    const gpg::TempHome throw_away(gpg::HomeFor::public_keys);
    const gpg::Key key = gpg::import_into_empty(throw_away.home(), change.approver_key);
    require_signed(throw_away.home(), key.fingerprint, change.approval, content,
                   "the approval is not signed by the recovery key that comes with it, " +
                       group_fingerprint(key.fingerprint));
    if (!accepts(key.fingerprint))
        throw Error(ErrorKind::refused, "the change of the identity key is approved by " +
                                            group_fingerprint(key.fingerprint) +
                                            ", which is none of the keys that may approve it here");
    return key.fingerprint;
}

}  // namespace strongroom
