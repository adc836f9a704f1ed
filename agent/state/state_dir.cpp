#include "agent/state/state_dir.hpp"

#include <system_error>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/log.hpp"

namespace strongroom::agent {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t max_file = 8U << 20U;

template <class T>
T load(const fs::path& path) {
    require_private_file(path);
    try {
        return from_json<T>(parse_json(read_file(path, max_file), max_file));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::protocol) throw;
        throw Error(ErrorKind::corrupt, path.string() + " is damaged: " + error.text(),
                    "Restore the file from a backup of this host, or see the operator's guide.");
    }
}

template <class T>
std::optional<T> load_if_there(const fs::path& path) {
    if (!fs::exists(path)) return std::nullopt;
    return load<T>(path);
}

template <class T>
void store(const fs::path& path, const T& value) {
    write_file_atomic(path, to_json(value).dump(1) + "\n");
}

void remove_durably(const fs::path& folder, const char* name) {
    std::error_code failure;
    fs::remove(folder / name, failure);
    if (failure)
        throw Error(ErrorKind::storage,
                    "cannot remove " + (folder / name).string() + ": " + failure.message());
    sync_dir(folder);
}

void make_empty(const fs::path& folder) {
    make_private_dir(folder);
    for (const auto& entry : fs::directory_iterator(folder)) {
        std::error_code failure;
        fs::remove_all(entry.path(), failure);
        if (failure)
            throw Error(ErrorKind::storage,
                        "cannot remove " + entry.path().string() + ": " + failure.message());
    }
}

constexpr const char* keys_file = "keys.json";

std::optional<KeyState> load_keys(const fs::path& folder) {
    auto out = load_if_there<KeyState>(folder / keys_file);
    if (out && out->subkeys.empty())
        throw Error(ErrorKind::corrupt, (folder / keys_file).string() + " names no subkey",
                    "Restore the file from a backup of this host, or see the operator's guide.");
    return out;
}

constexpr const char* recovery_file = "recovery.json";

std::optional<RecoveryState> load_pinned(const fs::path& folder) {
    auto out = load_if_there<RecoveryState>(folder / recovery_file);
    if (out && out->keys.empty())
        throw Error(ErrorKind::corrupt, (folder / recovery_file).string() + " pins no recovery key",
                    "Restore the file from a backup of this host, or see the operator's guide.");
    return out;
}

}  // namespace

StateDir::StateDir(fs::path path, bool create) : path_(std::move(path)) {
    if (path_.is_relative()) path_ = fs::absolute(path_);
    if (create || fs::exists(path_)) make_private_dir(path_);
}

bool StateDir::is_registered() const {
    return fs::exists(agent_file());
}

AgentRecord StateDir::agent() const {
    if (!is_registered())
        throw Error(ErrorKind::not_found, "this host is not registered: there is no " + agent_file().string(),
                    "Run: strongroom-agent register --dispatcher URL --code CODE --recovery-key FILE");
    AgentRecord out = load<AgentRecord>(agent_file());
    if (const auto keys = load_keys(path_)) {
        out.subkey = keys->current().fingerprint;
        if (keys->identities && !keys->identities->empty())
            out.identity = keys->identities->back().fingerprint;
    }
    if (auto pinned = load_pinned(path_)) out.recovery = std::move(pinned->keys);
    return out;
}

backupset::Signers StateDir::signers() const {
    backupset::Signers out(gpg::Home::use(own_home()), agent().identity);
    const auto known = keys().identities.value_or(std::vector<KnownIdentity>{});
    for (auto former = known.rbegin(); former != known.rend(); ++former)
        if (former->fingerprint != out.identity())
            out.keys.push_back({former->fingerprint, from_millis(former->until.value_or(0))});
    return out;
}

std::string StateDir::dispatcher_identity() const {
    const KeyState state = keys();
    const auto changes = state.identity_changes.value_or(std::vector<KeptIdentityChange>{});
    const auto identities = state.identities.value_or(std::vector<KnownIdentity>{});
    std::size_t told = 0;  // changes are told in their order
    while (told < changes.size() && changes[told].told) ++told;
    if (told == changes.size() && state.identity_change && state.identity_change->change.told)
        return state.identity_change->next;
    return told < identities.size() ? identities[told].fingerprint : agent().identity;
}

