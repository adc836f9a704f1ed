#include "dispatcher/auth/authenticator.hpp"

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"
#include "proto/messages.hpp"

namespace strongroom::dispatcher {
namespace fs = std::filesystem;
namespace {

// SHA-256 of the armored key that a peer's home was last given: rotation adds subkeys to an agent's key.
constexpr const char* imported_note = "imported.sha256";

}  // namespace

Authenticator::Authenticator(proto::Party me, fs::path peers, const Clock& clock)
    : me_(std::move(me)), newest_(me_.fingerprint), peers_(std::move(peers)), clock_(clock) {
    make_private_dir(peers_);
}

void Authenticator::set_keys(const OwnKeys& keys) {
    const std::lock_guard lock(keys_);
    me_.fingerprint = keys.current;
    me_.others = keys.others();
    newest_ = keys.newest();
}

proto::Party Authenticator::me() const {
    const std::lock_guard lock(keys_);
    return me_;
}

std::string Authenticator::newest_key() const {
    const std::lock_guard lock(keys_);
    return newest_;
}

proto::Message Authenticator::from_me(const proto::Message& reply, const proto::Message& request) const {
    proto::Header header = reply.header;
    header.from = me().fingerprint;
    if (request.header.key) header.key = newest_key();
    if (header.from == reply.header.from && header.key == reply.header.key) return reply;
    return proto::encode(std::move(header), reply.body);
}

Authenticated Authenticator::open(const Admission& admission, BytesView sealed) const {
    const proto::Party own = me();
    if (admission.role == Role::registrant) return open_registration(sealed, own);
    const std::string& key = admission.user ? admission.user->public_key : admission.server->public_key;
    proto::Party peer = party(admission.fingerprint(), key);
    proto::Message message = proto::open(sealed, own, peer, clock_);
    std::optional<gpg::Key> changed;
    if (admission.server && message.header.type == proto::EscrowDeposit::type)
        changed = changed_key(*admission.server, message.body);
    return {std::move(message), std::move(peer), std::move(changed), nullptr, false};
}

Authenticated Authenticator::open_former(const ServerIdentityChange& last, BytesView sealed) const {
    proto::Party peer = party(last.current_key, last.former_key);
    proto::Message message = proto::open(sealed, me(), peer, clock_);
    return {std::move(message), std::move(peer), std::nullopt, nullptr, true};
}

// Its own key as it is after a rotation. Looked at here, before the store's transaction.
std::optional<gpg::Key> Authenticator::changed_key(const Server& server, const Json& body) {
    const auto deposit = from_json<proto::EscrowDeposit>(body);
    if (!deposit.public_key) return std::nullopt;
    return gpg::inspect_public_key(*deposit.public_key, server.identity);
}

Authenticated Authenticator::open_registration(BytesView sealed, const proto::Party& me) const {
    const proto::Unverified unverified = proto::open_unverified(sealed, me);
    if (unverified.claimed.header.type != proto::Register::type)
        throw Error(ErrorKind::unauthenticated, "a registration code allows only a registration");
    const auto claim = from_json<proto::Register>(unverified.claimed.body);
    auto throw_away = std::make_unique<gpg::TempHome>(gpg::HomeFor::public_keys);
    gpg::Key key =
        gpg::import_into_empty(throw_away->home(), claim.public_key, unverified.claimed.header.from);
    if (key.user_id != claim.server + "@" + claim.domain)
        throw Error(ErrorKind::unauthenticated, "the key's user id is \"" + printable_line(key.user_id, 100) +
                                                    "\", not the server's UUID@domain");
    proto::Party peer{throw_away->home(), key.fingerprint};
    proto::Message message = proto::verify(unverified, me, peer, clock_);
    return {std::move(message), std::move(peer), std::move(key), std::move(throw_away), false};
}

Bytes Authenticator::seal(const proto::Message& reply, const proto::Party& peer) const {
    return proto::seal(reply, me(), peer);
}

proto::Party Authenticator::party(const std::string& fingerprint, const std::string& public_key) const {
    const fs::path folder = peers_ / fingerprint;
    const std::string digest = sha256_hex(public_key);
    const std::lock_guard lock(making_);
    if (const auto known = imported_.find(fingerprint); known != imported_.end() && known->second == digest)
        return {gpg::Home::use(folder), fingerprint};
    if (fs::exists(folder)) {
        const fs::path note = folder / imported_note;
        if (!fs::exists(note) || read_file(note, 100) != digest) {  // rotated, or made by an older version
            gpg::import_public_key(gpg::Home::use(folder), public_key, fingerprint);
            write_file_atomic(note, digest);
        }
        imported_[fingerprint] = digest;
        return {gpg::Home::use(folder), fingerprint};
    }
    // Complete or missing: made under another name, then renamed.
    TempDir making(peers_, ".m");
    const fs::path home = making.path() / "h";
    gpg::import_public_key(gpg::Home::create(home, gpg::HomeFor::public_keys), public_key, fingerprint);
    write_file_atomic(home / imported_note, digest);
    fs::rename(home, folder);
    sync_dir(peers_);
    imported_[fingerprint] = digest;
    return {gpg::Home::use(folder), fingerprint};
}

}  // namespace strongroom::dispatcher
