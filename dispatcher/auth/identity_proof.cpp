#include "dispatcher/auth/identity_proof.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::dispatcher {

IdentityProof prove_identity_change(const Server& server, const proto::IdentityChangeNews& news) {
    const IdentityChange change{from_base64(news.current), from_base64(news.next),
                                news.approval ? from_base64(*news.approval) : Bytes(),
                                news.approver_key.value_or("")};
    IdentityProof out{claim_of(change), server.public_key, {}, false};
    if (out.content.server != server.uuid)
        throw Error(ErrorKind::refused, "the identity change is of another server, " + out.content.server);
    if (news.approval && out.content.next == server.identity) {
        out.repeated = true;
        return out;
    }
    if (out.content.current != server.identity)
        throw Error(ErrorKind::refused,
                    "the identity change goes on from " + group_fingerprint(out.content.current) +
                        "; this server's key here is " + group_fingerprint(server.identity));
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    gpg::import_public_key(home.home(), server.public_key, server.identity);
    verify_keys(change, home.home());
    if (!news.approval) return out;
    out.approver = verify_approval(change, [&](const std::string& fingerprint) {
        return std::ranges::find(server.recovery, fingerprint) != server.recovery.end();
    });
    return out;
}

}  // namespace strongroom::dispatcher
