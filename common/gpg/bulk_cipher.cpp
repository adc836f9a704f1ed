#include "common/gpg/bulk_cipher.hpp"

#include <utility>
#include <vector>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/unique_fd.hpp"
#include "common/gpg/gpg_child.hpp"

namespace strongroom::gpg {
namespace {

// The whole line fits into the pipe's buffer, so no thread is needed, and the bytes are gone once read.
UniqueFd passphrase_pipe(const Secret& passphrase) {
    Pipe pipe = make_pipe();
    const std::string_view text = passphrase.reveal();
    if (text.empty() || text.size() > 1024 || text.find('\n') != std::string_view::npos)
        throw Error(ErrorKind::crypto, "the data passphrase is not one line of text");
    write_all(pipe.write.get(), text.data(), text.size(), ErrorKind::internal, "cannot pass a passphrase");
    write_all(pipe.write.get(), "\n", 1, ErrorKind::internal, "cannot pass a passphrase");
    return std::move(pipe.read);
}

// No key ring or agent takes part: the result depends on these arguments alone.
ChildOutcome run_bulk(const std::string& program, const Home& home, std::vector<std::string> command,
                      const MemFile& in, const Secret& passphrase, MemFile& out) {
    command.insert(command.begin(),
                   {"--no-keyring", "--no-autostart", "--pinentry-mode", "loopback", "--passphrase-fd", "4"});
    return run_gpg(program, home, command, in, out, passphrase_pipe(passphrase));
}

}  // namespace

Secret make_data_passphrase() {
    std::string raw = random_bytes(32);
    Secret out(to_base64(raw));
    Secret::wipe(raw);
    return out;
}

BulkCipher::BulkCipher(const Home& home, std::string gpg_program)
    : home_(home), program_(gpg_program.empty() ? engine_path().string() : std::move(gpg_program)) {}

void BulkCipher::encrypt(const MemFile& plain, const Secret& passphrase, MemFile& out) const {
    empty_unless_done(out, [&] {
        const ChildOutcome outcome =
            run_bulk(program_, home_,
                     {"--s2k-mode", "3", "--s2k-count", "65536", "--s2k-digest-algo", "SHA256",
                      "--cipher-algo", "AES256", "-z", "0", "--output", "-", "--symmetric"},
                     plain, passphrase, out);
        if (!outcome.status.ok() || !outcome.says("END_ENCRYPTION") || out.size() <= plain.size())
            throw Error(ErrorKind::crypto, "gpg did not encrypt: " + outcome.reason());
    });
}

void BulkCipher::decrypt(const MemFile& stored, const Secret& passphrase, std::size_t max_output,
                         MemFile& out) const {
    empty_unless_done(out, [&] {
        const ChildOutcome outcome = run_bulk(
            program_, home_, {"--max-output", std::to_string(max_output), "--output", "-", "--decrypt"},
            stored, passphrase, out);
        // DECRYPTION_OKAY alone is also said of output that was cut by --max-output; only all three are
        // success.
        if (!outcome.status.ok() || !outcome.says("DECRYPTION_OKAY") || !outcome.says("GOODMDC"))
            throw Error(ErrorKind::crypto, "gpg did not decrypt: " + outcome.reason());
        if (out.size() > max_output)
            throw Error(ErrorKind::crypto, "gpg wrote more than " + std::to_string(max_output) + " bytes");
    });
}

}  // namespace strongroom::gpg
