#include "common/base/encoding.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "common/base/error.hpp"

namespace strongroom {

std::string to_hex(BytesView bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 0x0FU];
    }
    return out;
}

std::string to_base64(BytesView bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int written =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(written));
    return out;
}

Bytes from_base64(std::string_view text) {
    Bytes out(text.size() / 4 * 3 + 3, '\0');
    const int written =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (written >= 0 && text.size() % 4 == 0) {
        auto size = static_cast<std::size_t>(written);
        if (!text.empty() && text.back() == '=') --size;
        if (text.size() > 1 && text[text.size() - 2] == '=') --size;
        out.resize(size);
        if (to_base64(out) == text) return out;
    }
    throw Error(ErrorKind::protocol, "not canonical base64");
}

namespace {

void require_sha256(int done) {
    if (done != 1) throw Error(ErrorKind::internal, "SHA-256 failed");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    require_sha256(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::add(BytesView piece) {
    require_sha256(EVP_DigestUpdate(context_.get(), piece.data(), piece.size()));
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    require_sha256(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string sha256_hex(BytesView bytes) {
    Sha256 digest;
    digest.add(bytes);
    return digest.hex();
}

bool equal_constant_time(BytesView a, BytesView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace strongroom
