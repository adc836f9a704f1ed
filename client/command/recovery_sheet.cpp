#include "client/sheet/recovery_sheet.hpp"

#include <unistd.h>

#include <algorithm>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/store_server.hpp"
#include "client/command/trusted_identity.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/base/unique_fd.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/packets.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

constexpr std::size_t max_text = 256U << 10U;

struct Arguments {
    std::string server;
    std::vector<std::string> stores;
    std::string identity;
    std::string output;
    std::string paper = "a4";
};

// The decryption subkeys of the server's key: the one in use, then the others, the newest first.
void add_subkeys(SheetFacts& facts, const gpg::Home& home) {
    const gpg::Key key = gpg::find_key(home, facts.identity);
    const auto* newest = key.encryption_subkey();
    for (auto one = key.subkeys.rbegin(); one != key.subkeys.rend(); ++one) {
        if (!one->can_encrypt || std::ranges::find(facts.subkeys, one->fingerprint) != facts.subkeys.end())
            continue;
        const bool in_use = newest != nullptr && newest->fingerprint == one->fingerprint;
        facts.subkeys.insert(in_use ? facts.subkeys.begin() : facts.subkeys.end(), one->fingerprint);
    }
}

SheetFacts from_dispatcher(Context& context, const Arguments& arguments) {
    require_server_id(arguments.server);
    const auto reply = context.session().ask(proto::ServerShow{arguments.server});
    SheetFacts out;
    out.server = arguments.server;
    out.label = reply.info.label;
    const auto identities = trusted_identities(
        context, arguments.identity, shown_by_dispatcher(context, arguments.server, reply.public_key));
    out.identity = identities.newest();
    add_subkeys(out, identities.home());
    out.recovery = reply.info.recovery;
    if (reply.info.store) out.stores.push_back(*reply.info.store);
    out.proven = shown_time(reply.info.proven);
    if (!reply.info.recoverable)
        context.say("warning: nobody showed lately that the escrow record opens: strongroom prove --server " +
                    out.server);
    return out;
}

// Whose subkey it is, as far as the user's own GnuPG home knows.
std::string owner_of(const std::vector<gpg::Key>& keys, const std::string& key_id) {
    for (const auto& key : keys)
        for (const auto& subkey : key.subkeys)
            if (gpg::key_id_of(subkey.fingerprint) == key_id) return key.fingerprint;
    return key_id;
}

// The SHA-256 of the text in the store, if it is the one that this version writes: then nobody changed it.
std::string genuine_text(Context& context, storage::ObjectStore& store, const SheetFacts& facts) {
    std::string why;
    try {
        const std::string text = backupset::recovery_text(facts.server, facts.identity);
        if (store.get(backupset::recovery_text_key(facts.server), max_text).view() == text)
            return sha256_hex(text);
        why = "is of another version, or was changed";
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;
        why = "is missing";
    }
    context.say("warning: RECOVERY.txt in " + store.label() + " " + why +
                "; the agent's next backup writes it");
    return "";
}

void add_store(Context& context, const Arguments& arguments, const std::string& url,
               const std::vector<gpg::Key>& keys, SheetFacts& out) {
    PatientStore store(context, url);
    const StoreServer server(context, *store, arguments.server, arguments.identity);
    out.identity = server.identity;
    add_subkeys(out, server.verify_home());
    const auto records = backupset::read_escrow_records(*store, server.id);
    for (const auto& record : records)
        for (const auto& key_id : gpg::recipient_key_ids(record.record)) {
            const std::string owner = owner_of(keys, key_id);
            if (std::ranges::find(out.recovery, owner) == out.recovery.end()) out.recovery.push_back(owner);
        }
    if (out.subkeys.empty() ||
        std::ranges::find(records, out.subkeys.front(), &backupset::EscrowRecord::subkey) == records.end())
        context.say("warning: the decryption key in use is not in escrow in " + store->label() +
                    ": run `strongroom-agent escrow` on the host");
    const std::string digest = genuine_text(context, *store, out);
    out.text_digest = out.stores.empty() || out.text_digest == digest ? digest : "";
    out.stores.push_back(store->label());
}

