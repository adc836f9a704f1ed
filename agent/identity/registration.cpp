#include "agent/identity/registration.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "agent/identity/connection.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/home.hpp"
#include "common/gpg/keys.hpp"
#include "proto/dispatcher_key.hpp"
#include "proto/exchange.hpp"
#include "proto/registration_code.hpp"

namespace strongroom::agent {
namespace fs = std::filesystem;
namespace {

// Made before the first file is moved into place, removed after the last: says that what lies there without
// an agent.json is an unfinished registration and nobody's key.
constexpr const char* marker_name = "registering";
constexpr std::array moved{"dispatcher", "recovery", "token", "gnupg"};

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "host";
    return printable_line(name.data(), 200);
}

void require_unregistered(const StateDir& state) {
    if (state.is_registered())
        throw Error(ErrorKind::exists, "this host is registered already, as server " + state.agent().server,
                    "Its identity is never overwritten. For a second server use another --state-dir.");
    const fs::path marker = state.path() / marker_name;
    for (const char* name : moved) {
        const fs::path path = state.path() / name;
        if (!fs::exists(path)) continue;
        if (!fs::exists(marker))
            throw Error(ErrorKind::exists, path.string() + " exists, but there is no agent.json",
                        "It may hold a server's keys. Restore agent.json, or move the folder away.");
        fs::remove_all(path);
    }
    fs::remove(marker);
}

// Pins the keys that the operator gave into `home`. Returns their fingerprints.
std::vector<std::string> pin_recovery_keys(const RegistrationOptions& options, const gpg::Home& home) {
    if (options.recovery_keys.empty())
        throw Error(ErrorKind::usage, "no recovery key was given",
                    "Give the user's public key with --recovery-key FILE; only it will open the escrow.");
    std::vector<std::string> expected;
    for (const auto& text : options.recovery_fingerprints) expected.push_back(parse_fingerprint(text));
    std::vector<std::string> out;
    for (const auto& file : options.recovery_keys) {
        const Bytes bytes = read_file(file, gpg::max_public_key);
        gpg::Key key;
        try {
            key = gpg::inspect_public_key(bytes);
        } catch (const Error& error) {
            throw error.with_context("recovery key " + file.string());
        }
        if (!expected.empty() && std::ranges::find(expected, key.fingerprint) == expected.end())
            throw Error(ErrorKind::crypto,
                        "the recovery key in " + file.string() + " has the fingerprint " +
                            group_fingerprint(key.fingerprint) + "; expected was " +
                            group_fingerprint(expected.front()),
                        "Compare it with its owner's: gpg --fingerprint. Nothing was registered.");
        gpg::import_public_key(home, bytes, key.fingerprint);
        if (std::ranges::find(out, key.fingerprint) == out.end()) out.push_back(key.fingerprint);
    }
    for (const auto& fingerprint : expected)
        if (std::ranges::find(out, fingerprint) == out.end())
            throw Error(
                ErrorKind::refused,
                "no recovery key with the fingerprint " + group_fingerprint(fingerprint) + " was given",
                "Give its file with --recovery-key. Nothing was registered.");
    return out;
}

// Stops the daemons of the homes that are being made, before they are moved or removed.
class HomeStopper {
  public:
    void add(const gpg::Home& home) { homes_.push_back(home); }
    void stop() noexcept {
        for (const auto& home : homes_) home.stop_daemons();
        homes_.clear();
    }
    HomeStopper() = default;
    HomeStopper(const HomeStopper&) = delete;
    ~HomeStopper() { stop(); }

  private:
    std::vector<gpg::Home> homes_;
};

void move_into_place(const StateDir& state, const fs::path& from, const AgentRecord& record) {
    const fs::path marker = state.path() / marker_name;
    write_file_atomic(marker, "");
    for (const char* name : moved) {
        std::error_code failure;
        fs::rename(from / name, state.path() / name, failure);
        if (failure)
            throw Error(ErrorKind::storage,
                        "cannot move " + std::string(name) + " into place: " + failure.message(),
                        "The dispatcher knows this server now. Retire it there and register again.");
    }
    sync_dir(state.path());
    write_file_atomic(state.agent_file(), to_json(record).dump(1) + "\n");
    std::error_code ignored;  // a marker beside an agent.json means nothing
    fs::remove(marker, ignored);
}

}  // namespace

AgentRecord register_host(const StateDir& state, const RegistrationOptions& options, const Clock& clock) {
    proto::require_address_allowed(options.dispatcher);
    const std::string code = proto::normalised_registration_code(options.code);
    const FileLock lock = state.lock_run();
    require_unregistered(state);

    const TempDir folder(state.path(), "new");
    HomeStopper homes;  // after `folder`: stops the daemons before the folder goes
    const gpg::Home recovery = gpg::Home::create(folder.path() / "recovery", gpg::HomeFor::public_keys);
    homes.add(recovery);
    AgentRecord record;
    record.recovery = pin_recovery_keys(options, recovery);
    const auto pins = open_pins(folder.path() / "dispatcher");
    const gpg::Home own = gpg::Home::create(folder.path() / "gnupg");
    homes.add(own);

    record.server = random_uuid();
    record.domain = options.domain;
    record.dispatcher = options.dispatcher;
    record.dispatcher_key = pins->root();
    record.identity = gpg::generate_key(own, record.server + "@" + options.domain, options.algorithm);
    const gpg::Key key = gpg::find_key(own, record.identity, true);
    if (key.encryption_subkey() == nullptr)
        throw Error(ErrorKind::crypto, "the new key has no encryption subkey");
    record.subkey = key.encryption_subkey()->fingerprint;
    const std::string token = to_hex(random_bytes(32));
    write_file_atomic(folder.path() / "token", token + "\n");

    proto::Register request;
    request.server = record.server;
    request.domain = record.domain;
    request.label = options.label.empty() ? host_name() : options.label;
    request.version = STRONGROOM_VERSION;
    request.public_key = gpg::export_public(own, record.identity);
    request.subkey = record.subkey;
    request.recovery = record.recovery;
    request.code = code;
    request.token_hash = sha256_hex(token);
    proto::Exchange exchange(options.dispatcher, {own, record.identity}, pins,
                             {proto::Gate::Kind::registration, Secret(proto::registration_code_hash(code))},
                             clock);
    const auto reply = exchange.ask(request);
    if (reply.server != record.server)
        throw Error(ErrorKind::protocol, "the dispatcher registered another server than this one");
    record.owner = reply.owner;
    record.owner_name = reply.owner_name;
    record.registered = to_millis(clock.now());
    pins->save();

    homes.stop();
    move_into_place(state, folder.path(), record);
    return record;
}

}  // namespace strongroom::agent
