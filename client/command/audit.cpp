#include "client/command/commands.hpp"
#include "common/term/table.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

void list(Context& context, std::int64_t limit) {
    const auto reply = context.session().ask(proto::AuditList{limit});
    if (context.config.json) return context.print_json(to_json(reply));
    term::Table table({{"SEQ", term::Align::right}, {"TIME"}, {"ACTOR"}, {"ACTION"}, {"OBJECT"}, {"TEXT"}});
    for (const auto& one : reply.entries)
        table.add(
            {std::to_string(one.seq), shown_time(one.time), one.actor, one.action, one.object, one.text});
    table.print(context.out, "nothing audited yet");
}

}  // namespace

void add_audit_commands(Commands& commands) {
    CLI::App* group = commands.group("audit", "What was done with your servers");
    auto limit = std::make_shared<std::int64_t>(100);
    commands
        .add(group, "list", "Audit entries, newest first", "strongroom audit list --limit 20",
             [limit](Context& c) { list(c, *limit); })
        ->add_option("--limit", *limit, "How many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
}

}  // namespace strongroom::client
