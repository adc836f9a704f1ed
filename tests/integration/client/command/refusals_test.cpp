#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/keys.hpp"
#include "common/storage/open/open_store.hpp"

using namespace strongroom;
using Catch::Matchers::Contains;

namespace {

const std::string server = "0b0c7a52-6f0d-4a5e-9f55-0a4de9f5b2c1";

struct Client {
    TempDir folder;
    std::filesystem::path known = folder.path() / "known-servers.json";

    RunResult run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), std::string(STRONGROOM_BIN_DIR) + "/strongroom");
        return run_program({.argv = arguments,
                            .fds = {},
                            .environment = {{"XDG_CONFIG_HOME", folder.path().string()}},
                            .directory = {}});
    }
    void refuses(const std::vector<std::string>& arguments, ErrorKind kind, const std::string& text) const {
        const auto result = run(arguments);
        INFO(result.err);
        CHECK(result.status.code == exit_code(kind));
        CHECK_THAT(result.err, Contains(text));
        CHECK(result.out.empty());
    }
    std::string path(const std::string& name) const { return (folder.path() / name).string(); }
    std::vector<std::string> restore(std::vector<std::string> more) const {
        std::vector<std::string> out{"restore", "--server",  server, "--store", "file://" + path("store"),
                                     "--home",  path("home")};
        out.insert(out.end(), more.begin(), more.end());
        return out;
    }
};

}  // namespace

TEST_CASE_METHOD(Client, "a wrong command line says what is wrong") {
    refuses({}, ErrorKind::usage, "no command");
    refuses({"nonsense"}, ErrorKind::usage, "nonsense");
    refuses({"server"}, ErrorKind::usage, "subcommand");
    refuses({"server", "show"}, ErrorKind::usage, "server");
    refuses({"schedule", "set", "--server", server}, ErrorKind::usage, "--cron");
    refuses(restore({}), ErrorKind::usage, "exactly one of");
    refuses(restore({"--stdout", "--datadir", path("d")}), ErrorKind::usage, "exactly one of");
    refuses(restore({"--pipe"}), ErrorKind::usage, "needs a command");
    refuses(restore({"--stdout", "cat"}), ErrorKind::usage, "no --pipe");
    refuses(restore({"--stdout", "--prepare"}), ErrorKind::usage, "--datadir");
    refuses(restore({"--table", "shop.orders"}), ErrorKind::usage, "exactly one of");
    refuses(restore({"--table", "orders", "--stdout"}), ErrorKind::usage,
            "does not name a database and a table");
    refuses(restore({"--table", "shop.orders", "--datadir", path("d")}), ErrorKind::usage, "--datadir");
    refuses(restore({"--into-server"}), ErrorKind::usage, "--defaults-file");
    refuses(restore({"--into-server", "--stdout"}), ErrorKind::usage, "exactly one of");
    refuses(restore({"--output", path("o"), "--overwrite"}), ErrorKind::usage, "--into-server");
    refuses(restore({"--into-server", "--defaults-file", path("c"), "--one-pass"}), ErrorKind::usage,
            "--one-pass");
    refuses(restore({"--into-server", "--defaults-file", path("c"), "--into-database", "x"}),
            ErrorKind::usage, "one database");
    refuses(restore({"--database", "shop", "--tablespaces", path("t")}), ErrorKind::usage, "for --table");
    refuses(restore({"--output", path("o"), "--skip-triggers"}), ErrorKind::usage, "--skip-triggers");
    refuses(restore({"--dump-folder", path("f"), "--output", path("o")}), ErrorKind::usage, "exactly one of");
    refuses(restore({"--dump-folder", path("f"), "--table", "shop.t", "--skip-triggers"}), ErrorKind::usage,
            "--dump-folder");
    refuses(restore({"--dump-folder", path("f"), "--defaults-file", path("c")}), ErrorKind::usage,
            "--into-server");
    refuses({"recover", "--server", "shop", "--into", path("r")}, ErrorKind::usage, "no server UUID");
}

TEST_CASE_METHOD(Client, "every command has help with an example") {
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"login"},
                                               {"registration", "create"},
                                               {"server", "list"},
                                               {"server", "show"},
                                               {"server", "retire"},
                                               {"schedule", "set"},
                                               {"schedule", "list"},
                                               {"job", "list"},
                                               {"job", "create"},
                                               {"job", "wait"},
                                               {"job", "cancel"},
                                               {"backup", "list"},
                                               {"recover"},
                                               {"restore"},
                                               {"audit", "list"}}) {
        auto arguments = command;
        arguments.push_back("--help");
        const auto result = run(arguments);
        CHECK(result.status.ok());
        CHECK_THAT(result.out, Contains("Example:\n  strongroom " + command.front()));
    }
}

TEST_CASE_METHOD(Client, "settings that are missing, open to others or not allowed are refused") {
    refuses({"server", "list"}, ErrorKind::config, "no dispatcher is configured");
    refuses({"--dispatcher", "http://127.0.0.1:1", "server", "list"}, ErrorKind::config, "no token");
    refuses({"--dispatcher", "http://192.0.2.1:80", "server", "list"}, ErrorKind::refused, "loopback");
    refuses({"--dispatcher", "https://192.0.2.1:80", "server", "list"}, ErrorKind::refused,
            "development dispatcher key");
    std::filesystem::create_directory(folder.path() / "strongroom");
    const auto file = folder.path() / "strongroom" / "client.toml";
    write_file_atomic(file, "dispatcher = \"http://127.0.0.1:1\"\n");
    ::chmod(file.c_str(), 0644);
    refuses({"server", "list"}, ErrorKind::insecure_file, "client.toml");
    write_file_atomic(file, "dispatchr = \"http://127.0.0.1:1\"\n");
    refuses({"server", "list"}, ErrorKind::config, "dispatchr");
    write_file_atomic(file, "dispatcher = \"http://127.0.0.1:1\"\n");
    write_file_atomic(path("token"), "short\n");
    refuses({"--token-file", path("token"), "server", "list"}, ErrorKind::config, "does not hold a token");
}

TEST_CASE_METHOD(Client, "errors are JSON with --json") {
    const auto result = run({"--json", "server", "list"});
    const Json error = Json::parse(result.err).at("error");
    CHECK(error.at("kind") == "config");
    CHECK_THAT(error.at("hint").get<std::string>(), Contains("strongroom login"));
}

TEST_CASE_METHOD(Client, "a server whose key is not known needs --identity, and a known one must agree") {
    gpg::initialise();
    gpg::TempHome agent;
    const auto identity = gpg::generate_key(agent.home(), server + "@test", "ed25519");
    const auto store = storage::open_store("file://" + path("store"), true);
    backupset::write_store_root(*store, server, identity, gpg::export_public(agent.home(), identity));
    const std::vector<std::string> recover{
        "recover", "--server", server, "--store", "file://" + path("store"), "--into", path("home")};
    refuses(recover, ErrorKind::refused, "is not known here");
    refuses(recover, ErrorKind::refused, "--identity FPR");
    auto named = recover;
    named.insert(named.end(), {"--identity", "0x1234"});
    refuses(named, ErrorKind::usage, "fingerprint");
    // Known under another key: neither the store nor an option is believed.
    write_file_atomic(known, R"({"version":1,"servers":[{"server":")" + server + R"(","identity":")" +
                                 std::string(40, 'A') + R"(","first_seen":"2026-11-22T01:37:00Z"}]})");
    named = recover;
    named.insert(named.end(), {"--known-servers", known.string(), "--identity", identity});
    refuses(named, ErrorKind::refused, "is known by");
    CHECK_FALSE(std::filesystem::exists(path("home")));
}
