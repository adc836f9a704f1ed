#include "client/command/commands.hpp"
#include "proto/messages.hpp"
#include "proto/registration_code.hpp"

namespace strongroom::client {
namespace {

void create(Context& context, const std::string& label) {
    const std::string code = proto::make_registration_code();
    const auto reply =
        context.session().ask(proto::RegistrationCreate{label, proto::registration_code_hash(code)});
    if (context.config.json) return context.print_json({{"code", code}, {"expires", reply.expires}});
    context.out << code << '\n';
    context.say("valid once, until " + shown_time(reply.expires) +
                ". On the host: strongroom-agent register --dispatcher " + context.config.dispatcher +
                " --code CODE --recovery-key YOUR-PUBLIC-KEY.asc");
}

}  // namespace

void add_registration_commands(Commands& commands) {
    CLI::App* group = commands.group("registration", "Codes for new servers");
    auto label = std::make_shared<std::string>();
    commands
        .add(group, "create", "A single-use code for one new server",
             "strongroom registration create --label shop-db-1", [label](Context& c) { create(c, *label); })
        ->add_option("--label", *label, "What the server is for")
        ->required();
}

}  // namespace strongroom::client
