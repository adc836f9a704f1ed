#include "dispatcher/backup/archive.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"
#include "common/base/unique_fd.hpp"
#include "common/gpg/message.hpp"
#include "dispatcher/backup/tar.hpp"

namespace strongroom::dispatcher {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t max_manifest = 64U << 10U;
constexpr std::size_t max_signature = 16U << 10U;
constexpr std::size_t max_secret_key = 256U << 10U;
constexpr std::uint64_t max_database = (UINT64_C(1) << 33) - 1;
constexpr std::chrono::hours gpg_limit{6};

void read_pieces(const fs::path& path, const std::function<void(BytesView)>& sink) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw system_error(ErrorKind::storage, "cannot read " + path.string(), errno);
    Bytes buffer(1U << 20U, '\0');
    while (const std::size_t got = read_full(fd.get(), buffer.data(), buffer.size(), ErrorKind::storage,
                                             "cannot read the database copy"))
        sink({buffer.data(), got});
}

std::string last_words(BytesView text) {
    return printable_line(last_line(text), 300);
}

void require_described(const ArchiveManifest& manifest, const ArchiveFile& found) {
    for (const auto& file : manifest.files) {
        if (file.name != found.name) continue;
        if (file.size == found.size && file.sha256 == found.sha256) return;
        throw Error(ErrorKind::corrupt, found.name + " in the backup does not match its digest");
    }
    throw Error(ErrorKind::corrupt, "the manifest of the backup does not name " + found.name);
}

void require_signed(const ArchiveContent& content) {
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    gpg::import_public_key(home.home(), content.public_key, content.manifest.fingerprint);
    gpg::verify_detached(home.home(), content.manifest.fingerprint, content.signature, content.manifest_text);
}

}  // namespace

ArchiveFile describe_file(const std::string& name, BytesView content) {
    return {name, static_cast<std::int64_t>(content.size()), sha256_hex(content)};
}

ArchiveFile describe_stored(const std::string& name, const fs::path& path) {
    Sha256 digest;
    std::int64_t size = 0;
    read_pieces(path, [&](BytesView piece) {
        digest.add(piece);
        size += static_cast<std::int64_t>(piece.size());
    });
    return {name, size, digest.hex()};
}

void write_archive(const ArchiveContent& content, const gpg::Home& recipient_home,
                   const std::string& recipient, const fs::path& to) {
    NewFile file(to);
    Pipe input = make_pipe();
    MemFile err("stderr");
    SpawnOptions options;
    options.argv = {gpg::engine_path().string(),
                    "--homedir",
                    recipient_home.path().string(),
                    "--batch",
                    "--no-tty",
                    "--trust-model",
                    "always",
                    "--cipher-algo",
                    "AES256",
                    "-z0",
                    "--output",
                    "-",
                    "--recipient",
                    recipient,
                    "--encrypt"};
    options.fds = {{0, input.read.get()}, {1, file.fd()}, {2, err.fd()}};
    Subprocess gpg(options);
    input.read.reset();
    try {
        TarWriter tar([&](BytesView bytes) {
            write_all(input.write.get(), bytes.data(), bytes.size(), ErrorKind::crypto, "gpg");
        });
        tar.add("manifest.json", content.manifest_text);
        tar.add("manifest.json.sig", content.signature);
        tar.add(archive_public_key, content.public_key);
        tar.add(archive_secret_key, content.secret_key.reveal());
        tar.begin(archive_database, fs::file_size(content.database));
        read_pieces(content.database, [&](BytesView piece) { tar.write(piece); });
        tar.end();
        tar.finish();
    } catch (const Error&) {
        input.write.reset();
        const auto ended = gpg.wait_for(std::chrono::seconds(5));
        err.map_all();
        if (ended && !ended->ok())
            throw Error(ErrorKind::crypto, "gpg could not encrypt the backup: " + last_words(err.view()));
        throw;
    }
    input.write.reset();
    const auto status = gpg.wait_for(gpg_limit);
    err.map_all();
    if (!status) throw Error(ErrorKind::timeout, "gpg did not end");
    if (!status->ok())
        throw Error(ErrorKind::crypto, "gpg could not encrypt the backup (" + status->describe() +
                                           "): " + last_words(err.view()));
    if (::lseek(file.fd(), 0, SEEK_END) <= static_cast<off_t>(fs::file_size(content.database)))
        throw Error(ErrorKind::crypto, "gpg wrote less than it was given");
    file.commit();
}

