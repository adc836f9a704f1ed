// Envelopes of a server rewrapped by its user, with the recovered key: for hosts whose credentials may only
// put, so that a rotation there cannot read what it has to replace (docs/rotation.md).
#include "common/backupset/rewrap.hpp"

#include <algorithm>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/stage_progress.hpp"
#include "client/command/store_server.hpp"
#include "client/recovery/recover.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string store;
    std::string identity;
    std::string home;
    int workers = 0;
};

// The server's newest subkey. Whoever can write the store could put an older public key there, whose subkey
// was stolen: so it must know every subkey that was recovered.
std::string newest_subkey(const StoreServer& server, const RecoveredHome& recovered) {
    if (server.identity != server.identities().newest())
        throw Error(ErrorKind::refused,
                    "agent.asc in the store is the former identity key " + group_fingerprint(server.identity),
                    "The change of it is not done yet, or somebody put the old key there: strongroom-agent "
                    "identity show on the host.");
    const auto key = gpg::find_key(server.verify_home(), server.identity);
    const auto all = gpg::list_keys(server.verify_home());
    for (const auto& subkey : recovered.subkeys)
        if (std::ranges::none_of(all, [&](const gpg::Key& one) { return one.owns(subkey); }))
            throw Error(ErrorKind::refused,
                        "agent.asc in the store does not know the subkey " + group_fingerprint(subkey) +
                            ", which was recovered",
                        "It is an older one: find out who changed it. strongroom-agent escrow on the host "
                        "writes it anew.");
    const auto* newest = key.encryption_subkey();
    if (newest == nullptr ||
        std::ranges::find(recovered.subkeys, newest->fingerprint) == recovered.subkeys.end())
        throw Error(ErrorKind::not_found,
                    "the secret of the server's newest decryption subkey was not recovered into this folder",
                    "Recover the server's key again: strongroom recover --server " + server.id);
    return newest->fingerprint;
}

void run(Context& context, const Arguments& arguments) {
    const auto recovered = open_recovered_home(arguments.home, arguments.server);
    const auto home = gpg::Home::use(arguments.home);
    PatientStore store(context, arguments.store);
    const StoreServer server(context, *store, arguments.server, arguments.identity);
    const std::string subkey = newest_subkey(server, recovered);
    StageProgress progress(context);
    const auto result = backupset::rewrap_envelopes(
        {server.id, subkey, arguments.workers}, *store, home, {}, [&](std::size_t done, std::size_t total) {
            context.check_interrupted();
            progress.update("rewrapping", static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
        });
    progress.finish();
    Json problems = Json::array();
    for (const auto& one : result.problems) problems.push_back({{"set", one.set}, {"text", one.text}});
    if (context.config.json) {
        context.print_json({{"server", server.id},
                            {"subkey", subkey},
                            {"sets", result.sets},
                            {"rewrapped", result.rewrapped},
                            {"problems", std::move(problems)}});
    } else {
        context.out << result.rewrapped << " of " << result.sets << " envelopes were rewrapped for "
                    << group_fingerprint(subkey) << "; all of them were opened with it\n";
        for (const auto& one : result.problems) context.out << "set " << one.set << ": " << one.text << '\n';
    }
    if (!result.problems.empty())
        throw Error(ErrorKind::corrupt,
                    std::to_string(result.problems.size()) + " set(s) cannot be rewrapped",
                    "Copy their envelope.gpg from another copy of the store, or remove those sets.");
    context.say("On the host, end the rotation: strongroom-agent rotate --rewrapped");
}

}  // namespace

void add_rewrap_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "rewrap",
        "Rewrap every set's envelope for the server's newest key, with its recovered keys: where the host's\n"
        "own credentials may only put, this is the part of a rotation that it cannot do",
        "strongroom recover --server UUID --into ~/recovered\n"
        "  strongroom rewrap --server UUID --store s3://backups/mysql --home ~/recovered",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    add_store_option(*command, arguments->store);
    add_identity_option(*command, arguments->identity);
    command->add_option("--home", arguments->home, "The folder that recover made")
        ->required()
        ->type_name("DIR");
    command->add_option("--workers", arguments->workers, "Envelopes at once (default: twice the cores)")
        ->check(CLI::Range(0, 256));
}

}  // namespace strongroom::client
