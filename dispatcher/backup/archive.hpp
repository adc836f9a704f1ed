// The file that `strongroom-dispatcher backup` makes: a tar in an OpenPGP message to the operator's key, so
// that `gpg -d FILE | tar -x` opens it without us. In this order:
//   manifest.json      what is in it, with SHA-256; version, time, fingerprint, schema, head of the audit
//   trail manifest.json.sig  by the dispatcher's own key, so that nobody else can make a backup in its name
//   dispatcher.asc     its public key
//   secret-key.asc     its secret keys: the current one, then the next one and former ones, if there are
//   dispatcher.sqlite  one consistent copy of the database
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/json_fields.hpp"
#include "common/base/secret.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::dispatcher {

struct ArchiveFile {
    std::string name;
    std::int64_t size = 0;
    std::string sha256;
    template <class Fields>
    void fields(Fields& f) {
        f("name", name, Text{64});
        f("size", size, any_size);
        f("sha256", sha256, sha256_text);
    }
};

struct ArchiveManifest {
    std::int64_t version = 1;
    std::string program;  // version of strongroom-dispatcher
    std::int64_t created = 0;
    std::string fingerprint;
    std::int64_t schema = 0;
    std::int64_t audit_entries = 0;
    std::string audit_head;
    std::vector<ArchiveFile> files;
    template <class Fields>
    void fields(Fields& f) {
        f("version", version, Range{1, 1});
        f("program", program, Text{64});
        f("created", created, any_time);
        f("fingerprint", fingerprint, fingerprint_text);
        f("schema", schema, Range{1, 1'000'000});
        f("audit_entries", audit_entries, any_size);
        f("audit_head", audit_head, sha256_text);
        f("files", files, Many<Nested>{8, {}});
    }
};

struct ArchiveContent {
    ArchiveManifest manifest;
    std::string manifest_text;  // as it was signed
    std::string signature;
    std::string public_key;
    Secret secret_key;
    std::filesystem::path database;
};

inline constexpr const char* archive_public_key = "dispatcher.asc";
inline constexpr const char* archive_secret_key = "secret-key.asc";
inline constexpr const char* archive_database = "dispatcher.sqlite";

ArchiveFile describe_file(const std::string& name, BytesView content);
ArchiveFile describe_stored(const std::string& name, const std::filesystem::path& path);

// Complete or missing: encrypted by gpg into a temporary file beside `to`, synced, and only then given its
// name. Throws Error{exists} if `to` is there.
void write_archive(const ArchiveContent& content, const gpg::Home& recipient_home,
                   const std::string& recipient, const std::filesystem::path& to);

// Decrypts with a key of `home` (empty path: gpg's default home) and unpacks the database into `folder`.
// Returns only if gpg found the whole message good, every digest is right and the manifest is signed by the
// key that it names. Throws Error{crypto} or Error{corrupt}.
ArchiveContent read_archive(const std::filesystem::path& from, const std::filesystem::path& home,
                            const std::filesystem::path& folder);

}  // namespace strongroom::dispatcher
