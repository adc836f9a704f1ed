#include "common/config/options.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "common/base/error.hpp"
#include "common/base/file.hpp"

using namespace strongroom;

namespace {

struct Values {
    std::string store = "unset";
    std::int64_t workers = 0;
    std::vector<std::string> kinds{"backup"};
    bool quiet = false;
    std::string code;
    std::string file;
    std::string subcommand;
};

Values parse(const std::filesystem::path& file, std::vector<std::string> arguments = {}) {
    Values out;
    CLI::App app("test", "prog");
    config::Options options(app, "SR_TEST_", "/nonexistent/default.toml");
    options.setting("--store", out.store, "store");
    options.setting("--min-interval", out.workers, "a number")->check(CLI::Range(0, 100));
    options.setting("--allow-kinds", out.kinds, "a list");
    app.add_flag("-q,--quiet", out.quiet, "not for the file");
    CLI::App* run = app.add_subcommand("run", "run");
    run->add_option("--code", out.code, "of the subcommand");
    std::vector<std::string> all{"prog"};
    if (!file.empty()) all.insert(all.end(), {"--config", file.string()});
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<const char*> argv;
    for (const auto& argument : all) argv.push_back(argument.c_str());
    if (!options.parse(static_cast<int>(argv.size()), argv.data())) FAIL("answered instead of parsed");
    out.file = options.file();
    if (run->parsed()) out.subcommand = "run";
    return out;
}

struct Config {
    TempDir folder;
    std::filesystem::path path = folder.path() / "c.toml";
    explicit Config(std::string_view text, unsigned mode = 0600) { write_file_atomic(path, text, mode); }
    Values read(std::vector<std::string> arguments = {}) const { return parse(path, std::move(arguments)); }
    Error refusal(std::vector<std::string> arguments = {}) const {
        try {
            read(std::move(arguments));
        } catch (const Error& error) {
            return error;
        }
        FAIL("was accepted");
        throw 0;
    }
};

}  // namespace

TEST_CASE("a configuration file sets options, environment and command line go before it") {
    const Config config(
        "# comment\n"
        "store = \"file:///srv/b#1\" # not part of it\n"
        "min-interval = 4_2\n"
        "allow-kinds = [ \"backup\",\n  'escrow', # two lines\n]\n");
    Values got = config.read();
    CHECK(got.store == "file:///srv/b#1");
    CHECK(got.workers == 42);
    CHECK(got.kinds == std::vector<std::string>{"backup", "escrow"});
    CHECK(got.file == config.path.string());

    ::setenv("SR_TEST_STORE", "file:///env", 1);
    CHECK(config.read().store == "file:///env");
    CHECK(config.read({"--store", "file:///line"}).store == "file:///line");
    ::unsetenv("SR_TEST_STORE");

    got = config.read({"run", "--code", "abc", "--store", "file:///after"});
    CHECK(got.subcommand == "run");
    CHECK(got.code == "abc");
    CHECK(got.store == "file:///after");
}

TEST_CASE("a missing default file is fine, a missing named file is not") {
    CHECK(parse({}).store == "unset");
    try {
        parse("/nonexistent/named.toml");
        FAIL("was accepted");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::not_found);
        CHECK(error.text().find("/nonexistent/named.toml") != std::string::npos);
    }
}

TEST_CASE("a configuration file that others can read is refused") {
    for (const unsigned mode : {0640U, 0604U, 0620U, 0644U}) {
        const Config config("store = \"x\"\n", mode);
        const Error error = config.refusal();
        CHECK(error.kind() == ErrorKind::insecure_file);
        CHECK(error.text().find(config.path.string()) != std::string::npos);
        CHECK(error.hint().find("chmod 0600") != std::string::npos);
    }
}

TEST_CASE("unknown keys are errors that name key, file and line") {
    for (const char* key : {"stoer", "quiet", "config", "code", "help"}) {
        const Config config("store = \"x\"\n\n" + std::string(key) + " = \"1\"\n");
        const Error error = config.refusal();
        CHECK(error.kind() == ErrorKind::config);
        CHECK(error.text() == config.path.string() + " line 3: unknown key \"" + key + "\"");
        CHECK(error.hint().find("store, min-interval, allow-kinds") != std::string::npos);
    }
}

TEST_CASE("bad TOML is refused with its line") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"store = x\n", "line 1: \"x\" is not a whole number"},
        {"\nstore \"x\"\n", "line 2: \"=\" is missing"},
        {"store = \"x\n", "line 1: the closing \" is missing"},
        {"store = 'x\n", "line 1: the closing ' is missing"},
        {"store = \"a\\n\"\n", "line 1: only"},
        {"store = \"a\" b\n", "line 1: unexpected text"},
        {"store =\n", "line 1: a value is missing"},
        {"[agent]\nstore = \"x\"\n", "line 1: sections"},
        {"store = \"a\"\n# x\nstore = \"b\"\n", "line 3: \"store\" was set already in line 1"},
        {"allow-kinds = [\"a\"\nstore = \"b\"\n", "line 2: a list needs"},
        {"allow-kinds = [\"a\" \"b\"]\n", "line 1: a list needs"},
        {"store = [\"a\"]\n", "line 1: \"store\" takes one value"},
        {"store = \"\xFF\"\n", "not UTF-8"},
        {"store = \"a\x01\"\n", "control character"},
        {"min-interval = 1.5\n", "line 1: \"1.5\" is not a whole number"},
        {"= 5\n", "line 1: a setting must start"},
    };
    for (const auto& [text, expected] : cases) {
        const Error error = Config(text).refusal();
        INFO(text << " -> " << error.text());
        CHECK(error.kind() == ErrorKind::config);
        CHECK(error.text().find(expected) != std::string::npos);
    }
}

TEST_CASE("values of the wrong kind name the line of the file, or are usage errors") {
    const Config config("\nmin-interval = \"many\"\n");
    Error error = config.refusal();
    CHECK(error.kind() == ErrorKind::config);
    CHECK(error.text().find("line 2: ") != std::string::npos);
    CHECK(Config("min-interval = 101\n").refusal().kind() == ErrorKind::config);

    const Config good("min-interval = 5\n");
    CHECK(good.refusal({"run", "--no-such-option"}).kind() == ErrorKind::usage);
    CHECK(good.refusal({"bogus"}).kind() == ErrorKind::usage);
}
