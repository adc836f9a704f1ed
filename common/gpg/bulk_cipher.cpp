#include "common/gpg/bulk_cipher.hpp"

#include <chrono>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom::gpg {
namespace {

// A segment takes well under a second; this only ends a gpg that hangs.
constexpr std::chrono::minutes child_limit{10};

struct Outcome {
    ExitStatus status;
    std::string status_lines;
    std::string last_error;  // last line of stderr

    // gpg's own report: "[GNUPG:] WORD ...".
    bool says(std::string_view word) const {
        const std::string line = "[GNUPG:] " + std::string(word);
        for (std::size_t at = 0; (at = status_lines.find(line, at)) != std::string::npos; at += line.size()) {
            const bool starts = at == 0 || status_lines[at - 1] == '\n';
            const std::size_t end = at + line.size();
            const bool ends =
                end == status_lines.size() || status_lines[end] == '\n' || status_lines[end] == ' ';
            if (starts && ends) return true;
        }
        return false;
    }
    std::string reason() const { return status.describe() + (last_error.empty() ? "" : ": " + last_error); }
};

// What a failed run wrote, or an earlier one left, must not be taken for a result.
template <class Function>
void empty_unless_done(MemFile& out, Function&& function) {
    try {
        function();
    } catch (...) {
        out.resize(0);
        throw;
    }
}

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

Outcome run_gpg(const std::string& program, const Home& home, const std::vector<std::string>& command,
                const MemFile& in, const Secret& passphrase, MemFile& out) {
    const UniqueFd secret = passphrase_pipe(passphrase);
    MemFile status_lines("gpg-status");
    MemFile errors("gpg-errors");
    in.rewind();
    out.rewind();
    SpawnOptions spawn;
    // No option file, key ring or agent takes part: the result depends on these arguments alone. The random
    // seed file would make parallel children wait for its lock, 0.25 s and more at a time; the kernel's
    // generator needs no seed.
    spawn.argv = {program,
                  "--no-options",
                  "--no-keyring",
                  "--no-autostart",
                  "--no-random-seed-file",
                  "--batch",
                  "--no-tty",
                  "--quiet",
                  "--trust-model",
                  "always",
                  "--pinentry-mode",
                  "loopback",
                  "--status-fd",
                  "3",
                  "--passphrase-fd",
                  "4"};
    if (!home.path().empty()) spawn.argv.insert(spawn.argv.end(), {"--homedir", home.path().string()});
    spawn.argv.insert(spawn.argv.end(), command.begin(), command.end());
    spawn.environment = {{"LC_ALL", "C"}};  // without it each start opens thirty locale files
    spawn.fds = {{0, in.fd()}, {1, out.fd()}, {2, errors.fd()}, {3, status_lines.fd()}, {4, secret.get()}};
    Subprocess child(spawn);
    const auto status = child.wait_for(child_limit);
    if (!status) {
        child.terminate();
        throw Error(ErrorKind::timeout,
                    "gpg did not finish within " + format_duration(std::chrono::milliseconds(child_limit)));
    }
    out.map_written();
    status_lines.map_all();
    errors.map_all();
    return {*status, std::string(status_lines.view()), printable_line(last_line(errors.view()), 200)};
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
        const Outcome outcome =
            run_gpg(program_, home_,
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
        const Outcome outcome = run_gpg(
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
