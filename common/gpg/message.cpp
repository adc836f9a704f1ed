#include "common/gpg/message.hpp"

#include <gpgme++/decryptionresult.h>
#include <gpgme++/verificationresult.h>
#include <gpgme.h>

#include <memory>

#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/engine.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::gpg {
namespace {

using GpgME::Context;

std::string grouped(const std::vector<std::string>& fingerprints) {
    std::string out;
    for (const auto& one : fingerprints) out += (out.empty() ? "" : " or ") + group_fingerprint(one);
    return out;
}

struct GoodSignature {
    std::string key;      // that made it: a primary key or a subkey
    std::string primary;  // one of the expected
};

// Exactly one signature, fully good, by one of the expected keys or a subkey of it (S1).
GoodSignature require_one_good_signature(const Home& home, const GpgME::VerificationResult& result,
                                         const std::vector<std::string>& expected) {
    if (result.numSignatures() == 0) throw Error(ErrorKind::crypto, "it is not signed");
    if (result.numSignatures() > 1) throw Error(ErrorKind::crypto, "it has more than one signature");
    const GpgME::Signature signature = result.signature(0);
    std::string signer = signature.fingerprint() != nullptr ? signature.fingerprint() : "";
    const GpgME::Error status = signature.status();
    if (status.code() == GPG_ERR_NO_PUBKEY)
        throw Error(ErrorKind::crypto, "it is signed by another key (" + group_fingerprint(signer) +
                                           ") than " + grouped(expected));
    if (status)
        throw Error(ErrorKind::crypto, std::string("its signature is not good: ") + status.asString());
    if (result.error())
        throw Error(ErrorKind::crypto, std::string("it cannot be verified: ") + result.error().asString());
    if (signature.isWrongKeyUsage() || (signature.summary() & GpgME::Signature::Red) != 0)
        throw Error(ErrorKind::crypto, "its signature is not valid");
    for (const auto& one : expected)
        if (signer == one) return {signer, one};
    for (const auto& one : expected)
        if (find_key(home, one).owns(signer)) return {signer, one};
    throw Error(ErrorKind::crypto,
                "it is signed by another key (" + group_fingerprint(signer) + ") than " + grouped(expected));
}

// "Bad passphrase" of gpg's "signing failed: Bad passphrase"; else how it ended.
std::string reason_of(const RunResult& result) {
    constexpr std::string_view before = "signing failed: ";
    const auto at = result.err.rfind(before);
    if (at == Bytes::npos) return result.status.describe();
    const auto start = at + before.size();
    return printable_line(result.err.substr(start, result.err.find('\n', start) - start), 200);
}

// GPGME 1.18 cannot ask for "sign, but do not compress", which a user's own gpg.conf would otherwise do; so
// signing runs gpg itself.
Bytes run_sign(const Home& home, const std::string& signer, BytesView payload, const char* mode) {
    if (!is_fingerprint(signer)) throw Error(ErrorKind::crypto, "no full fingerprint to sign with");
    std::vector<std::string> argv{engine_path().string(), "--batch", "--no-tty", "--quiet",
                                  "--status-fd",          "2"};
    if (!home.path().empty()) argv.insert(argv.end(), {"--homedir", home.path().string()});
    argv.insert(argv.end(),
                {"-z", "0", "--no-armor", "--no-auto-check-trustdb", "--local-user", signer, mode});
    const auto result = run_program({.argv = argv, .fds = {}, .environment = {}, .directory = {}}, payload,
                                    time_limit(), payload.size() + (1U << 20U));
    if (!result.status.ok() || result.err.find("[GNUPG:] SIG_CREATED ") == Bytes::npos ||
        result.out.empty()) {
        const bool cancelled = result.err.find("Operation cancelled") != Bytes::npos;
        throw Error(
            cancelled ? ErrorKind::interrupted : ErrorKind::crypto,
            "cannot sign with the key " + group_fingerprint(signer) + ": " + reason_of(result),
            "Its secret key must be in the GnuPG home, and be unlocked: try gpg --sign -u " + signer +
                ". On a terminal, gpg asks for the passphrase if GPG_TTY is set: export GPG_TTY=$(tty)");
    }
    return result.out;
}

Bytes finish(CappedSink& sink, const GpgME::Error& error, const std::string& what) {
    if (sink.overflowed()) throw Error(ErrorKind::crypto, what + ": the result is over its size limit");
    check(error, what);
    return sink.take();
}

// GPGME does not look at gpg's exit status, and calls what a killed gpg had written a success.
void require_whole(BytesView message) {
    try {
        require_sealed_shape(message);
    } catch (const Error& error) {
        throw Error(ErrorKind::crypto, "gpg did not encrypt to the end: " + error.text());
    }
}

// GpgME++ 1.18 declares EncryptWrap but does not pass it on, so this one operation uses GPGME's C interface.
Bytes encrypt_to(const Home& home, const std::vector<std::string>& recipients, BytesView payload,
                 unsigned extra, const char* suffix = "") {
    if (recipients.empty()) throw Error(ErrorKind::crypto, "no recipient to encrypt to");
    std::string recipient_lines = "--\n";
    for (const auto& fingerprint : recipients) {
        if (!is_fingerprint(fingerprint))
            throw Error(ErrorKind::crypto, "a recipient is not named by a full fingerprint");
        recipient_lines += fingerprint + suffix + "\n";
    }

    require_engine();
    const auto need = [](gpgme_error_t error) { check(GpgME::Error(error), "cannot encrypt"); };
    gpgme_ctx_t raw_context = nullptr;
    need(gpgme_new(&raw_context));
    const std::unique_ptr<gpgme_context, decltype(&gpgme_release)> context(raw_context, gpgme_release);
    if (!home.path().empty())
        need(gpgme_ctx_set_engine_info(raw_context, GPGME_PROTOCOL_OpenPGP, engine_path().c_str(),
                                       home.path().c_str()));
    gpgme_data_t raw_in = nullptr;
    need(gpgme_data_new_from_mem(&raw_in, payload.data(), payload.size(), 0));
    const std::unique_ptr<gpgme_data, decltype(&gpgme_data_release)> in(raw_in, gpgme_data_release);
    gpgme_data_t raw_out = nullptr;
    need(gpgme_data_new(&raw_out));
    std::unique_ptr<gpgme_data, decltype(&gpgme_data_release)> out(raw_out, gpgme_data_release);

    const auto flags =
        static_cast<gpgme_encrypt_flags_t>(GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_COMPRESS | extra);
    const gpgme_error_t failed =
        limited([&] { gpgme_cancel_async(raw_context); },
                [&] {
                    return gpgme_op_encrypt_ext(raw_context, nullptr, recipient_lines.c_str(), flags, raw_in,
                                                raw_out);
                });
    const auto* result = gpgme_op_encrypt_result(raw_context);
    const gpgme_invalid_key_t invalid = result != nullptr ? result->invalid_recipients : nullptr;
    if (invalid != nullptr)
        throw Error(ErrorKind::crypto,
                    std::string("cannot encrypt to the key ") +
                        (invalid->fpr != nullptr ? invalid->fpr : "?") + ": " +
                        gpgme_strerror(invalid->reason),
                    "It is missing from the GnuPG home, expired, revoked, or has no encryption subkey.");
    need(failed);
    std::size_t size = 0;
    char* memory = gpgme_data_release_and_get_mem(out.release(), &size);
    const std::unique_ptr<char, decltype(&gpgme_free)> owned(memory, [](void* p) { gpgme_free(p); });
    if (memory == nullptr || size <= payload.size()) {
        require_engine();  // it may have gone missing only now
        throw Error(ErrorKind::crypto, "gpg encrypted nothing");
    }
    Bytes message(memory, size);
    require_whole(message);
    return message;
}

}  // namespace

