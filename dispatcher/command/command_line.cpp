#include "dispatcher/command/command_line.hpp"

#include <functional>
#include <list>

#include "common/gpg/home.hpp"
#include "dispatcher/command/settings.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr int exit_unhealthy = 20;  // of `status`; docs/user-guide.md has the table

// The commands with what each does. Options are bound to values that live as long as this.
class Commands {
  public:
    explicit Commands(const Settings& settings) : settings_(settings) {}

    void add_all(CLI::App& app) {
        add_init(app);
        add_serve(app);
        add_user_commands(app);
        add_audit_commands(app);
        add_watch_commands(app);
        add_backup_commands(app);
        add_import(app);
        add_key_commands(app);
    }
    int run() const {
        for (const auto& [command, work] : commands_)
            if (command->parsed()) return work();
        return 0;
    }

  private:
    CLI::App* add(CLI::App& parent, const std::string& name, const std::string& description,
                  const std::string& example, std::function<int()> work) {
        CLI::App* command = parent.add_subcommand(name, description);
        command->footer("Example:\n  " + example);
        commands_.emplace_back(command, std::move(work));
        return command;
    }
    static CLI::App* add_group(CLI::App& app, const std::string& name, const std::string& description) {
        CLI::App* group = app.add_subcommand(name, description);
        group->require_subcommand(1);
        return group;
    }
    void add_json(CLI::App* command) { command->add_flag("--json", json_, "Print JSON"); }

    void add_init(CLI::App& app) {
        CLI::App* command =
            add(app, "init", "Make the key, dispatcher.asc and the database",
                "strongroom-dispatcher --state-dir /srv/dispatcher init --domain example.org", [this] {
                    init_.state = settings_.state;
                    init_.json = json_;
                    init(init_);
                    return 0;
                });
        command->add_option("--import-key", init_.import_key,
                            "Private file with a secret key to use instead");
        command->add_option("--domain", init_.domain, "Domain in the new key's user id")
            ->capture_default_str();
        add_json(command);
    }

    void add_serve(CLI::App& app) {
        CLI::App* command =
            add(app, "serve", "Serve until SIGTERM",
                "strongroom-dispatcher --state-dir /srv/dispatcher serve --listen 0.0.0.0:8420 \\\n"
                "      --tls-certificate chain.pem --tls-key key.pem",
                [this] {
                    ServeOptions out;
                    out.state = settings_.state;
                    out.http.listen = parse_address(settings_.listen);
                    out.http.admin = parse_address(settings_.admin);
                    out.http.tls_certificate = settings_.certificate;
                    out.http.tls_key = settings_.key;
                    out.http.behind_proxy = settings_.behind_proxy;
                    out.http.limits.max_connections = settings_.max_connections;
                    out.port_file = port_file_;
                    out.lease = std::chrono::seconds(settings_.lease);
                    out.alerts = settings_.alerts();
                    out.fetches_of_user = settings_.fetches_of_user;
                    out.fetches_of_server = settings_.fetches_of_server;
                    serve(out);
                    return 0;
                });
        command->add_option("--port-file", port_file_,
                            "Write both addresses here, one a line, once it listens");
    }

    void add_user_commands(CLI::App& app) {
        CLI::App* group = add_group(app, "user", "Users of this dispatcher");
        CLI::App* command = add(*group, "add", "Add a user and print the user's token, once",
                                "strongroom-dispatcher user add --name alice --key alice.asc", [this] {
                                    user_.state = settings_.state;
                                    user_.json = json_;
                                    add_user(user_);
                                    return 0;
                                });
        command->add_option("--name", user_.name, "A name for people")->required();
        command->add_option("--key", user_.key, "File with the user's OpenPGP public key")->required();
        command->add_option("--token-file", user_.token_file,
                            "Write the token to this new private file instead");
        add_json(command);
        add_json(add(*group, "list", "List the users", "strongroom-dispatcher user list --json", [this] {
            list_users(settings_.state, json_);
            return 0;
        }));
    }

    void add_audit_commands(CLI::App& app) {
        CLI::App* group = add_group(app, "audit", "The append-only, hash-chained audit trail");
        CLI::App* show = add(*group, "show", "Print the entries, oldest first",
                             "strongroom-dispatcher audit show --since 2026-11-01", [this] {
                                 show_.state = settings_.state;
                                 show_.json = json_;
                                 show_audit(show_);
                                 return 0;
                             });
        show->add_option("--since", show_.since, "From this day or moment on (UTC)")->type_name("TIME");
        show->add_flag("--json", json_, "Print JSON, one object a line");
        CLI::App* verify = add(*group, "verify", "Check the chain; print number of entries and head",
                               "strongroom-dispatcher audit verify --head $(cat /root/audit-head)", [this] {
                                   verify_.state = settings_.state;
                                   verify_.json = json_;
                                   verify_audit(verify_);
                                   return 0;
                               });
        verify
            ->add_option("--head", verify_.heads,
                         "A head that was kept elsewhere and must still be in the chain (repeat for more)")
            ->type_name("HASH")
            ->allow_extra_args(false);
        add_json(verify);
    }

    void add_watch_commands(CLI::App& app) {
        CLI::App* status =
            add(app, "status", "Health, servers, jobs, alerts, disk; exit code 0 only if all is well",
                "strongroom-dispatcher status || mail -s trouble root", [this] {
                    const bool well = show_status({settings_.state, settings_.alerts().limits, json_});
                    return well ? 0 : exit_unhealthy;
                });
        add_json(status);
        CLI::App* alerts =
            add(app, "alerts", "What is not as it should be", "strongroom-dispatcher alerts --all", [this] {
                list_alerts({settings_.state, all_, json_});
                return 0;
            });
        alerts->add_flag("--all", all_, "Resolved alerts too, newest first");
        add_json(alerts);
        CLI::App* group = add_group(app, "alert", "Delivery of alerts");
        add_json(add(*group, "test", "Send a test through every channel that is configured",
                     "strongroom-dispatcher alert test", [this] {
                         test_alerts({settings_.state, settings_.alerts().channels, json_});
                         return 0;
                     }));
    }

