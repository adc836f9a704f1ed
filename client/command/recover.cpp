#include "client/recovery/recover.hpp"

#include "client/command/commands.hpp"
#include "client/command/escrow_origin.hpp"
#include "client/command/shared_options.hpp"
#include "common/base/ids.hpp"
#include "common/term/table.hpp"

namespace strongroom::client {
namespace {

struct Arguments {
    std::string server;
    std::string into;
    std::string store;
    std::string as_of;
    std::string identity;
};

void run(Context& context, const Arguments& arguments) {
    const auto [escrow, identities] =
        trusted_escrow(context, arguments.server, arguments.store, arguments.identity, arguments.as_of);
    const auto recovered =
        recover(escrow, identities, gpg::Home::use(context.config.gpg_home), arguments.into);
    for (const auto& problem : recovered.problems) context.say("warning: not recovered: " + problem);
    const std::string& identity = identities.newest();
    if (!arguments.identity.empty())
        context.known_servers().pin(arguments.server, identity, context.clock.now());

    const auto into = std::filesystem::absolute(arguments.into).string();
    if (context.config.json)
        return context.print_json({{"server", recovered.server},
                                   {"identity", recovered.identity},
                                   {"subkeys", recovered.subkeys},
                                   {"home", into},
                                   {"problems", recovered.problems}});
    term::print_fields(context.out, {{"server", recovered.server},
                                     {"identity key", group_fingerprint(identity)},
                                     {"decryption subkeys", std::to_string(recovered.subkeys.size())},
                                     {"home", into}});
    context.say("Next: strongroom restore --server " + arguments.server + " --store URL --home " + into +
                " --datadir DIR");
}

}  // namespace

void add_recover_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "recover", "Open a server's escrowed key with your own gpg, into a new folder",
        "strongroom recover --server UUID --into ~/recovered\n"
        "  strongroom recover --server UUID --store file:///srv/backups --identity FPR --into ~/recovered",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    command->add_option("--into", arguments->into, "New folder for the key (GnuPG home)")
        ->required()
        ->type_name("DIR");
    command->add_option("--store", arguments->store, "Take the record from the store; needs no dispatcher")
        ->type_name("URL");
    add_as_of_option(*command, arguments->as_of);
    add_identity_option(*command, arguments->identity);
}

}  // namespace strongroom::client
