#include "client/app/app.hpp"

#include <atomic>
#include <csignal>
#include <iostream>
#include <string_view>

#include "client/command/commands.hpp"
#include "common/base/error.hpp"
#include "common/gpg/home.hpp"
#include "common/net/http.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::client {
namespace {

std::atomic<int> signal_seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int number) {
    signal_seen = number;
}

// The first Ctrl-C asks the work to end and clean up; the second ends the program at once.
void catch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

void check_interrupted() {
    if (signal_seen != 0)
        throw Error(ErrorKind::interrupted, "stopped on request",
                    "Nothing was left under the target's name.");
}

std::string default_file() {
    try {
        return (config_folder() / "client.toml").string();
    } catch (const Error&) {
        return "client.toml";  // no HOME: only --config can name one
    }
}

}  // namespace

bool wants_json(int argc, const char* const* argv) {
    for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i)
        if (std::string_view(argv[i]) == "--json") return true;
    return false;
}

int run(int argc, const char* const* argv) {
    catch_signals();
    gpg::initialise();  // before --version, which shows the fingerprint of the compiled-in key
    CLI::App app("Strongroom: encrypted MySQL backups that only their owner can open", "strongroom");
    app.footer("Run `strongroom COMMAND --help` for options and an example of each command.");
    app.set_version_flag("--version", [] { return "strongroom " + proto::version_line(); });
    app.require_subcommand(0, 1);  // so that an unknown word is named; Commands::run() asks for a command
    ClientConfig config;
    config::Options options(app, "STRONGROOM_", default_file());
    declare(app, options, config);
    Commands commands(app);
    declare_commands(commands);
    if (!options.parse(argc, argv)) return 0;

    net::trust_authorities(config.ca_file);
    const SystemClock clock;
    const std::string file =
        options.file().empty() ? app.get_config_ptr()->as<std::string>() : options.file();
    Context context{config, file, clock, std::cout, std::cerr, check_interrupted, {}, {}};
    commands.run(context);
    std::cout.flush();
    if (!std::cout) throw Error(ErrorKind::storage, "the result could not be written to standard output");
    return 0;
}

}  // namespace strongroom::client
