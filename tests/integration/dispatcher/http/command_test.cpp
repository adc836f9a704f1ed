// The commands of strongroom-dispatcher: what they refuse, and that a refusal changes nothing.
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/json_fields.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using strongroom::test::DispatcherProcess;

namespace {

RunResult run(const std::vector<std::string>& arguments) {
    SpawnOptions options;
    options.argv = {STRONGROOM_BIN_DIR "/strongroom-dispatcher"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return run_program(options);
}

void expect(const RunResult& result, ErrorKind kind, const std::string& part) {
    INFO(result.err);
    CHECK(result.status.code == exit_code(kind));
    CHECK(result.err.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("init refuses to overwrite, and leaves nothing behind when it fails") {
    DispatcherProcess dispatcher;
    const Bytes before = read_file(dispatcher.state() / "dispatcher.asc", 1U << 20U);
    expect(dispatcher.command({"init"}), ErrorKind::exists, "nothing was changed");
    CHECK(read_file(dispatcher.state() / "dispatcher.asc", 1U << 20U) == before);
    CHECK(dispatcher.admin("/readyz").status == 200);

    const TempDir folder;
    const auto state = folder.path() / "d";
    const auto no_key = folder.path() / "no-key";
    write_file_atomic(no_key, "this is no key");
    const auto result = run({"--state-dir", state.string(), "init", "--import-key", no_key.string()});
    CHECK_FALSE(result.status.ok());
    CHECK(std::filesystem::is_empty(state));
    ::chmod(no_key.c_str(), 0644);
    expect(run({"--state-dir", state.string(), "init", "--import-key", no_key.string()}),
           ErrorKind::insecure_file, "chmod 0600");
    expect(run({"--state-dir", state.string(), "init", "--domain", "not a domain"}), ErrorKind::usage,
           "domain");
}

TEST_CASE("serve refuses an address that is not loopback without TLS, and a state that is not there") {
    const DispatcherProcess other;
    DispatcherProcess dispatcher;
    REQUIRE(dispatcher.stop(std::chrono::seconds(10)).ok());
    expect(dispatcher.command({"serve", "--listen", "0.0.0.0:0", "--admin-listen", "127.0.0.1:0"}),
           ErrorKind::refused, "without TLS");
    expect(dispatcher.command({"serve", "--listen", "127.0.0.1:0", "--admin-listen", "0.0.0.0:0"}),
           ErrorKind::refused, "without TLS");
    expect(dispatcher.command({"serve", "--listen", "localhost"}), ErrorKind::usage, "address and port");
    expect(dispatcher.command({"serve", "--listen", other.address, "--admin-listen", "127.0.0.1:0"}),
           ErrorKind::network, "cannot listen");
    const TempDir folder;
    expect(run({"--state-dir", (folder.path() / "d").string(), "serve"}), ErrorKind::not_found, "init");
}

TEST_CASE("user add and list") {
    DispatcherProcess dispatcher;
    const auto alice = dispatcher.add_user("alice");
    const TempDir folder;
    const auto key = folder.path() / "key.asc";
    write_file_atomic(key, gpg::export_public(alice->home.home(), alice->fingerprint));
    expect(dispatcher.command({"user", "add", "--name", "alice2", "--key", key.string()}), ErrorKind::exists,
           "exists already");
    const auto token = folder.path() / "token";
    expect(dispatcher.command(
               {"user", "add", "--name", "x", "--key", key.string(), "--token-file", token.string()}),
           ErrorKind::exists, "exists already");
    CHECK_FALSE(std::filesystem::exists(token));  // no token that opens nothing
    gpg::TempHome home;
    const auto secret = gpg::generate_key(home.home(), "Bob <bob@test.invalid>", "ed25519");
    SpawnOptions exporting;
    exporting.argv = {gpg::engine_path().string(), "--homedir", home.home().path().string(), "--batch",
                      "--export-secret-keys",      secret};
    write_file_atomic(key, run_program(exporting).out);
    const auto refused = dispatcher.command({"user", "add", "--name", "bob", "--key", key.string()});
    CHECK(refused.status.code == exit_code(ErrorKind::crypto));  // secret packets (S8)
    const auto listed = dispatcher.command({"user", "list", "--json"});
    const Json users = Json::parse(listed.out);
    REQUIRE(users.size() == 1);
    CHECK(users[0]["name"] == "alice");
    CHECK(users[0]["fingerprint"] == alice->fingerprint);
    CHECK(dispatcher.command({"user", "list"}).out.find(alice->token) == std::string::npos);
    CHECK(dispatcher.log().find(alice->token) == std::string::npos);
}

TEST_CASE("help and version") {
    CHECK(run({"--help"}).out.find("Examples:") != std::string::npos);
    for (const char* command : {"init", "serve"})
        CHECK(run({command, "--help"}).out.find("Example") != std::string::npos);
    CHECK(run({"--version"}).out.find(STRONGROOM_VERSION) != std::string::npos);
    CHECK(run({}).status.code == exit_code(ErrorKind::usage));
    CHECK(run({"serve", "--no-such-option"}).status.code == exit_code(ErrorKind::usage));
}