Bytes sign(const Home& home, const std::string& signer, BytesView payload) {
    return run_sign(home, signer, payload, "--sign");
}

Bytes sign_detached(const Home& home, const std::string& signer, BytesView payload) {
    return run_sign(home, signer, payload, "--detach-sign");
}

namespace {

struct Opened {
    Bytes payload;
    GoodSignature signature;
};

Opened open_signed(const Home& home, const std::vector<std::string>& expected, BytesView signed_message,
                   std::size_t max_payload) {
    const Bytes framed = signed_message_payload(signed_message);
    if (framed.size() > max_payload) throw Error(ErrorKind::crypto, "the message is over its size limit");
    return with_context(home, [&](Context& context) {
        CappedSink sink(max_payload);
        GpgME::Data out(&sink);
        const auto result = context.verifyOpaqueSignature(input_data(signed_message), out);
        GoodSignature signature = require_one_good_signature(home, result, expected);
        Bytes payload = finish(sink, result.error(), "cannot verify the message");
        if (payload != framed)
            throw Error(ErrorKind::crypto, "the message's framing and gpg's reading of it differ");
        return Opened{std::move(payload), std::move(signature)};
    });
}

GoodSignature check_detached(const Home& home, const std::vector<std::string>& expected, BytesView signature,
                             BytesView payload) {
    return with_context(home, [&](Context& context) {
        const auto result = context.verifyDetachedSignature(input_data(signature), input_data(payload));
        return require_one_good_signature(home, result, expected);
    });
}

}  // namespace

