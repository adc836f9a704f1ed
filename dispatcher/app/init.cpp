#include <iostream>
#include <system_error>

#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/gpg/keys.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"

namespace strongroom::dispatcher {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t max_key_file = 1U << 20U;

// Removes what init() made unless it came to its end.
class Undo {
  public:
    explicit Undo(const State& state) : state_(state) {}
    ~Undo() {
        if (done) return;
        std::error_code ignored;
        if (fs::exists(state_.home)) gpg::Home::use(state_.home).stop_daemons();
        for (const auto& path : {state_.home, state_.public_key, state_.database, state_.peers})
            fs::remove_all(path, ignored);
        for (const char* suffix : {"-wal", "-shm"}) fs::remove(state_.database.string() + suffix, ignored);
    }
    Undo(const Undo&) = delete;
    bool done = false;

  private:
    const State& state_;
};

bool is_domain(const std::string& text) {
    if (text.empty() || text.size() > 200) return false;
    for (const char c : text) {
        const bool known = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '-';
        if (!known) return false;
    }
    return true;
}

}  // namespace

void init(const InitOptions& options) {
    if (!is_domain(options.domain))
        throw Error(ErrorKind::usage, "not a domain name: \"" + options.domain + "\"",
                    "As in: --domain example.org");
    const State state(fs::absolute(options.state));
    make_private_dir(state.folder);
    for (const auto& path : {state.home, state.public_key, state.database, state.peers})
        if (fs::exists(path))
            throw Error(ErrorKind::exists, path.string() + " exists already; nothing was changed",
                        "Choose another --state-dir, or use the dispatcher that is there.");
    if (!options.import_key.empty()) require_private_file(options.import_key);

    Undo undo(state);
    const gpg::Home home = gpg::Home::create(state.home);
    const std::string fingerprint =
        options.import_key.empty()
            ? gpg::generate_key(home, "Strongroom dispatcher <dispatcher@" + options.domain + ">", "rsa3072")
            : gpg::import_secret_key(home, Secret(read_file(options.import_key, max_key_file)));
    const std::string exported = gpg::export_public(home, fingerprint);
    gpg::inspect_public_key(exported, fingerprint);  // usable, with an encryption subkey
    write_file_atomic(state.public_key, exported, 0644);
    make_private_dir(state.peers);
    SqliteStore::create(state.database);
    undo.done = true;
    home.stop_daemons();

    if (options.json) {
        const Json out{{"state_dir", state.folder.string()},
                       {"fingerprint", fingerprint},
                       {"public_key", state.public_key.string()}};
        std::cout << out.dump() << std::endl;
        return;
    }
    std::cout << "The dispatcher's state is in " << state.folder.string() << "\n"
              << "Its key is " << group_fingerprint(fingerprint) << "\n"
              << "Build agents and clients with -DSTRONGROOM_DISPATCHER_KEY=" << state.public_key.string()
              << "\n"
              << "Back up this folder: without it every agent must be built and registered again.\n";
}

}  // namespace strongroom::dispatcher
