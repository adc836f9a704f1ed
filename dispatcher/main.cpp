#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "common/base/error.hpp"
#include "common/config/options.hpp"
#include "common/gpg/home.hpp"
#include "dispatcher/app/app.hpp"
#include "proto/dispatcher_key.hpp"

namespace {

using namespace strongroom;
using namespace strongroom::dispatcher;

constexpr const char* program = "strongroom-dispatcher";

int run(int argc, char** argv) {
    std::string state = "/var/lib/strongroom-dispatcher";
    std::string listen = "127.0.0.1:8420";
    std::string admin = "127.0.0.1:8421";
    std::string certificate;
    std::string key;
    std::string port_file;
    int lease = static_cast<int>(ServeOptions{}.lease.count());
    InitOptions init_options;
    UserAddOptions user;
    bool json = false;

    CLI::App app(
        "Registers servers, authenticates signed messages, schedules jobs and holds escrow records. It never "
        "can read a backup.",
        program);
    app.require_subcommand(1);
    app.fallthrough();
    config::Options options(app, "STRONGROOM_DISPATCHER_", "/etc/strongroom/dispatcher.toml");
    options.setting("--state-dir", state, "Private folder with key, database and peers")
        ->capture_default_str();
    options.setting("--listen", listen, "Address for agents and users")->capture_default_str();
    options.setting("--admin-listen", admin, "Address of /healthz, /readyz, /metrics")->capture_default_str();
    options.setting("--tls-certificate", certificate, "PEM file with the certificate chain");
    options.setting("--tls-key", key, "Private PEM file with the certificate's key");
    options.setting("--lease", lease, "Seconds that a job stays with an agent that falls silent")
        ->check(CLI::Range(5, 3600))
        ->capture_default_str();
    app.set_version_flag("--version", [] {
        gpg::initialise();
        return std::string(program) + " " + proto::version_line();
    });
    app.footer(
        "Examples:\n"
        "  strongroom-dispatcher --state-dir /srv/dispatcher init --domain example.org\n"
        "  strongroom-dispatcher --state-dir /srv/dispatcher user add --name alice --key alice.asc\n"
        "  strongroom-dispatcher --state-dir /srv/dispatcher serve --listen 127.0.0.1:8420");

    CLI::App* init_command = app.add_subcommand("init", "Make the key, dispatcher.asc and the database");
    init_command->add_option("--import-key", init_options.import_key,
                             "Private file with a secret key to use instead");
    init_command->add_option("--domain", init_options.domain, "Domain in the new key's user id")
        ->capture_default_str();
    init_command->add_flag("--json", json, "Print JSON");
    init_command->footer(
        "Example:\n  strongroom-dispatcher --state-dir /srv/dispatcher init --domain example.org");

    CLI::App* serve_command = app.add_subcommand("serve", "Serve until SIGTERM");
    serve_command->add_option("--port-file", port_file,
                              "Write both addresses here, one a line, once it listens");
    serve_command->footer(
        "Example:\n  strongroom-dispatcher --state-dir /srv/dispatcher serve --listen 0.0.0.0:8420 \\\n"
        "      --tls-certificate chain.pem --tls-key key.pem");

    CLI::App* user_command = app.add_subcommand("user", "Users of this dispatcher");
    user_command->require_subcommand(1);
    CLI::App* add_command =
        user_command->add_subcommand("add", "Add a user and print the user's token, once");
    add_command->add_option("--name", user.name, "A name for people")->required();
    add_command->add_option("--key", user.key, "File with the user's OpenPGP public key")->required();
    add_command->add_option("--token-file", user.token_file,
                            "Write the token to this new private file instead");
    add_command->add_flag("--json", json, "Print JSON");
    add_command->footer("Example:\n  strongroom-dispatcher user add --name alice --key alice.asc");
    CLI::App* list_command = user_command->add_subcommand("list", "List the users");
    list_command->add_flag("--json", json, "Print JSON");
    list_command->footer("Example:\n  strongroom-dispatcher user list --json");

    if (!options.parse(argc, argv)) return 0;
    gpg::initialise();
    if (init_command->parsed()) {
        init_options.state = state;
        init_options.json = json;
        init(init_options);
    } else if (serve_command->parsed()) {
        ServeOptions out;
        out.state = state;
        out.http.listen = parse_address(listen);
        out.http.admin = parse_address(admin);
        out.http.tls_certificate = certificate;
        out.http.tls_key = key;
        out.port_file = port_file;
        out.lease = std::chrono::seconds(lease);
        serve(out);
    } else if (add_command->parsed()) {
        user.state = state;
        user.json = json;
        add_user(user);
    } else {
        list_users(state, json);
    }
    return 0;
}

int report(const Error& error) {
    std::cerr << describe(program, error);
    return exit_code(error.kind());
}

}  // namespace

int main(int argc, char** argv) {
    ::umask(077);
    const rlimit no_core{0, 0};  // no secret reaches a core file (S25)
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(argc, argv);
    } catch (const Error& error) {
        return report(error);
    } catch (const std::exception& error) {
        return report(Error(ErrorKind::internal, error.what()));
    }
}
