#include <iostream>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/base/printable.hpp"
#include "common/base/secret.hpp"
#include "common/gpg/keys.hpp"
#include "common/term/table.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/health/key_expiry.hpp"

namespace strongroom::dispatcher {
namespace {
namespace fs = std::filesystem;

void require_name(const std::string& name) {
    try {
        json_detail::check_text(name, Text{100}, "name");
    } catch (const Error& error) {
        throw Error(ErrorKind::usage, error.text());
    }
    if (name.empty()) throw Error(ErrorKind::usage, "a user needs a name");
}

}  // namespace

void add_user(const UserAddOptions& options) {
    require_name(options.name);
    const State state = open_state(options.state);
    if (!options.token_file.empty() && fs::exists(options.token_file))
        throw Error(ErrorKind::exists, options.token_file.string() + " exists already; nothing was changed");

    const SystemClock clock;
    User user;
    KeyExpiry expiry;
    user.name = options.name;
    {
        const gpg::TempHome foreign(gpg::HomeFor::public_keys);  // S8: parsed in a throw-away home
        const gpg::Key key =
            gpg::import_public_key(foreign.home(), read_file(options.key, gpg::max_public_key));
        user.fingerprint = key.fingerprint;
        expiry = key_expiry(key);
        user.public_key = gpg::export_public(foreign.home(), user.fingerprint);
    }
    const Secret token(to_hex(random_bytes(32)));
    user.token_hash = sha256_hex(token.reveal());
    user.created = to_millis(clock.now());
    AuditEntry entry = operator_entry(clock, "user.add", user.fingerprint, "user " + user.name + " added");
    entry.owner = user.fingerprint;

    const auto store = open_store(state);
    if (!options.token_file.empty())
        write_file_atomic(options.token_file, std::string(token.reveal()) + "\n");
    try {
        store->transact([&](Transaction& tx) {
            tx.add_user(user);
            tx.put_key_expiry(expiry);
            tx.append_audit(entry);
        });
    } catch (...) {
        std::error_code ignored;
        if (!options.token_file.empty()) fs::remove(options.token_file, ignored);
        throw;
    }

    if (options.json) {
        Json out{{"name", user.name}, {"fingerprint", user.fingerprint}};
        if (options.token_file.empty())
            out["token"] = token.reveal();
        else
            out["token_file"] = options.token_file.string();
        std::cout << out.dump() << std::endl;
        return;
    }
    std::cout << "user " << printable_line(user.name) << " with key " << group_fingerprint(user.fingerprint)
              << "\n";
    if (options.token_file.empty())
        std::cout << "token (shown only now; give it to the user, who keeps it in a private file):\n"
                  << token.reveal() << "\n";
    else
        std::cout << "token in " << options.token_file.string() << "\n";
}

void list_users(const fs::path& folder, bool json) {
    const State state = open_state(folder);
    const auto store = open_store(state);
    std::vector<User> users;
    store->read([&](Transaction& tx) { users = tx.list_users(); });
    if (json) {
        Json out = Json::array();
        for (const auto& user : users)
            out.push_back({{"name", user.name},
                           {"fingerprint", user.fingerprint},
                           {"created", format_utc(from_millis(user.created))}});
        std::cout << out.dump() << std::endl;
        return;
    }
    term::Table table({{"NAME"}, {"FINGERPRINT"}, {"ADDED"}});
    for (const auto& user : users)
        table.add({user.name, user.fingerprint, format_utc(from_millis(user.created))});
    table.print(std::cout, "no users yet; see: strongroom-dispatcher user add --help");
}

}  // namespace strongroom::dispatcher