SheetFacts from_stores(Context& context, const Arguments& arguments) {
    SheetFacts out;
    out.server = arguments.server;
    const auto keys = gpg::list_keys(gpg::Home::use(context.config.gpg_home));
    for (const auto& url : arguments.stores) add_store(context, arguments, url, keys, out);
    return out;
}

void warn_without_key(Context& context, const SheetFacts& facts) {
    for (const auto& key : gpg::list_keys(gpg::Home::use(context.config.gpg_home), true))
        if (std::ranges::find(facts.recovery, key.fingerprint) != facts.recovery.end()) return;
    context.say("warning: your GnuPG home holds no secret key of these recovery keys");
}

enum class Format { terminal, plain, text, pdf };

Format format_of(const std::string& output) {
    if (output.empty()) return ::isatty(STDOUT_FILENO) == 1 ? Format::terminal : Format::plain;
    if (output.ends_with(".pdf")) return Format::pdf;
    if (output.ends_with(".txt")) return Format::text;
    throw Error(ErrorKind::usage, "--output must end in .pdf or .txt: " + printable_line(output, 200));
}

// On a terminal the code needs its own colours: black on white, with a quiet zone.
void print_code(std::ostream& out, const QrCode& code) {
    const std::string colours = "    \x1b[38;5;16;48;5;231m    ";
    const auto quiet = [&] { out << colours << std::string(code.size() + 4, ' ') << "\x1b[0m\n"; };
    quiet();
    quiet();
    for (const auto& line : code.lines()) out << colours << line << "    \x1b[0m\n";
    quiet();
    quiet();
}

void write(const std::string& path, BytesView bytes) {
    NewFile file(path);
    write_all(file.fd(), bytes.data(), bytes.size(), ErrorKind::storage, path.c_str());
    file.commit();
}

void print_json(Context& context, const SheetFacts& facts, const std::string& output) {
    Json out{{"server", facts.server},         {"identity", facts.identity}, {"subkeys", facts.subkeys},
             {"recovery", facts.recovery},     {"stores", facts.stores},     {"made", format_utc(facts.made)},
             {"qr", sheet_fingerprints(facts)}};
    if (!facts.label.empty()) out["label"] = facts.label;
    if (!facts.text_digest.empty()) out["recovery_text_sha256"] = facts.text_digest;
    if (!facts.proven.empty()) out["proven"] = facts.proven;
    if (!output.empty()) out["file"] = std::filesystem::absolute(output).string();
    context.print_json(out);
}

void run(Context& context, const Arguments& arguments) {
    const Format format = format_of(arguments.output);  // before anything is asked
    SheetFacts facts =
        arguments.stores.empty() ? from_dispatcher(context, arguments) : from_stores(context, arguments);
    facts.s3_endpoint = context.config.stores.s3.endpoint;
    facts.made = context.clock.now();
    warn_without_key(context, facts);
    const auto parts = sheet_parts(facts);
    const QrCode code(sheet_fingerprints(facts));
    if (format == Format::pdf)
        write(arguments.output, sheet_pdf(parts, code, arguments.paper == "a4" ? Paper::a4 : Paper::letter));
    if (format == Format::text) write(arguments.output, sheet_text(parts, code));
    if (context.config.json) return print_json(context, facts, arguments.output);
    if (!arguments.output.empty())
        return context.say("written: " + arguments.output + ". Print it, and check it against `" +
                           "strongroom-agent status` on the host.");
    context.out << sheet_text(parts, std::nullopt);
    if (format == Format::terminal) print_code(context.out, code);
}

}  // namespace

void add_recovery_sheet_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "recovery-sheet",
        "One page to print: fingerprints, store, and how to recover a server. It holds no secret",
        "strongroom recovery-sheet --server UUID --store s3://backups/mysql --output sheet.pdf",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    command
        ->add_option("--store", arguments->stores,
                     "From this store, without the dispatcher (repeat for each store that has the server)")
        ->type_name("URL")
        ->allow_extra_args(false);
    add_identity_option(*command, arguments->identity);
    command->add_option("--output", arguments->output, "New file: FILE.pdf or FILE.txt; default: the screen")
        ->type_name("FILE");
    command->add_option("--paper", arguments->paper, "Of the PDF")
        ->check(CLI::IsMember({"a4", "letter"}))
        ->capture_default_str();
}

}  // namespace strongroom::client