ArchiveContent read_archive(const fs::path& from, const fs::path& home, const fs::path& folder) {
    const UniqueFd sealed(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!sealed)
        throw system_error(errno == ENOENT ? ErrorKind::not_found : ErrorKind::storage,
                           "cannot read " + from.string(), errno);
    Pipe output = make_pipe();
    MemFile err("stderr");
    MemFile gpg_status("status");
    SpawnOptions options;
    options.argv = {gpg::engine_path().string(), "--no-auto-key-locate", "--status-fd", "3", "--decrypt"};
    if (!home.empty()) options.argv.insert(options.argv.begin() + 1, {"--homedir", home.string()});
    options.fds = {{0, sealed.get()}, {1, output.write.get()}, {2, err.fd()}, {3, gpg_status.fd()}};
    Subprocess gpg(options);
    output.write.reset();

    ArchiveContent out;
    ArchiveFile database{archive_database, 0, {}};
    std::optional<Error> malformed;
    try {
        TarReader tar([&](char* buffer, std::size_t size) {
            return read_full(output.read.get(), buffer, size, ErrorKind::crypto, "cannot read from gpg");
        });
        out.manifest_text = tar.read(tar.next("manifest.json", max_manifest));
        out.signature = tar.read(tar.next("manifest.json.sig", max_signature));
        out.public_key = tar.read(tar.next(archive_public_key, gpg::max_public_key));
        out.secret_key = Secret(tar.read(tar.next(archive_secret_key, max_secret_key)));
        const auto entry = tar.next(archive_database, max_database);
        out.database = folder / archive_database;
        const UniqueFd copy(
            ::open(out.database.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!copy) throw system_error(ErrorKind::storage, "cannot write in " + folder.string(), errno);
        Sha256 digest;
        tar.read(entry, [&](BytesView piece) {
            digest.add(piece);
            write_all(copy.get(), piece.data(), piece.size(), ErrorKind::storage,
                      "cannot write the database");
        });
        if (::fsync(copy.get()) != 0)
            throw system_error(ErrorKind::storage, "cannot write the database", errno);
        database.size = static_cast<std::int64_t>(entry.size);
        database.sha256 = digest.hex();
        tar.finish();
    } catch (const Error& error) {
        malformed = error;  // gpg's own reason comes first
    }
    output.read.reset();
    const auto status = gpg.wait_for(std::chrono::minutes(1));
    err.map_all();
    gpg_status.map_all();
    const std::string_view said = gpg_status.view();
    const auto has = [&](std::string_view word) { return said.find(word) != std::string_view::npos; };
    if (malformed && malformed->kind() == ErrorKind::storage) throw *malformed;
    // gpg ends by a broken pipe when we stop reading what is not a backup: then that is the reason.
    const bool our_reason =
        malformed && has("[GNUPG:] BEGIN_DECRYPTION") && !has("[GNUPG:] DECRYPTION_FAILED");
    if (!our_reason && !(status && status->ok() && has("[GNUPG:] DECRYPTION_OKAY")))
        throw Error(ErrorKind::crypto, "gpg could not decrypt the backup: " + last_words(err.view()),
                    "It must be whole, and --gpg-home must name the home with the operator's secret key.");
    if (malformed) throw *malformed;
    // Only now is what was read known to be what was written.
    try {
        out.manifest = from_json<ArchiveManifest>(parse_json(out.manifest_text, max_manifest));
    } catch (const Error& error) {
        throw Error(ErrorKind::corrupt, "the manifest of the backup cannot be read: " + error.text());
    }
    require_described(out.manifest, describe_file(archive_public_key, out.public_key));
    require_described(out.manifest, describe_file(archive_secret_key, out.secret_key.reveal()));
    require_described(out.manifest, database);
    require_signed(out);
    return out;
}

}  // namespace strongroom::dispatcher