std::vector<std::string> StateDir::registered_recovery() const {
    return load<AgentRecord>(agent_file()).recovery;
}

RecoveryState StateDir::recovery() const {
    if (auto pinned = load_pinned(path_)) return *pinned;
    return {0, registered_recovery(), {}};
}
void StateDir::save(const RecoveryState& state) const {
    store(path_ / recovery_file, state);
}

VerifierState StateDir::verifiers() const {
    return load_if_there<VerifierState>(path_ / "verifiers.json").value_or(VerifierState{});
}
void StateDir::save(const VerifierState& state) const {
    store(path_ / "verifiers.json", state);
}

KeyState StateDir::keys() const {
    if (auto keys = load_keys(path_)) return *keys;
    const AgentRecord agent = load<AgentRecord>(agent_file());
    KeyState out;
    out.subkeys.push_back({agent.subkey, 1, agent.registered, {}});
    return out;
}
void StateDir::save(const KeyState& state) const {
    store(path_ / keys_file, state);
}

Secret StateDir::token() const {
    require_private_file(token_file());
    std::string text = read_file(token_file(), 200);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (!proto::is_token(text)) throw Error(ErrorKind::corrupt, token_file().string() + " holds no token");
    return Secret(std::move(text));
}

std::optional<EscrowState> StateDir::escrow() const {
    return load_if_there<EscrowState>(path_ / "escrow.json");
}
void StateDir::save(const EscrowState& state) const {
    store(path_ / "escrow.json", state);
}
ScheduleState StateDir::schedules() const {
    return load_if_there<ScheduleState>(path_ / "schedule.json").value_or(ScheduleState{});
}
void StateDir::save(const ScheduleState& state) const {
    store(path_ / "schedule.json", state);
}
RunState StateDir::runs() const {
    return load_if_there<RunState>(path_ / "runs.json").value_or(RunState{});
}
void StateDir::change_runs(const std::function<void(RunState&)>& change) const {
    const FileLock lock = FileLock::take(path_ / "runs.lock");
    RunState state = runs();
    change(state);
    store(path_ / "runs.json", state);
}
std::optional<Begun> StateDir::begun() const {
    return load_if_there<Begun>(path_ / "running.json");
}
void StateDir::save(const Begun& state) const {
    store(path_ / "running.json", state);
}
void StateDir::clear_begun() const {
    remove_durably(path_, "running.json");
}

std::optional<ChainState> StateDir::chain() const {
    return load_if_there<ChainState>(path_ / "chain.json");
}
void StateDir::save(const ChainState& state) const {
    store(path_ / "chain.json", state);
}
LogState StateDir::logs() const {
    try {
        return load_if_there<LogState>(path_ / "logs.json").value_or(LogState{});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::corrupt) throw;
        log_event(Level::warning, "AGENT_LOG_GAP", "{}: a new chain of logs begins", error.text());
        return {};
    }
}
void StateDir::save(const LogState& state) const {
    store(path_ / "logs.json", state);
}
void StateDir::clear_chain() const {
    remove_durably(path_, "chain.json");
}

Throttle StateDir::throttle() const {
    return load_if_there<Throttle>(path_ / "throttle.json").value_or(Throttle{});
}
void StateDir::save(const Throttle& state) const {
    store(path_ / "throttle.json", state);
}
std::optional<BackupProgress> StateDir::progress() const {
    if (!is_backup_running()) return std::nullopt;
    return load_if_there<BackupProgress>(path_ / "progress.json");
}
void StateDir::save(const BackupProgress& state) const {
    replace_file(path_ / "progress.json", to_json(state).dump() + "\n");
}

void StateDir::clear_progress() const noexcept {
    std::error_code ignored;  // it is only shown while a backup runs, and then it is new
    fs::remove(path_ / "progress.json", ignored);
}

void StateDir::clean_temp_folder() const {
    clear_progress();
    make_empty(temp_folder());
}

void StateDir::clean_log_folder() const {
    make_empty(log_folder());
}

}  // namespace strongroom::agent
