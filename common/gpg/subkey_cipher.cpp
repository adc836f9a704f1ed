#include "common/gpg/subkey_cipher.hpp"

#include <algorithm>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/gpg_child.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::gpg {
namespace {

MemFile memory_of(BytesView bytes, const char* name) {
    MemFile out(name, bytes.size());
    std::ranges::copy(bytes, out.data());
    return out;
}

}  // namespace

SubkeyCipher::SubkeyCipher(const Home& home) : home_(home), program_(engine_path().string()) {}

Bytes SubkeyCipher::encrypt(const std::string& subkey, const Secret& payload) const {
    if (!is_fingerprint(subkey))
        throw Error(ErrorKind::crypto, "a recipient is not named by a full fingerprint");
    MemFile out("encrypted");
    const ChildOutcome outcome =
        run_gpg(program_, home_,
                {"--no-auto-check-trustdb", "--no-encrypt-to", "--compress-algo", "none", "--cipher-algo",
                 "AES256", "--recipient", subkey + "!", "--output", "-", "--encrypt"},
                memory_of(payload.reveal(), "plain"), out);
    if (!outcome.status.ok() || !outcome.says("END_ENCRYPTION"))
        throw Error(ErrorKind::crypto, "gpg did not encrypt to " + subkey + ": " + outcome.reason());
    Bytes message(out.view());
    if (recipient_key_ids(message) != std::vector{key_id_of(subkey)})
        throw Error(ErrorKind::crypto, "gpg encrypted to another key than the subkey " + subkey);
    return message;
}

Secret SubkeyCipher::decrypt(BytesView message, std::size_t max_output) const {
    require_sealed_shape(message);
    MemFile out("decrypted");
    const ChildOutcome outcome =
        run_gpg(program_, home_, {"--max-output", std::to_string(max_output), "--output", "-", "--decrypt"},
                memory_of(message, "encrypted"), out);
    if (!outcome.status.ok() || !outcome.says("DECRYPTION_OKAY") || !outcome.says("GOODMDC"))
        throw Error(ErrorKind::crypto, "gpg did not decrypt: " + outcome.reason());
    if (out.size() > max_output)
        throw Error(ErrorKind::crypto, "gpg wrote more than " + std::to_string(max_output) + " bytes");
    return Secret(std::string(out.view()));
}

}  // namespace strongroom::gpg
