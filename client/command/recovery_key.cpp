// `strongroom recovery-key`: a change of a server's recovery keys, as a statement signed with one of them.
#include <algorithm>

#include "client/command/commands.hpp"
#include "client/command/sent_statement.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"
#include "common/term/table.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

constexpr std::chrono::hours validity{24};

struct Arguments {
    std::string server;
    std::string file;
    std::string fingerprint;
    std::string signer;
    std::int64_t timeout = 60;
    bool no_wait = false;
};

std::string grouped(const std::vector<std::string>& fingerprints) {
    std::string out;
    for (const auto& one : fingerprints) out += (out.empty() ? "" : ", ") + group_fingerprint(one);
    return out;
}

proto::Server server_of(Context& context, const std::string& server) {
    const auto reply = context.session().ask(proto::ServerShow{server});
    remember(context, reply.info.server, reply.info.label, reply.info.identity);
    return reply.info;
}

void list(Context& context, const Arguments& arguments) {
    const auto server = server_of(context, arguments.server);
    const auto sent = context.session().ask(proto::StatementList{arguments.server, 20});
    if (context.config.json)
        return context.print_json({{"recovery", server.recovery},
                                   {"sequence", server.recovery_sequence.value_or(0)},
                                   {"statements", to_json(sent).at("statements")}});
    term::Table table({{"RECOVERY KEY"}});
    for (const auto& one : server.recovery) table.add({group_fingerprint(one)});
    table.print(context.out, "none");
    term::Table statements({{"STATEMENT"}, {"SENT"}, {"STATE"}, {"ANSWER OF THE HOST"}});
    for (const auto& one : sent.statements)
        statements.add({one.sha256.substr(0, 16), shown_time(one.sent), one.state, one.text.value_or("")});
    statements.print(context.out, "no statement was sent to this server");
}

// The state that the change is made from. What the dispatcher says of it may be a lie: the host takes the
// statement only if it is true.
proto::RecoveryKeysStatement begin(Context& context, const Arguments& arguments) {
    const auto server = server_of(context, arguments.server);
    proto::RecoveryKeysStatement out;
    out.server = server.server;
    out.sequence = server.recovery_sequence.value_or(0) + 1;
    out.previous = out.recovery = server.recovery;
    out.made = to_millis(context.clock.now());
    out.expires = to_millis(context.clock.now() + validity);
    return out;
}

void sign_and_send(Context& context, const Arguments& arguments,
                   const proto::RecoveryKeysStatement& content) {
    const std::string signer =
        arguments.signer.empty() ? user_fingerprint(context.config) : parse_fingerprint(arguments.signer);
    if (std::ranges::find(content.previous, signer) == content.previous.end())
        throw Error(
            ErrorKind::refused,
            "your key " + group_fingerprint(signer) + " is not pinned as a recovery key of this server",
            "A change is signed with one that is: --signer FPR. Or change them on the host: "
            "strongroom-agent recovery-key");
    context.say("you sign: the recovery keys of server " + content.server + " become, as change " +
                std::to_string(content.sequence) + ": " + grouped(content.recovery) +
                " (now, as the dispatcher says: " + grouped(content.previous) +
                "; the host refuses it unless that is so)");
    const Bytes statement = proto::sign_statement(gpg::Home::use(context.config.gpg_home), signer, content);
    const std::string sha256 = send_statement(context, content.server, statement);
    proto::SentStatement sent;
    sent.state = "pending";
    if (!arguments.no_wait)
        sent = wait_for_answer(
            context, arguments.server, sha256, arguments.timeout,
            "Is its agent running? The statement is valid for 24 hours: strongroom recovery-key list");
    if (sent.state == "refused" || sent.state == "replaced")
        throw Error(ErrorKind::refused, sent.state == "refused"
                                            ? "the host refused it: " + sent.text.value_or("")
                                            : "another statement took its place before the host answered");
    if (context.config.json)
        return context.print_json({{"sha256", sha256},
                                   {"state", sent.state},
                                   {"text", sent.text.value_or("")},
                                   {"recovery", content.recovery}});
    context.out << "statement " << sha256 << " " << sent.state
                << (sent.text ? ": " + printable_line(*sent.text, 1500) : std::string()) << '\n';
}

void add(Context& context, const Arguments& arguments) {
    std::optional<std::string> expected;
    if (!arguments.fingerprint.empty()) expected = parse_fingerprint(arguments.fingerprint);
    const gpg::TempHome home(gpg::HomeFor::public_keys);
    const gpg::Key key =
        gpg::import_into_empty(home.home(), read_file(arguments.file, gpg::max_public_key), expected);
    auto content = begin(context, arguments);
    if (std::ranges::find(content.recovery, key.fingerprint) == content.recovery.end())
        content.recovery.push_back(key.fingerprint);
    content.keys.push_back(gpg::export_public(home.home(), key.fingerprint));
    context.say("to be pinned: " + printable_line(key.user_id, 200) + ", " +
                group_fingerprint(key.fingerprint) + "; compare it with its owner's");
    sign_and_send(context, arguments, content);
}

void remove(Context& context, const Arguments& arguments) {
    const std::string fingerprint = parse_fingerprint(arguments.fingerprint);
    auto content = begin(context, arguments);
    if (std::erase(content.recovery, fingerprint) == 0)
        throw Error(ErrorKind::not_found,
                    group_fingerprint(fingerprint) + " is no recovery key of this server");
    if (content.recovery.empty())
        throw Error(ErrorKind::refused, "the last recovery key cannot be removed",
                    "Add another first: strongroom recovery-key add");
    sign_and_send(context, arguments, content);
    context.say(
        group_fingerprint(fingerprint) +
        " still opens the records that were made for it, and with them every set that is there, and new "
        "ones until the keys are rotated: strongroom rotate. What that does not close: "
        "docs/recovery-keys.md");
}

}  // namespace

void add_recovery_key_commands(Commands& commands) {
    CLI::App* group = commands.group("recovery-key", "Whose keys open a server's escrow, changed from here");
    auto arguments = std::make_shared<Arguments>();
    const auto common = [&](CLI::App* command, bool changes) {
        command->add_option("--server", arguments->server, "Server UUID")->required();
        if (!changes) return command;
        command
            ->add_option("--signer", arguments->signer,
                         "Recovery key of yours to sign with (default: your key)")
            ->type_name("FPR");
        command->add_option("--timeout", arguments->timeout, "Seconds to wait for the host's answer")
            ->capture_default_str();
        command->add_flag("--no-wait", arguments->no_wait, "Only send it");
        return command;
    };
    common(commands.add(group, "list", "The keys that are pinned, and the statements that were sent",
                        "strongroom recovery-key list --server UUID",
                        [arguments](Context& c) { list(c, *arguments); }),
           false);
    CLI::App* one =
        common(commands.add(group, "add", "Pin one more key, or the newer self of one that is pinned",
                            "strongroom recovery-key add --server UUID bob.asc --fingerprint FPR",
                            [arguments](Context& c) { add(c, *arguments); }),
               true);
    one->add_option("file", arguments->file, "Its public key")->required()->type_name("FILE");
    one->add_option("--fingerprint", arguments->fingerprint, "Refuse a key with another fingerprint")
        ->type_name("FPR");
    common(commands.add(group, "remove", "Make no more records for this key",
                        "strongroom recovery-key remove --server UUID FPR",
                        [arguments](Context& c) { remove(c, *arguments); }),
           true)
        ->add_option("fingerprint", arguments->fingerprint, "Its full fingerprint")
        ->required()
        ->type_name("FPR");
}

}  // namespace strongroom::client
