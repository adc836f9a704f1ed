#include "dispatcher/auth/kept_reply.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::string_view purpose = "strongroom kept reply 1";

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

void require(int done) {
    if (done != 1) throw Error(ErrorKind::internal, "OpenSSL's AES-256-GCM failed");
}

}  // namespace

ReplyKey::ReplyKey(std::string_view credential) : key_(key_size, '\0') {
    unsigned size = 0;
    if (HMAC(EVP_sha256(), credential.data(), static_cast<int>(credential.size()), raw(purpose),
             purpose.size(), raw(key_), &size) == nullptr ||
        size != key_size)
        throw Error(ErrorKind::internal, "OpenSSL's HMAC failed");
}

// nonce, tag, cipher text
Bytes ReplyKey::encrypt(std::string_view digest, BytesView reply) const {
    if (key_.empty()) throw Error(ErrorKind::internal, "a reply key was not made");
    const Bytes nonce = random_bytes(nonce_size);
    const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::string tag(tag_size, '\0');
    std::string text(reply.size(), '\0');
    int written = 0;
    require(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(key_), raw(nonce)));
    require(
        EVP_EncryptUpdate(context.get(), nullptr, &written, raw(digest), static_cast<int>(digest.size())));
    require(
        EVP_EncryptUpdate(context.get(), raw(text), &written, raw(reply), static_cast<int>(reply.size())));
    require(EVP_EncryptFinal_ex(context.get(), nullptr, &written));
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, tag.data()));
    return nonce + tag + text;
}

Bytes ReplyKey::decrypt(std::string_view digest, BytesView kept) const {
    if (key_.empty()) throw Error(ErrorKind::internal, "a reply key was not made");
    const Error broken(ErrorKind::corrupt, "the kept reply to a repeated message cannot be opened");
    if (kept.size() < nonce_size + tag_size) throw Error(broken);
    const BytesView nonce = kept.substr(0, nonce_size);
    std::string tag(kept.substr(nonce_size, tag_size));
    const BytesView text = kept.substr(nonce_size + tag_size);
    const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::string reply(text.size(), '\0');
    int written = 0;
    require(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(key_), raw(nonce)));
    require(
        EVP_DecryptUpdate(context.get(), nullptr, &written, raw(digest), static_cast<int>(digest.size())));
    require(EVP_DecryptUpdate(context.get(), raw(reply), &written, raw(text), static_cast<int>(text.size())));
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()));
    if (EVP_DecryptFinal_ex(context.get(), nullptr, &written) != 1) throw Error(broken);
    return reply;
}

}  // namespace strongroom::dispatcher
