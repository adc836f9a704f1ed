// The dispatcher's own backup: online, sealed, and a restored dispatcher that its agents know.
#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/json_fields.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using strongroom::test::DispatcherProcess;

namespace {

// The operator's key, and files.
std::string make_key(const gpg::Home& home) {
    gpg::initialise();
    return gpg::generate_key(home, "Operator <op@test.invalid>", "ed25519");
}

struct Operator {
    TempDir folder;
    gpg::TempHome home;
    std::string fingerprint = make_key(home.home());
    std::filesystem::path key = folder.path() / "operator.asc";
    std::filesystem::path file = folder.path() / "backup.gpg";
    std::filesystem::path target = folder.path() / "d2";
    std::string used_home = home.home().path().string();  // to restore with

    Operator() { write_file_atomic(key, gpg::export_public(home.home(), fingerprint)); }

    RunResult back_up(const DispatcherProcess& dispatcher, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments{"backup", "--to", file.string(), "--backup-recipient",
                                           key.string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return dispatcher.command(arguments);
    }
    RunResult restore(const std::vector<std::string>& more = {}) const {
        SpawnOptions options;
        options.argv = {STRONGROOM_BIN_DIR "/strongroom-dispatcher",
                        "restore",
                        "--from",
                        file.string(),
                        "--to",
                        target.string(),
                        "--gpg-home",
                        used_home};
        options.argv.insert(options.argv.end(), more.begin(), more.end());
        return run_program(options);
    }
    // Refused with this kind, and nothing stands there.
    void refused(ErrorKind kind, const std::vector<std::string>& more = {}) const {
        std::set<std::filesystem::path> before;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
            before.insert(entry.path());
        const auto result = restore(more);
        INFO(result.err);
        CHECK(result.status.code == exit_code(kind));
        for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
            INFO(entry.path());
            CHECK(before.contains(entry.path()));
        }
    }
};

}  // namespace

TEST_CASE("own backup: online under writes, the restored dispatcher works with its agents") {
    Operator op;
    auto first = std::make_unique<DispatcherProcess>();
    auto alice = first->add_user("alice");
    auto agent = first->register_agent(*alice);
    std::atomic<bool> ending{false};
    std::vector<std::string> ordered;
    std::thread writer([&] {
        try {
            while (!ending && ordered.size() < 18)
                ordered.push_back(alice->exchange->ask(proto::JobCreate{agent->server, "backup"}).job);
        } catch (const Error&) {
        }
    });
    const auto made = op.back_up(*first, {"--json"});
    ending = true;
    writer.join();
    INFO(made.err);
    REQUIRE(made.status.ok());
    const std::size_t before = ordered.size();
    REQUIRE(before > 0);
    const Json told = Json::parse(made.out);
    CHECK(told["recipient"] == op.fingerprint);
    CHECK(first->command({"audit", "show"}).out.find("dispatcher.backup") != std::string::npos);
    CHECK(Json::parse(first->command({"status", "--json"}).out)["own_backup"].is_string());
    CHECK(std::filesystem::directory_iterator(first->state()) != std::filesystem::directory_iterator());
    for (const auto& entry : std::filesystem::directory_iterator(first->state()))
        CHECK(entry.path().filename().string().rfind(".backup", 0) == std::string::npos);
    // No plain text in the file.
    const Bytes sealed = read_file(op.file, 64U << 20U);
    CHECK(sealed.find("SQLite format 3") == std::string::npos);
    CHECK(sealed.find("PRIVATE KEY") == std::string::npos);
    const std::string key_before = read_file(first->state() / "dispatcher.asc", 1U << 20U);
    first.reset();  // gone, with its folder

    const auto restored = op.restore({"--fingerprint", told["fingerprint"].get<std::string>()});
    INFO(restored.err);
    REQUIRE(restored.status.ok());
    DispatcherProcess second(op.target);
    CHECK(read_file(op.target / "dispatcher.asc", 1U << 20U) == key_before);
    CHECK(
        second.command({"audit", "verify", "--head", told["audit"]["head"].get<std::string>()}).status.ok());
    CHECK(second.command({"audit", "show"}).out.find("dispatcher.restore") != std::string::npos);
    alice = second.reconnect(std::move(alice));
    agent = second.reconnect(std::move(agent));
    const auto order = agent->exchange->ask(proto::JobNext{"1"}).job;  // its key, its token
    REQUIRE(order);
    CHECK(order->kind == "escrow");
    const auto jobs = alice->exchange->ask(proto::JobList{agent->server, 1000}).jobs;
    CHECK(jobs.size() <= before + 1);  // one consistent moment of them
    alice->exchange->ask(proto::JobCreate{agent->server, "backup"});
    second.register_agent(*alice);
}