    void add_backup_commands(CLI::App& app) {
        CLI::App* backup = add(
            app, "backup", "The dispatcher's own state as one file, encrypted to the operator's key",
            "strongroom-dispatcher --backup-recipient operator.asc backup --to /srv/backup/dispatcher-$(date "
            "+%F).gpg",
            [this] {
                back_up({settings_.state, to_, settings_.backup_recipient,
                         settings_.backup_recipient_fingerprint, json_});
                return 0;
            });
        backup->add_option("--to", to_, "New file")->required()->type_name("FILE");
        add_json(backup);
        CLI::App* back = add(app, "restore", "Make a state folder from such a file",
                             "strongroom-dispatcher restore --from dispatcher-2026-11-22.gpg --to "
                             "/var/lib/strongroom-dispatcher",
                             [this] {
                                 restore_.to = to_;
                                 restore_.json = json_;
                                 restore(restore_);
                                 return 0;
                             });
        back->add_option("--from", restore_.from, "The backup")->required()->type_name("FILE");
        back->add_option("--to", to_, "New state folder")->required()->type_name("DIR");
        back->add_option("--gpg-home", restore_.gpg_home,
                         "GnuPG home with the operator's secret key (default: gpg's own)")
            ->type_name("DIR");
        back->add_option("--fingerprint", restore_.fingerprint, "Refuse a backup of another dispatcher key")
            ->type_name("FPR");
        add_json(back);
    }

    void add_import(CLI::App& app) {
        CLI::App* command =
            add(app, "import", "Servers, escrow records and backups from a store's index, for one user",
                "strongroom-dispatcher import index.pgp --owner alice", [this] {
                    import_.state = settings_.state;
                    import_.json = json_;
                    import_index(import_);
                    return 0;
                });
        command->add_option("file", import_.file, "Made by the owner: strongroom store index --output FILE")
            ->required()
            ->type_name("FILE");
        command->add_option("--owner", import_.owner, "Name or fingerprint of the user who gets them")
            ->required()
            ->type_name("USER");
        command
            ->add_option(
                "--recovery-key", import_.recovery_keys,
                "Public key that the escrow records are for, if it is not the user's (repeat for more)")
            ->type_name("FILE")
            ->allow_extra_args(false);
        add_json(command);
    }

    void add_key_commands(CLI::App& app) {
        CLI::App* group = add_group(app, "key", "The dispatcher's own key, and its change");
        add_json(add(*group, "list", "Current and next key, the chain, and who knows which",
                     "strongroom-dispatcher key list", [this] {
                         list_keys(settings_.state, json_);
                         return 0;
                     }));
        CLI::App* next =
            add(*group, "next", "Make the next key; the current one vouches for it, agents and users pin it",
                "strongroom-dispatcher key next", [this] {
                    make_next_key({settings_.state, next_key_, json_});
                    return 0;
                });
        next->add_option("--import-key", next_key_, "Private file with a secret key to use instead")
            ->type_name("FILE");
        add_json(next);
        CLI::App* change = add(*group, "switch", "Sign with the next key from now on",
                               "strongroom-dispatcher key switch", [this] {
                                   switch_key({settings_.state, force_, json_});
                                   return 0;
                               });
        CLI::App* retire = add(*group, "retire", "Remove the secret part of former keys, for ever",
                               "strongroom-dispatcher key retire", [this] {
                                   retire_keys({settings_.state, force_, json_});
                                   return 0;
                               });
        for (CLI::App* step : {change, retire}) {
            step->add_flag("--force", force_,
                           "Although servers are behind, which are named: they must follow the chain of "
                           "statements when they come back");
            add_json(step);
        }
    }

    const Settings& settings_;
    std::list<std::pair<CLI::App*, std::function<int()>>> commands_;
    bool json_ = false;
    bool all_ = false;
    bool force_ = false;
    std::string next_key_;
    std::string to_;
    RestoreOptions restore_;
    ImportOptions import_;
    InitOptions init_;
    std::string port_file_;
    UserAddOptions user_;
    AuditShowOptions show_;
    AuditVerifyOptions verify_;
};

}  // namespace

int run_command(int argc, char** argv) {
    CLI::App app(
        "Registers servers, authenticates signed messages, schedules jobs and holds escrow records. It never "
        "can read a backup.",
        program_name);
    app.require_subcommand(1);
    app.fallthrough();
    config::Options options(app, "STRONGROOM_DISPATCHER_", "/etc/strongroom/dispatcher.toml");
    Settings settings;
    declare(options, settings);
    app.set_version_flag("--version", [] {
        gpg::initialise();
        return std::string(program_name) + " " + proto::version_line();
    });
    app.footer(
        "Examples:\n"
        "  strongroom-dispatcher --state-dir /srv/dispatcher init --domain example.org\n"
        "  strongroom-dispatcher --state-dir /srv/dispatcher user add --name alice --key alice.asc\n"
        "  strongroom-dispatcher --state-dir /srv/dispatcher serve --listen 127.0.0.1:8420");
    Commands commands(settings);
    commands.add_all(app);
    if (!options.parse(argc, argv)) return 0;
    gpg::initialise();
    return commands.run();
}

}  // namespace strongroom::dispatcher
