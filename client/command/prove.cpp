#include <algorithm>
#include <optional>

#include "client/command/commands.hpp"
#include "client/command/escrow_origin.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/trusted_identity.hpp"
#include "client/recovery/recover.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/message.hpp"
#include "common/gpg/packets.hpp"
#include "common/term/table.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_text = 1024;

struct Arguments {
    std::string server;
    std::string store;
    std::string identity;
};

// In memory where there is such a folder: the opened key never lies on a disk.
fs::path private_base() {
    const fs::path memory = "/dev/shm";
    std::error_code ignored;
    return fs::is_directory(memory, ignored) ? memory : fs::path("/tmp");
}

// The home with the opened key, for the time of a proof.
class OpenedKey {
  public:
    OpenedKey(const Escrow& escrow, const Identities& identities, const gpg::Home& user_home)
        : folder_(private_base(), ".sr"),
          recovered_(recover(escrow, identities, user_home, folder_.path() / "h")),
          home_(gpg::Home::use(folder_.path() / "h")) {}
    ~OpenedKey() { home_.stop_daemons(); }
    OpenedKey(const OpenedKey&) = delete;
    const RecoveredHome& recovered() const { return recovered_; }
    const gpg::Home& home() const { return home_; }

  private:
    TempDir folder_;
    RecoveredHome recovered_;
    gpg::Home home_;
};

[[noreturn]] void refuse(const std::string& text) {
    throw Error(ErrorKind::refused, text,
                "The dispatcher may be dishonest or damaged. Nothing was answered, nothing is proven.");
}

// What stands in the challenge, if it is one: exactly its lines, for this server, subkey, user and challenge.
// Nothing else is ever answered: opening an envelope for a dispatcher would give it a set's passphrase.
std::string challenge_text(const Bytes& message, const OpenedKey& key, proto::ChallengeText expected) {
    if (gpg::recipient_key_ids(message) != std::vector{gpg::key_id_of(expected.subkey)})
        refuse("the challenge for subkey " + expected.subkey + " is encrypted to another key");
    const Secret opened = gpg::decrypt(key.home(), message, max_text);
    const std::string_view text = opened.reveal();
    constexpr std::size_t nonce_line = 64 + 1;
    if (text.size() > nonce_line) expected.nonce = text.substr(text.size() - nonce_line, 64);
    if (!is_sha256_hex(expected.nonce) || text != expected.text())
        refuse("what came as a challenge for subkey " + expected.subkey +
               " is something else, or meant for another server, user or challenge");
    return expected.text();
}

// One part of the challenge, answered with the escrow record of `escrow`.
proto::EscrowProve::Answer answer(const proto::EscrowChallenge::Item& item, const Escrow& escrow,
                                  const OpenedKey& key, const proto::ChallengeText& expected) {
    const auto record = std::ranges::find(escrow.records, item.subkey, &backupset::EscrowRecord::subkey);
    if (record == escrow.records.end())
        throw Error(ErrorKind::not_found, escrow.origin + " holds no escrow record of subkey " + item.subkey);
    if (sha256_hex(record->record) != item.sha256)
        throw Error(ErrorKind::corrupt,
                    "the escrow record of subkey " + item.subkey + " in " + escrow.origin +
                        " is not the one that the dispatcher holds",
                    "One of them was changed. Deposit it again on the host (strongroom-agent escrow), and "
                    "find out who changed it.");
    const auto& opened = key.recovered();
    if (std::ranges::find(opened.subkeys, item.subkey) == opened.subkeys.end())
        throw Error(ErrorKind::crypto,
                    "the escrow record of subkey " + item.subkey + " does not open with your key" +
                        (opened.problems.empty() ? "" : ": " + opened.problems.front()),
                    "This server is NOT recoverable by you. Deposit a record for your key on the host.");
    return {item.subkey, item.sha256, sha256_hex(challenge_text(from_base64(item.message), key, expected))};
}

// Whether each part of the challenge is about a record of `escrow`.
bool is_about(const proto::EscrowChallenge::Reply& challenge, const Escrow& escrow) {
    return std::ranges::all_of(challenge.items, [&](const auto& item) {
        return std::ranges::any_of(escrow.records, [&](const auto& one) {
            return one.subkey == item.subkey && sha256_hex(one.record) == item.sha256;
        });
    });
}

void run(Context& context, const Arguments& arguments) {
    const auto user = user_fingerprint(context.config);
    std::optional<OpenedKey> key;
    const auto open = [&] {
        auto [escrow, identities] =
            trusted_escrow(context, arguments.server, arguments.store, arguments.identity);
        key.emplace(escrow, identities, gpg::Home::use(context.config.gpg_home));
        return std::move(escrow);
    };
    Escrow escrow = open();
    const auto challenge = context.session().ask(proto::EscrowChallenge{arguments.server});
    // The host may have deposited anew meanwhile: only what does not fit the second time either is told.
    if (!is_about(challenge, escrow)) {
        context.say("these are not the records that the dispatcher asks about: reading them once more");
        escrow = open();
    }
    proto::EscrowProve proof{arguments.server, challenge.challenge, {}};
    for (const auto& item : challenge.items) {
        try {
            proof.answers.push_back(
                answer(item, escrow, *key, {arguments.server, item.subkey, user, challenge.challenge, {}}));
        } catch (const Error& error) {
            // The first is the subkey in use; older ones matter only to sets that are not rewrapped yet.
            if (proof.answers.empty() || error.kind() == ErrorKind::refused) throw;
            context.say("warning: not proven for an older key: " + error.text());
        }
    }
    if (proof.answers.empty()) refuse("the challenge is empty");
    const auto reply = context.session().ask(proof);

    std::string subkeys;
    for (const auto& answer : proof.answers)
        subkeys += (subkeys.empty() ? "" : ", ") + group_fingerprint(answer.subkey);
    if (context.config.json) {
        Json list = Json::array();
        for (const auto& answer : proof.answers)
            list.push_back({{"subkey", answer.subkey}, {"sha256", answer.sha256}});
        return context.print_json({{"server", arguments.server},
                                   {"proven", reply.proven},
                                   {"records_from", escrow.origin},
                                   {"records", std::move(list)}});
    }
    context.out << "Server " << arguments.server << " is recoverable: proven.\n";
    term::print_fields(context.out, {{"decryption subkeys", subkeys},
                                     {"escrow record from", escrow.origin},
                                     {"proven at", shown_time(reply.proven)}});
}

}  // namespace

void add_prove_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "prove",
        "Prove that you can recover a server: open its escrow and answer the dispatcher's challenge with it",
        "strongroom prove --server UUID\n  strongroom prove --server UUID --store file:///srv/backups        "
        "(with the record in the store)",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    command->add_option("--store", arguments->store, "Use the record in this store; it must be the same one")
        ->type_name("URL");
    add_identity_option(*command, arguments->identity);
}

}  // namespace strongroom::client
