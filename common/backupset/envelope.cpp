#include "common/backupset/envelope.hpp"

#include "common/base/error.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t max_passphrase = 1024;

Secret line_of(const Secret& passphrase) {
    std::string text(passphrase.reveal());
    text += '\n';
    return Secret(std::move(text));
}

Secret passphrase_in(const Secret& content) {
    std::string_view line = content.reveal();
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.empty() || line.find('\n') != std::string_view::npos)
        throw Error(ErrorKind::corrupt, "it does not hold one passphrase line");
    return Secret(std::string(line));
}

}  // namespace

Bytes make_envelope(const gpg::Home& home, const std::string& recipient, const Secret& passphrase) {
    return gpg::encrypt_to_subkey(home, recipient, line_of(passphrase).reveal());
}

Secret open_envelope(const gpg::Home& home, BytesView envelope) {
    return passphrase_in(gpg::decrypt(home, envelope, max_passphrase));
}

Bytes make_envelope(const gpg::SubkeyCipher& cipher, const std::string& recipient, const Secret& passphrase) {
    return cipher.encrypt(recipient, line_of(passphrase));
}

Secret open_envelope(const gpg::SubkeyCipher& cipher, BytesView envelope) {
    return passphrase_in(cipher.decrypt(envelope, max_passphrase));
}

}  // namespace strongroom::backupset
