#include "common/gpg/keys.hpp"

#include <gpgme++/importresult.h>
#include <gpgme++/key.h>
#include <gpgme++/keygenerationresult.h>
#include <gpgme++/keylistresult.h>
#include <gpgme.h>

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/engine.hpp"
#include "common/gpg/key_shape.hpp"

namespace strongroom::gpg {
namespace {

std::string text(const char* value) {
    return value != nullptr ? value : "";
}

Key to_key(const GpgME::Key& key) {
    Key out;
    out.fingerprint = text(key.primaryFingerprint());
    if (out.fingerprint.empty() && key.numSubkeys() > 0) out.fingerprint = text(key.subkey(0).fingerprint());
    out.user_id = text(key.userID(0).id());
    out.usable = !key.isBad();
    for (const auto& subkey : key.subkeys()) {
        Subkey entry;
        entry.fingerprint = text(subkey.fingerprint());
        entry.can_sign = subkey.canSign();
        entry.can_encrypt = subkey.canEncrypt();
        entry.usable = !subkey.isBad();
        entry.secret = subkey.isSecret();
        if (!subkey.neverExpires()) entry.expires = UtcTime(std::chrono::seconds(subkey.expirationTime()));
        out.subkeys.push_back(entry);
    }
    if (!out.subkeys.empty()) out.algorithm = key.subkey(0).algoName();
    return out;
}

GpgME::Key get(GpgME::Context& context, const std::string& fingerprint, bool secret) {
    if (!is_fingerprint(fingerprint))
        throw Error(ErrorKind::crypto, "not a full fingerprint: " + printable_line(fingerprint));
    GpgME::Error error;
    const GpgME::Key key = context.key(fingerprint.c_str(), error, secret);
    if (error || key.isNull())
        throw Error(ErrorKind::crypto,
                    std::string("the ") + (secret ? "secret" : "public") + " key " +
                        group_fingerprint(fingerprint) + " is not in this GnuPG home",
                    "See `gpg --list-" + std::string(secret ? "secret-" : "") +
                        "keys`, and check which home is used.");
    return key;
}

void require_one_good_key(const GpgME::ImportResult& result, const std::vector<Key>& keys) {
    if (result.error())
        throw Error(ErrorKind::crypto, std::string("the key cannot be read: ") + result.error().asString());
    if (result.numSecretKeysConsidered() > 0)
        throw Error(ErrorKind::crypto, "the file holds secret key material",
                    "Export the public key only: gpg --armor --export FINGERPRINT");
    if (result.numConsidered() != 1 || keys.size() != 1)
        throw Error(
            ErrorKind::crypto,
            "the file must hold exactly one public key, and holds " + std::to_string(result.numConsidered()),
            "Export a single key by its full fingerprint: gpg --armor --export FINGERPRINT");
    if (!keys.front().usable) throw Error(ErrorKind::crypto, "the key is expired, revoked or invalid");
    if (keys.front().encryption_subkey() == nullptr)
        throw Error(ErrorKind::crypto, "the key has no usable encryption subkey");
}

}  // namespace

bool Key::owns(const std::string& wanted) const {
    return std::ranges::any_of(subkeys, [&](const Subkey& subkey) { return subkey.fingerprint == wanted; });
}

const Subkey* Key::encryption_subkey() const {
    // gpg lists subkeys in the order they were made; it encrypts to the newest usable one, and so do we.
    for (auto subkey = subkeys.rbegin(); subkey != subkeys.rend(); ++subkey)
        if (subkey->can_encrypt && subkey->usable) return &*subkey;
    return nullptr;
}

std::string generate_key(const Home& home, const std::string& user_id, const std::string& algorithm) {
    const bool curve = algorithm == "ed25519";
    if (!curve && algorithm != "rsa3072" && algorithm != "rsa4096")
        throw Error(ErrorKind::config, "unknown key algorithm " + algorithm, "Choose rsa3072 or ed25519.");
    // FORCE: also under a user id that another key of this home has.
    constexpr unsigned common = GPGME_CREATE_NOPASSWD | GPGME_CREATE_NOEXPIRE | GPGME_CREATE_FORCE;
    const auto fingerprint = with_context(home, [&](GpgME::Context& context) {
        const auto made = context.createKeyEx(user_id.c_str(), algorithm.c_str(), 0, 0, GpgME::Key(),
                                              common | GPGME_CREATE_SIGN | GPGME_CREATE_CERT);
        check(made.error(), "cannot make the key " + user_id);
        return text(made.fingerprint());
    });
    with_context(home, [&](GpgME::Context& context) {
        const auto failed =
            context.createSubkey(get(context, fingerprint, true), curve ? "cv25519" : algorithm.c_str(), 0, 0,
                                 common | GPGME_CREATE_ENCR);
        check(failed, "cannot make the decryption subkey of " + user_id);
        return failed;
    });
    return find_key(home, fingerprint, true).fingerprint;
}

std::string add_encryption_subkey(const Home& home, const std::string& fingerprint,
                                  const std::string& algorithm) {
    const Key before = find_key(home, fingerprint, true);
    std::string kind = algorithm;
    if (kind == "same") kind = before.algorithm == "ed25519" ? "cv25519" : before.algorithm;
    if (kind != "cv25519" && kind != "rsa3072" && kind != "rsa4096")
        throw Error(ErrorKind::config, "unknown key algorithm " + kind, "Choose cv25519 or rsa3072.");
    with_context(home, [&](GpgME::Context& context) {
        const auto failed =
            context.createSubkey(get(context, fingerprint, true), kind.c_str(), 0, 0,
                                 GPGME_CREATE_NOPASSWD | GPGME_CREATE_NOEXPIRE | GPGME_CREATE_ENCR);
        check(failed, "cannot make a new decryption subkey");
        return failed;
    });
    for (const auto& subkey : find_key(home, fingerprint, true).subkeys)
        if (!before.owns(subkey.fingerprint) && subkey.can_encrypt && subkey.secret)
            return subkey.fingerprint;
    throw Error(ErrorKind::crypto, "gpg made no new decryption subkey");
}

void expire_subkey(const Home& home, const std::string& fingerprint, const std::string& subkey) {
    const bool found = with_context(home, [&](GpgME::Context& context) {
        const GpgME::Key key = get(context, fingerprint, true);
        for (const auto& one : key.subkeys()) {
            if (text(one.fingerprint()) != subkey) continue;
            if (!one.isExpired())
                check(context.setExpire(key, 1, {one}), "cannot let the subkey " + subkey + " expire");
            return true;
        }
        return false;
    });
    if (found) return;
    throw Error(ErrorKind::crypto, "the key has no subkey " + subkey);
}

void delete_key(const Home& home, const std::string& fingerprint) {
    if (!is_fingerprint(fingerprint)) throw Error(ErrorKind::crypto, "no full fingerprint to delete");
    // GPGME's own call asks a person, through pinentry.
    const auto result =
        run_program({.argv = {engine_path().string(), "--homedir", home.path().string(), "--batch",
                              "--no-tty", "--yes", "--quiet", "--delete-secret-and-public-key", fingerprint},
                     .fds = {},
                     .environment = {},
                     .directory = {}},
                    {}, time_limit(), 1U << 20U);
    if (!result.status.ok())
        throw Error(ErrorKind::crypto,
                    "cannot delete the key " + fingerprint + ": " + printable_line(result.err, 200));
}

Key find_key(const Home& home, const std::string& fingerprint, bool secret) {
    const Key key = with_context(
        home, [&](GpgME::Context& context) { return to_key(get(context, fingerprint, secret)); });
    if (key.fingerprint != fingerprint)
        throw Error(ErrorKind::crypto, group_fingerprint(fingerprint) + " is a subkey, not a primary key",
                    "Give the primary key's fingerprint: " + key.fingerprint);
    return key;
}

std::vector<Key> list_keys(const Home& home, bool secret) {
    return with_context(home, [&](GpgME::Context& context) {
        check(context.startKeyListing("", secret), "cannot list keys");
        std::vector<Key> out;
        for (;;) {
            GpgME::Error error;
            const GpgME::Key key = context.nextKey(error);
            if (error.code() == GPG_ERR_EOF) break;
            check(error, "cannot list keys");
            out.push_back(to_key(key));
        }
        check(context.endKeyListing().error(), "cannot list keys");
        if (out.empty()) require_engine();
        return out;
    });
}

std::string export_public(const Home& home, const std::string& fingerprint) {
    return with_context(home, [&](GpgME::Context& context) {
        get(context, fingerprint, false);
        context.setArmor(true);
        GpgME::Data out;
        check(context.exportPublicKeys(fingerprint.c_str(), out, GpgME::Context::ExportMinimal),
              "cannot export the key " + fingerprint);
        std::string key = out.toString();
        if (key.empty()) throw Error(ErrorKind::crypto, "gpg exported nothing for the key " + fingerprint);
        return key;
    });
}

namespace {

template <class Export>
Secret exported(GpgME::Context& context, const std::string& what, const Export& work) {
    CappedSink sink(max_public_key);
    GpgME::Data out(&sink);
    check(work(context, out), "cannot export the " + what);
    Secret key(sink.take());
    if (key.empty()) throw Error(ErrorKind::crypto, "gpg exported nothing for the " + what);
    return key;
}

}  // namespace

Secret export_secret_subkey(const Home& home, const std::string& subkey_fingerprint) {
    return with_context(home, [&](GpgME::Context& context) {
        get(context, subkey_fingerprint, true);
        const std::string exactly_this = subkey_fingerprint + "!";
        return exported(context, "decryption subkey " + subkey_fingerprint,
                        [&](GpgME::Context& with, GpgME::Data& out) {
                            return with.exportSecretSubkeys(exactly_this.c_str(), out);
                        });
    });
}

Secret export_secret_key(const Home& home, const std::string& fingerprint) {
    return with_context(home, [&](GpgME::Context& context) {
        get(context, fingerprint, true);
        context.setArmor(true);
        return exported(context, "secret key " + fingerprint, [&](GpgME::Context& with, GpgME::Data& out) {
            return with.exportSecretKeys(fingerprint.c_str(), out);
        });
    });
}

namespace {

void require_size(BytesView key) {
    if (key.empty()) throw Error(ErrorKind::crypto, "the key is empty");
    if (key.size() > max_public_key)
        throw Error(ErrorKind::crypto,
                    "the key is longer than the limit of " + std::to_string(max_public_key) + " bytes",
                    "Export it without foreign signatures: gpg --armor --export-options export-minimal "
                    "--export FINGERPRINT");
}

GpgME::ImportResult import_into(const Home& home, BytesView packets) {
    return with_context(home,
                        [&](GpgME::Context& context) { return context.importKeys(input_data(packets)); });
}

}  // namespace

Key import_into_empty(const Home& home, BytesView key,
                      const std::optional<std::string>& expected_fingerprint) {
    require_size(key);
    const auto result = import_into(home, require_public_key_shape(key));
    const auto keys = list_keys(home);
    require_one_good_key(result, keys);
    const Key& found = keys.front();
    if (expected_fingerprint && found.fingerprint != *expected_fingerprint)
        throw Error(ErrorKind::crypto,
                    "the key has the fingerprint " + group_fingerprint(found.fingerprint) +
                        ", expected was " + group_fingerprint(*expected_fingerprint),
                    "Make sure that this is the right key before you go on.");
    return found;
}

Key inspect_public_key(BytesView key, const std::optional<std::string>& expected_fingerprint) {
    const TempHome scratch(HomeFor::public_keys);
    return import_into_empty(scratch.home(), key, expected_fingerprint);
}

Key import_public_key(const Home& home, BytesView key,
                      const std::optional<std::string>& expected_fingerprint) {
    const Key found = inspect_public_key(key, expected_fingerprint);
    const auto result = import_into(home, require_public_key_shape(key));
    check(result.error(), "cannot import the key " + found.fingerprint);
    return find_key(home, found.fingerprint);
}

std::string import_secret_key(const Home& home, const Secret& key) {
    const auto result = with_context(
        home, [&](GpgME::Context& context) { return context.importKeys(input_data(key.reveal())); });
    check(result.error(), "cannot import the secret key");
    if (result.numConsidered() != 1 || result.numSecretKeysConsidered() < 1 ||
        result.numSecretKeysImported() + result.numSecretKeysUnchanged() < 1)
        throw Error(ErrorKind::crypto, "the file does not hold exactly one secret key");
    return text(result.import(0).fingerprint());
}

}  // namespace strongroom::gpg
