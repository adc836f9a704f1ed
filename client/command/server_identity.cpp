// `strongroom server identity`: how a server's identity key came to be what it is, and the approval of a
// change.
#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/sent_statement.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/trusted_identity.hpp"
#include "common/backupset/identity_objects.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "common/term/table.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string store;
    std::string identity;
    std::string approve;
    std::string into;
    std::string signer;
    std::int64_t timeout = 120;
};

ShownIdentities shown_by(Context& context, const Arguments& arguments) {
    if (!arguments.store.empty()) {
        PatientStore store(context, arguments.store);
        return backupset::read_identities(*store, arguments.server);
    }
    const auto reply = context.session().ask(proto::ServerShow{arguments.server});
    return shown_by_dispatcher(context, arguments.server, reply.public_key, true);
}

// The pending change, if both keys signed it and it goes on from the identity that is trusted.
std::optional<IdentityStatement> pending_change(const ShownIdentities& shown, const Identities& known) {
    if (!shown.pending) return std::nullopt;
    const auto claim = claim_of(*shown.pending);
    if (claim.server != shown.server || claim.current != known.newest() ||
        claim.sequence != static_cast<std::int64_t>(shown.changes.size()) + 1)
        throw Error(ErrorKind::refused,
                    "the pending change that " + shown.origin + " shows does not follow the identity key " +
                        group_fingerprint(known.newest()) + ": it is change " +
                        std::to_string(claim.sequence) + " from " + group_fingerprint(claim.current),
                    "Nothing was approved. Ask the host: strongroom-agent identity show");
    const gpg::TempHome look(gpg::HomeFor::public_keys);
    gpg::import_public_key(look.home(), gpg::export_public(known.home(), claim.current), claim.current);
    return verify_keys(*shown.pending, look.home());
}

Json as_json(const IdentityStatement& change) {
    return {{"sequence", change.sequence},
            {"current", change.current},
            {"next", change.next},
            {"made", change.made},
            {"expires", change.expires}};
}

void show(Context& context, const Identities& known, const std::optional<IdentityStatement>& pending) {
    if (context.config.json) {
        Json members = Json::array();
        for (const auto& one : known.members()) {
            members.push_back({{"identity", one.fingerprint}});
            if (one.until) members.back()["until"] = *one.until;
        }
        Json out{{"identity", known.newest()}, {"identities", members}};
        if (pending) out["pending"] = as_json(*pending);
        return context.print_json(out);
    }
    term::Table table({{"IDENTITY KEY"}, {"STATE"}});
    for (const auto& one : known.members())
        table.add({group_fingerprint(one.fingerprint),
                   one.until ? "former; its signature counts for sets begun until " +
                                   format_utc(from_millis(*one.until))
                             : "in use"});
    table.print(context.out, "none");
    if (!pending) return;
    context.out << "A change waits for your approval:\n";
    term::print_fields(context.out, {{"change", std::to_string(pending->sequence)},
                                     {"key in use", group_fingerprint(pending->current)},
                                     {"new key", group_fingerprint(pending->next)},
                                     {"made", format_utc(from_millis(pending->made))},
                                     {"expires", format_utc(from_millis(pending->expires))},
                                     {"signed by", "both keys"}});
    context.say(
        "Compare the new fingerprint with the host's own screen (strongroom-agent identity show); if it is "
        "the same: strongroom server identity --server " +
        pending->server + " --approve " + pending->next);
}

std::string wait_until_taken(Context& context, const Arguments& arguments, const std::string& sha256) {
    const auto sent =
        wait_for_answer(context, arguments.server, sha256, arguments.timeout,
                        "Is its agent running? The approval is valid as long as the change is pending.");
    const auto text = sent.text.value_or("");
    if (sent.state != "applied")
        throw Error(ErrorKind::refused,
                    "the host took no approval: " + sent.state + ": " + printable_line(text, 1500));
    return text;
}

void approve(Context& context, const Arguments& arguments, const ShownIdentities& shown,
             const std::optional<IdentityStatement>& pending) {
    const std::string wanted = parse_fingerprint(arguments.approve);
    if (!pending)
        throw Error(ErrorKind::not_found, "no change of the identity key waits for an approval",
                    "It begins on the host: strongroom-agent identity rotate");
    if (pending->next != wanted)
        throw Error(ErrorKind::refused,
                    "the pending change is to " + group_fingerprint(pending->next) + ", not to " +
                        group_fingerprint(wanted),
                    "Somebody may be answering for this server. Read the fingerprint off the host's screen "
                    "(strongroom-agent identity show). Nothing was approved.");
    if (context.clock.now() >= from_millis(pending->expires))
        throw Error(ErrorKind::refused,
                    "the change has expired at " + format_utc(from_millis(pending->expires)),
                    "On the host: strongroom-agent identity cancel, then identity rotate.");
    const std::string signer =
        arguments.signer.empty() ? user_fingerprint(context.config) : parse_fingerprint(arguments.signer);
    context.say("you sign: the identity key of server " + pending->server + " becomes " +
                group_fingerprint(pending->next) + " instead of " + group_fingerprint(pending->current));
    // The very bytes that both keys signed.
    const Bytes content = gpg::read_unverified(shown.pending->current, IdentityStatement::max_json);
    const Bytes approval = gpg::sign(gpg::Home::use(context.config.gpg_home), signer, content);
    std::string text = "written to " + arguments.into;
    if (!arguments.into.empty()) {
        NewFile file(arguments.into);
        write_all(file.fd(), approval.data(), approval.size(), ErrorKind::storage, arguments.into.c_str());
        file.commit();
        context.say("Next, on the host: strongroom-agent identity rotate --approval FILE");
    } else {
        text = wait_until_taken(context, arguments, send_statement(context, pending->server, approval));
    }
    if (context.config.json)
        return context.print_json(
            {{"approved", pending->next}, {"sha256", sha256_hex(approval)}, {"text", text}});
    context.out << "approved: " << printable_line(text, 1500) << '\n';
}

void run(Context& context, const Arguments& arguments) {
    require_server_id(arguments.server);
    if (arguments.approve.empty() && !arguments.into.empty())
        throw Error(ErrorKind::usage, "--into needs --approve");
    const auto shown = shown_by(context, arguments);
    const auto known = trusted_identities(context, arguments.identity, shown);
    const auto pending = pending_change(shown, known);
    if (arguments.approve.empty()) return show(context, known, pending);
    approve(context, arguments, shown, pending);
}

}  // namespace

void add_server_identity_command(Commands& commands, CLI::App* group) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        group, "identity", "The identity keys that a server had, and the approval of a change",
        "strongroom server identity --server UUID\n"
        "  strongroom server identity --server UUID --approve FPR\n"
        "  strongroom server identity --server UUID --store URL --approve FPR --into approval.gpg",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    command->add_option("--store", arguments->store, "Look into the store; needs no dispatcher")
        ->type_name("URL");
    add_identity_option(*command, arguments->identity);
    command
        ->add_option("--approve", arguments->approve,
                     "Approve the pending change: the full new fingerprint, as the host's screen shows it")
        ->type_name("FPR");
    command->add_option("--into", arguments->into, "Write the approval to a new file instead of sending it")
        ->type_name("FILE");
    command
        ->add_option("--signer", arguments->signer, "Recovery key of yours to sign with (default: your key)")
        ->type_name("FPR");
    command->add_option("--timeout", arguments->timeout, "Seconds to wait for the host's answer")
        ->capture_default_str();
}

}  // namespace strongroom::client