Verified verify(const Home& home, const std::string& expected_signer, BytesView signed_message,
                std::size_t max_payload) {
    auto opened = open_signed(home, {expected_signer}, signed_message, max_payload);
    return {std::move(opened.payload), std::move(opened.signature.key)};
}

Verified verify_detached(const Home& home, const std::string& expected_signer, BytesView signature,
                         BytesView payload) {
    return {{}, check_detached(home, {expected_signer}, signature, payload).key};
}

VerifiedBy verify_by_one_of(const Home& home, const std::vector<std::string>& expected_signers,
                            BytesView signed_message, std::size_t max_payload) {
    auto opened = open_signed(home, expected_signers, signed_message, max_payload);
    return {std::move(opened.payload), std::move(opened.signature.primary)};
}

VerifiedBy verify_detached_by_one_of(const Home& home, const std::vector<std::string>& expected_signers,
                                     BytesView signature, BytesView payload) {
    return {{}, check_detached(home, expected_signers, signature, payload).primary};
}

Bytes read_unverified(BytesView signed_message, std::size_t max_payload) {
    Bytes payload = signed_message_payload(signed_message);
    if (payload.size() > max_payload) throw Error(ErrorKind::crypto, "the message is over its size limit");
    return payload;
}

Bytes encrypt_signed(const Home& home, const std::vector<std::string>& recipients, BytesView signed_message) {
    return encrypt_to(home, recipients, signed_message, GPGME_ENCRYPT_WRAP);
}

Bytes decrypt_signed(const Home& home, BytesView message, std::size_t max_output) {
    require_sealed_shape(message);
    return with_context(home, [&](Context& context) {
        CappedSink sink(max_output);
        GpgME::Data out(&sink);
        const auto result = context.decrypt(input_data(message), out, Context::DecryptUnwrap);
        if (result.isLegacyCipherNoMDC())
            throw Error(ErrorKind::crypto, "the message has no integrity protection");
        return finish(sink, result.error(), "cannot decrypt the message");
    });
}

Bytes encrypt(const Home& home, const std::vector<std::string>& recipients, BytesView payload) {
    return encrypt_to(home, recipients, payload, 0);
}

Bytes encrypt_to_subkey(const Home& home, const std::string& subkey, BytesView payload) {
    Bytes message = encrypt_to(home, {subkey}, payload, 0, "!");  // "!": gpg takes this very subkey
    if (recipient_key_ids(message) != std::vector{key_id_of(subkey)})
        throw Error(ErrorKind::crypto, "gpg encrypted to another key than the subkey " + subkey);
    return message;
}

Secret decrypt(const Home& home, BytesView message, std::size_t max_output) {
    return with_context(home, [&](Context& context) {
        CappedSink sink(max_output);
        GpgME::Data out(&sink);
        const auto result = context.decrypt(input_data(message), out);
        if (result.isLegacyCipherNoMDC())
            throw Error(ErrorKind::crypto, "the data has no integrity protection");
        return Secret(finish(sink, result.error(), "cannot decrypt"));
    });
}

}  // namespace strongroom::gpg
