#include "client/recovery/recover.hpp"

#include <algorithm>
#include <optional>

#include "common/backupset/identity_objects.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_record = 256U << 10U;  // a secret RSA-4096 subkey is about 8 KiB
constexpr std::size_t max_description = 64U << 10U;
constexpr std::size_t longest_home = 85;  // gpg-agent's sockets lie in it: 108 bytes with the longest name
constexpr const char* description = "server.json";

struct Description {
    std::int64_t version = 1;
    std::string server;
    std::string identity;
    std::vector<std::string> subkeys;
    template <class Fields>
    void fields(Fields& f) {
        f("version", version, Range{1, 1});
        f("server", server, uuid_text);
        f("identity", identity, fingerprint_text);
        f("subkeys", subkeys, Many<Text>{1000, fingerprint_text});
    }
};

void require_free(const fs::path& into) {
    if (into.string().size() > longest_home)
        throw Error(ErrorKind::usage, "the path " + into.string() + " is too long for a GnuPG home",
                    "gpg-agent makes sockets in it: choose one of at most " + std::to_string(longest_home) +
                        " bytes.");
    const auto status = fs::symlink_status(into);
    if (!fs::exists(status)) {
        if (!fs::is_directory(into.parent_path()))
            throw Error(ErrorKind::not_found, "there is no folder " + into.parent_path().string(),
                        "Make it first, or choose another --into.");
        return;
    }
    if (!fs::is_directory(status) || !fs::is_empty(into))
        throw Error(ErrorKind::exists, into.string() + " exists and is not an empty folder",
                    "Nothing was changed. Choose a new folder with --into.");
}

// A verified secret subkey, still armored or binary as exported.
Secret open_record(const backupset::EscrowRecord& record, const Identities& identities,
                   const gpg::Home& user_home) {
    Bytes signed_message = gpg::decrypt_signed(user_home, record.record, max_record);
    try {
        auto verified =
            gpg::verify_by_one_of(identities.home(), identities.fingerprints(), signed_message, max_record);
        Secret::wipe(signed_message);
        return Secret(std::move(verified.payload));
    } catch (...) {
        Secret::wipe(signed_message);
        throw;
    }
}

// Stops the agent of the home that is being made, whatever happens: it must not outlive or block the folder.
class DaemonStop {
  public:
    explicit DaemonStop(const gpg::Home& home) : home_(home) {}
    ~DaemonStop() { home_.stop_daemons(); }
    DaemonStop(const DaemonStop&) = delete;

  private:
    const gpg::Home& home_;
};

void require_secret(const gpg::Home& home, const std::string& identity, const std::string& subkey) {
    const auto key = gpg::find_key(home, identity, true);
    const auto found = std::find_if(key.subkeys.begin(), key.subkeys.end(),
                                    [&](const gpg::Subkey& one) { return one.fingerprint == subkey; });
    if (found == key.subkeys.end() || !found->secret || !found->can_encrypt)
        throw Error(ErrorKind::corrupt, "it does not hold the secret of the decryption subkey " + subkey);
}

}  // namespace

Escrow escrow_from_store(storage::ObjectStore& store, const std::string& server) {
    Escrow out{server, store.label(), {}, {}};
    try {
        out.identities = backupset::read_identities(store, server);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;
        throw Error(ErrorKind::not_found, store.label() + " holds nothing of server " + server,
                    "Check --store and --server. `strongroom server list` shows the servers that you own.");
    }
    out.records = backupset::read_escrow_records(store, server);
    return out;
}

RecoveredHome recover(const Escrow& escrow, const std::string& identity, const gpg::Home& user_home,
                      const fs::path& into) {
    ShownIdentities shown = escrow.identities;
    shown.changes.clear();
    try {
        return recover(escrow, Identities::follow(shown, identity, {}), user_home, into);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::crypto || error.text().find("escrow record") != std::string::npos)
            throw;
        throw Error(ErrorKind::refused,
                    "the public key of server " + escrow.server + " from " + escrow.origin +
                        " is not the identity key that you trust, " + group_fingerprint(identity) + ": " +
                        error.text(),
                    "Nothing was recovered. If you trust another fingerprint for good reason, name it with "
                    "--identity.");
    }
}

RecoveredHome recover(const Escrow& escrow, const Identities& identities, const gpg::Home& user_home,
                      const fs::path& into) {
    // A trailing slash would make the parent of "dir/" the folder itself.
    const fs::path target = fs::absolute(into.has_filename() ? into : into.parent_path()).lexically_normal();
    require_free(target);
    if (escrow.records.empty())
        throw Error(ErrorKind::not_found,
                    escrow.origin + " holds no escrow record of server " + escrow.server,
                    "Its key was never escrowed, or not here. If the host lives, run `strongroom-agent "
                    "escrow` on it.");

    const TempDir work(target.parent_path(), ".sr");
    const auto home = gpg::Home::create(work.path());
    const DaemonStop stop(home);
    RecoveredHome out{escrow.server, identities.newest(), {}, {}};
    std::optional<Error> first;
    for (const auto& record : escrow.records) {
        try {
            const Secret key = open_record(record, identities, user_home);
            const std::string primary = gpg::import_secret_key(home, key);
            if (!identities.contains(primary))
                throw Error(ErrorKind::corrupt, "it holds a key of another server");
            require_secret(home, primary, record.subkey);
            out.subkeys.push_back(record.subkey);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::internal || error.kind() == ErrorKind::interrupted) throw;
            out.problems.push_back("escrow record " + record.subkey + ": " + error.text());
            if (!first) first = error;
        }
    }
    if (out.subkeys.empty())
        throw Error(
            first->kind(),
            "no escrow record of server " + escrow.server + " could be opened: " + out.problems.front(),
            "It opens only with the recovery key that was pinned on the host (gpg home: --gpg-home), and "
            "only "
            "if it is signed by " +
                group_fingerprint(identities.newest()) +
                (identities.members().size() > 1 ? " or a key before it" : "") + ". Nothing was written.");

    home.stop_daemons();  // before the folder gets its name: agent sockets know the old one
    Description text{1, out.server, out.identity, out.subkeys};
    write_file_atomic(work.path() / description, to_json(text).dump(2) + "\n");
    sync_dir(work.path());
    fs::rename(work.path(), target);  // replaces an empty folder, never a full one
    sync_dir(target.parent_path());
    return out;
}

RecoveredHome open_recovered_home(const fs::path& home, const std::string& server) {
    const fs::path file = home / description;
    if (!fs::exists(file))
        throw Error(ErrorKind::not_found,
                    home.string() + " is not a home made by `strongroom recover` (no " + description + ")",
                    "Make one: strongroom recover --server " + server + " --into DIR");
    require_private_file(file);
    Description text;
    try {
        text = from_json<Description>(parse_json(read_file(file, max_description), max_description));
    } catch (const Error& error) {
        throw error.with_context(file.string());
    }
    if (text.server != server)
        throw Error(ErrorKind::refused,
                    home.string() + " holds the key of server " + text.server + ", not of " + server,
                    "Name the right --home, or recover the key of this server into another folder.");
    return {text.server, text.identity, text.subkeys, {}};
}

}  // namespace strongroom::client
