#include "tests/integration/agent/registered_host.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "common/backupset/opener.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/storage/open/open_store.hpp"

namespace strongroom::test {
namespace {

gpg::Home make_home(const std::filesystem::path& path) {
    static const bool once = (gpg::initialise(), true);
    (void)once;
    return gpg::Home::create(path);
}

class StringTarget : public backupset::Target {
  public:
    explicit StringTarget(std::string& out) : out_(out) {}
    void write(const char* data, std::size_t size) override { out_.append(data, size); }
    void commit() override {}

  private:
    std::string& out_;
};

}  // namespace

RegisteredHost::RegisteredHost()
    : state(folder.path() / "state", true), recovery_secret(make_home(folder.path() / "user")) {
    std::filesystem::create_directory(folder.path() / "store");
    config.store = "file://" + (folder.path() / "store").string();
    config.state_dir = state.path();
    config.min_interval = 0;
    const gpg::Home own = make_home(state.own_home());
    agent.server = random_uuid();
    agent.domain = "test.invalid";
    agent.identity = gpg::generate_key(own, agent.server + "@test.invalid", "ed25519");
    agent.subkey = gpg::find_key(own, agent.identity, true).encryption_subkey()->fingerprint;
    agent.dispatcher = "http://127.0.0.1:1";
    const std::string user = gpg::generate_key(recovery_secret, "user@test.invalid", "ed25519");
    gpg::import_public_key(make_home(state.recovery_home()), gpg::export_public(recovery_secret, user));
    agent.dispatcher_key = agent.owner = user;
    agent.recovery = {user};
    write_file_atomic(state.agent_file(), to_json(agent).dump());
    write_file_atomic(state.token_file(), std::string(64, 'a') + "\n");
}

RegisteredHost::~RegisteredHost() {
    for (const auto& path : {state.own_home(), state.recovery_home()})
        if (std::filesystem::exists(path)) gpg::Home::use(path).stop_daemons();
    recovery_secret.stop_daemons();
}

std::unique_ptr<storage::ObjectStore> RegisteredHost::store() const {
    return storage::open_store(config.store, false);
}

proto::Backup RegisteredHost::back_up(std::stop_token stop) const {
    const auto lock = state.lock_backup();
    return agent::run_backup(host(), {}, lock, stop, {});
}

Error RegisteredHost::failing_backup() const {
    const auto before = listed();
    try {
        back_up();
    } catch (const Error& error) {
        CHECK(listed() == before);
        CHECK(std::filesystem::is_empty(state.temp_folder()));
        CHECK_FALSE(state.begun());
        return error;
    }
    FAIL("the backup succeeded");
    throw 0;
}

std::vector<std::string> RegisteredHost::listed() const {
    std::vector<std::string> out;
    const auto opened = store();
    for (const auto& info : backupset::list_sets(*opened, agent.server, state.signers())) {
        CHECK(info.problem.empty());
        out.push_back(info.set);
    }
    return out;
}

std::string RegisteredHost::open(const std::string& set) const {
    const auto opened = store();
    const gpg::Home home = gpg::Home::use(state.own_home());
    const auto manifest = backupset::read_manifest(*opened, agent.server, set, state.signers());
    std::string out;
    StringTarget target(out);
    backupset::open_set({}, manifest, *opened, home, target);
    return out;
}

bool killed_in_child(const std::function<void()>& work, std::chrono::microseconds limit) {
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            work();
            ::_exit(0);
        } catch (...) {
            ::_exit(1);
        }
    }
    if (limit.count() > 0) {
        ::usleep(static_cast<useconds_t>(limit.count()));
        ::kill(child, SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) return true;
    CHECK(WEXITSTATUS(status) == 0);
    return false;
}

}  // namespace strongroom::test
