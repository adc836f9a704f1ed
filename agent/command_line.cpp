#include "agent/command_line.hpp"

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/config/quantity.hpp"
#include "common/gpg/home.hpp"
#include "proto/dispatcher_key.hpp"

namespace strongroom::agent {
namespace {

CLI::App* add_register(CLI::App& app, CommandLine& line) {
    CLI::App* out = app.add_subcommand("register", "Make this host's keys and register it");
    auto& options = line.registration;
    out->add_option("--dispatcher", options.dispatcher, "Address of the dispatcher")
        ->required()
        ->type_name("URL");
    out->add_option("--code", options.code, "Registration code from: strongroom registration create");
    out->add_option("--code-file", line.code_file, "File with the code, instead of --code")
        ->type_name("FILE");
    out->add_option("--recovery-key", options.recovery_keys,
                    "Public key to pin: only it can open the escrow (repeat for more)")
        ->required()
        ->type_name("FILE")
        ->allow_extra_args(false);
    out->add_option("--recovery-fingerprint", options.recovery_fingerprints,
                    "Refuse a recovery key with another fingerprint")
        ->type_name("FPR")
        ->allow_extra_args(false);
    out->add_option("--domain", options.domain, "The key is named UUID@DOMAIN")->capture_default_str();
    out->add_option("--label", options.label, "How the dispatcher shows this host (default: its name)");
    out->add_option("--key-type", options.algorithm, "rsa3072 or ed25519")
        ->check(CLI::IsMember({"rsa3072", "ed25519"}))
        ->capture_default_str();
    out->footer(
        "Example:\n  strongroom-agent register --dispatcher https://vault.example.org --code "
        "AB2CD-EF3GH-JK4LM-NP5QR "
        "\\\n    --recovery-key alice.asc --recovery-fingerprint 0123456789ABCDEF0123456789ABCDEF01234567");
    return out;
}

void add_recovery_key(CLI::App& app, CommandLine& line) {
    CLI::App* group =
        app.add_subcommand("recovery-key", "Whose keys open this host's escrow: an act on this host");
    group->require_subcommand(1);
    group->fallthrough();
    auto& options = line.recovery_key;
    group->add_subcommand("list", "The keys that are pinned now")
        ->fallthrough()
        ->footer("Example:\n  strongroom-agent recovery-key list");
    CLI::App* add = group->add_subcommand(
        "add", "Pin one more key, or the newer self of one that is pinned, and deposit new escrow records");
    add->fallthrough();
    add->add_option("file", options.file, "Its public key")->required()->type_name("FILE");
    add->add_option("--fingerprint", options.fingerprint, "Refuse a key with another fingerprint")
        ->type_name("FPR");
    add->footer(
        "Example:\n  strongroom-agent recovery-key add bob.asc --fingerprint "
        "0123456789ABCDEF0123456789ABCDEF01234567");
    CLI::App* remove = group->add_subcommand(
        "remove", "Make no more records for this key; it still opens what was made for it (see the output)");
    remove->fallthrough();
    remove->add_option("fingerprint", options.fingerprint, "Its full fingerprint")
        ->required()
        ->type_name("FPR");
    remove->footer(
        "Example:\n  strongroom-agent recovery-key remove 0123456789ABCDEF0123456789ABCDEF01234567");
    for (CLI::App* one : {add, remove})
        one->add_flag("--local", line.local, "New records into the store only, without the dispatcher");
}

void add_verifier(CLI::App& app, CommandLine& line) {
    CLI::App* group = app.add_subcommand(
        "verifier", "Which hosts may open this one's sets, to prove them: an act on this host");
    group->require_subcommand(1);
    group->fallthrough();
    auto& options = line.verifier;
    group->add_subcommand("list", "The hosts that are pinned now")
        ->fallthrough()
        ->footer("Example:\n  strongroom-agent verifier list");
    CLI::App* add = group->add_subcommand(
        "add", "Let one more host open new sets, or take the newer self of its key. It reads your data then");
    add->fallthrough();
    add->add_option("file", options.file, "Its public key, from: strongroom-agent verifier key")
        ->required()
        ->type_name("FILE");
    add->add_option("--fingerprint", options.fingerprint, "Refuse a key with another fingerprint")
        ->type_name("FPR");
    add->add_flag("--existing", options.existing, "And the sets that are in the store");
    add->footer(
        "Example:\n  strongroom-agent verifier add prover.asc --existing --fingerprint "
        "0123456789ABCDEF0123456789ABCDEF01234567");
    CLI::App* remove = group->add_subcommand(
        "remove", "Let it open no more new sets, and remove its envelopes of the others");
    remove->fallthrough();
    remove->add_option("fingerprint", options.fingerprint, "Its full fingerprint")
        ->required()
        ->type_name("FPR");
    remove->footer("Example:\n  strongroom-agent verifier remove 0123456789ABCDEF0123456789ABCDEF01234567");
    for (CLI::App* one : {add, remove})
        one->add_flag("--local", line.local, "Without the dispatcher; a running daemon tells it later");
    group->add_subcommand("key", "This host's public key, for `verifier add` on a host that it verifies for")
        ->fallthrough()
        ->footer("Example:\n  strongroom-agent verifier key > prover.asc");
}

void add_identity(CLI::App& app, CommandLine& line) {
    CLI::App* group = app.add_subcommand("identity", "This host's identity key, and changing it");
    group->require_subcommand(1);
    group->fallthrough();
    group->add_subcommand("show", "The key in use, a change that waits or goes on, and the keys before")
        ->fallthrough()
        ->footer("Example:\n  strongroom-agent identity show");
    CLI::App* rotate = group->add_subcommand(
        "rotate",
        "Make a new identity key, which waits for its user's approval; or go on with an approved one");
    rotate->fallthrough();
    rotate
        ->add_option("--approval", line.identity.approval,
                     "The approval, from: strongroom server identity --into")
        ->type_name("FILE");
    rotate->add_option("--key-type", line.identity.algorithm, "Of the new key: same, rsa3072 or ed25519")
        ->check(CLI::IsMember({"same", "rsa3072", "ed25519"}))
        ->capture_default_str();
    rotate->add_flag("--local", line.local, "Without the dispatcher; a running daemon tells it later");
    rotate->footer(
        "Example:\n  strongroom-agent identity rotate\n  strongroom-agent identity rotate --approval "
        "approval.gpg");
    group->add_subcommand("cancel", "Forget a change that was not approved")
        ->fallthrough()
        ->footer("Example:\n  strongroom-agent identity cancel");
}

void add_throttle(CLI::App& app, CommandLine& line) {
    CLI::App* out = app.add_subcommand(
        "throttle", "Show or set how fast backups may go, also the one that runs now; kept until set again");
    const CLI::Validator rate(
        [](const std::string& text) {
            try {
                if (text != "default") config::parse_rate(text);
                return std::string();
            } catch (const Error& error) {
                return error.text();
            }
        },
        "RATE|off|default");
    out->add_option("rate", line.throttle.both, "For reading and writing; default: as configured")
        ->check(rate);
    out->add_option("--read", line.throttle.read, "Only bytes from the source")->check(rate);
    out->add_option("--write", line.throttle.write, "Only bytes into the store")->check(rate);
    out->footer(
        "Example:\n  strongroom-agent throttle 50MiB/s\n  strongroom-agent throttle --write 10MiB/s --read "
        "off\n"
        "  strongroom-agent throttle              (shows the limits, and the rates of a backup that runs)");
}

void add_commands(CLI::App& app, CommandLine& line) {
    add_register(app, line);
    app.add_subcommand("run", "The daemon: do the dispatcher's jobs and keep the schedule")
        ->footer("Example:\n  strongroom-agent run            (systemctl start strongroom-agent does this)");
    CLI::App* backup = app.add_subcommand("backup", "Back up now; needs no dispatcher");
    backup->add_flag("--incremental", line.incremental,
                     "Only what changed since the newest set, where that can be told; else all");
    backup->add_flag("--outside-window", line.outside_window, "Also outside the host's backup-window");
    backup->footer("Example:\n  strongroom-agent backup --json\n  strongroom-agent backup --incremental");
    CLI::App* escrow =
        app.add_subcommand("escrow", "Deposit the decryption key for the pinned recovery keys");
    escrow->add_flag("--local", line.local, "Into the store only, without the dispatcher");
    escrow->footer("Example:\n  strongroom-agent escrow");
    CLI::App* rotate = app.add_subcommand(
        "rotate",
        "Make a new decryption key, escrow it and rewrap every set's envelope; goes on after a crash");
    rotate->add_flag("--local", line.local, "Escrow into the store only, without the dispatcher");
    rotate->add_flag(
        "--rewrapped", line.rewrapped,
        "Their owner rewrapped the envelopes (strongroom rewrap): end the rotation without reading them");
    rotate->add_flag("--reencrypt", line.reencrypt,
                     "After a theft: then write every set that the old keys could open anew, under a new "
                     "passphrase, and remove the old one");
    rotate->footer("Example:\n  strongroom-agent rotate\n  strongroom-agent rotate --reencrypt");
    add_recovery_key(app, line);
    add_identity(app, line);
    add_verifier(app, line);
    CLI::App* verify = app.add_subcommand(
        "verify",
        "Check the sets of this server, and of verify-servers, in the store: signatures, chains, digests");
    CLI::Option* full =
        verify->add_flag("--full", line.full,
                         "Prove one set of each instead: restore it privately, prepare it, start a "
                         "server on it without network, check "
                         "and compare every table, and remove it again");
    verify->add_option("--set", line.set, "Which set --full proves (default: latest)")
        ->needs(full)
        ->type_name("ID|latest");
    verify->add_option("--server", line.server, "Only this one: this host, or one of verify-servers")
        ->type_name("UUID");
    verify->footer(
        "Example:\n  strongroom-agent verify --verify-for 2h\n  strongroom-agent verify --full --set latest");
    CLI::App* prune = app.add_subcommand(
        "prune", "Show which sets go by the keep rules of the configuration, and remove them with --apply");
    prune->add_flag("--apply", line.apply, "Do the steps that are shown");
    prune->footer("Example:\n  strongroom-agent --keep-daily 7 --keep-weekly 5 prune");
    app.add_subcommand("status", "What this agent is and what it did; needs no network")
        ->footer("Example:\n  strongroom-agent status --json");
    add_throttle(app, line);
    app.add_subcommand("check", "Try everything that a backup will need")
        ->footer("Example:\n  strongroom-agent check");
}

std::string version_text() {
    gpg::initialise();
    return "strongroom-agent " + proto::version_line();
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
    CommandLine line;
    CLI::App app("Strongroom's agent: encrypted MySQL backups that nobody but their owner can open",
                 "strongroom-agent");
    app.require_subcommand(1);
    app.set_version_flag("--version", version_text);
    config::Options options(app, "STRONGROOM_AGENT_", default_config_file);
    declare(options, line.config);
    app.add_flag("--json", line.json, "Answer as JSON");
    app.add_flag("-q,--quiet", line.quiet, "Only errors and results");
    add_commands(app, line);
    if (!options.parse(argc, argv)) return line;
    const CLI::App* command = app.get_subcommands().front();
    line.command = command->get_name();
    if (line.command == "recovery-key" || line.command == "identity" || line.command == "verifier")
        line.command += " " + command->get_subcommands().front()->get_name();
    line.config_file = options.file();
    if (line.command == "register") {
        if (line.registration.code.empty() == line.code_file.empty())
            throw Error(ErrorKind::usage, "give the registration code with either --code or --code-file");
        if (!line.code_file.empty()) {
            line.registration.code = read_file(line.code_file, 200);
            std::erase_if(line.registration.code, [](char c) { return c == '\n' || c == '\r'; });
        }
    }
    return line;
}

}  // namespace strongroom::agent