TEST_CASE("own backup: gpg and tar alone open it") {
    Operator op;
    const DispatcherProcess dispatcher;
    REQUIRE(op.back_up(dispatcher).status.ok());
    SpawnOptions options;
    options.argv = {gpg::engine_path().string(),
                    "--homedir",
                    op.home.home().path().string(),
                    "--batch",
                    "--decrypt",
                    op.file.string()};
    const auto plain = run_program(options);
    REQUIRE(plain.status.ok());
    const TempDir out;
    options.argv = {"tar", "-x", "-C", out.path().string()};
    REQUIRE(run_program(options, plain.out).status.ok());
    for (const char* name :
         {"manifest.json", "manifest.json.sig", "dispatcher.asc", "secret-key.asc", "dispatcher.sqlite"})
        CHECK(std::filesystem::file_size(out.path() / name) > 0);
}

TEST_CASE("own backup: refused without a usable recipient, or over a file that is there") {
    Operator op;
    const DispatcherProcess dispatcher;
    CHECK(dispatcher.command({"backup", "--to", op.file.string()}).status.code ==
          exit_code(ErrorKind::config));
    CHECK(op.back_up(dispatcher, {"--backup-recipient-fingerprint", std::string(40, 'A')}).status.code ==
          exit_code(ErrorKind::crypto));
    CHECK_FALSE(std::filesystem::exists(op.file));
    write_file_atomic(op.file, "mine");
    CHECK(op.back_up(dispatcher).status.code == exit_code(ErrorKind::exists));
    CHECK(read_file(op.file, 100) == "mine");
}

TEST_CASE(
    "own backup: a wrong key, a truncated, an altered and a foreign file are refused, nothing half written") {
    Operator op;
    const DispatcherProcess dispatcher;
    REQUIRE(op.back_up(dispatcher).status.ok());
    const Bytes whole = read_file(op.file, 64U << 20U);
    const auto put = [&](const Bytes& bytes) { write_file_atomic(op.file, bytes); };

    gpg::TempHome other;
    gpg::generate_key(other.home(), "Other <other@test.invalid>", "ed25519");
    op.used_home = other.home().path().string();
    op.refused(ErrorKind::crypto);
    op.used_home = op.home.home().path().string();
    op.refused(ErrorKind::crypto, {"--fingerprint", std::string(40, 'A')});
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, whole.size() / 2, whole.size() - 1}) {
        put(whole.substr(0, size));
        op.refused(ErrorKind::crypto);
    }
    for (const std::size_t at : {whole.size() / 3, whole.size() / 2, whole.size() - 5}) {
        Bytes altered = whole;
        altered[at] = static_cast<char>(altered[at] ^ 1);
        put(altered);
        const auto result = op.restore();
        INFO(result.err);
        CHECK((result.status.code == exit_code(ErrorKind::crypto) ||
               result.status.code == exit_code(ErrorKind::corrupt)));
        CHECK_FALSE(std::filesystem::exists(op.target));
    }
    put("this is no backup");
    op.refused(ErrorKind::crypto);
    // Properly encrypted to the operator, by anybody: but not signed by the dispatcher.
    SpawnOptions options;
    options.argv = {gpg::engine_path().string(),
                    "--homedir",
                    op.home.home().path().string(),
                    "--batch",
                    "--trust-model",
                    "always",
                    "--recipient",
                    op.fingerprint,
                    "--encrypt"};
    put(run_program(options, "this is no archive").out);
    op.refused(ErrorKind::corrupt);

    put(whole);
    std::filesystem::create_directories(op.target);
    write_file_atomic(op.target / "something", "there");
    op.refused(ErrorKind::exists);
    std::filesystem::remove_all(op.target);
    CHECK(op.restore().status.ok());
    op.refused(ErrorKind::exists);
}
