// The audit trail on the command line.
#include <iostream>

#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/base/printable.hpp"
#include "common/term/table.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/audit/chain.hpp"
#include "dispatcher/audit/trail.hpp"

namespace strongroom::dispatcher {
namespace {

Json to_json(const AuditEntry& entry) {
    return {{"seq", entry.seq},       {"id", entry.id},         {"time", format_utc(from_millis(entry.time))},
            {"time_ms", entry.time},  {"owner", entry.owner},   {"actor", entry.actor},
            {"action", entry.action}, {"object", entry.object}, {"outcome", entry.outcome},
            {"text", entry.text},     {"hash", entry.hash}};
}

}  // namespace

void show_audit(const AuditShowOptions& options) {
    const State state = open_state(options.state);
    const std::int64_t since = options.since.empty() ? 0 : to_millis(parse_time(options.since));
    const auto store = open_store(state);
    if (options.json) {  // one object a line, so that a long trail streams
        for_each_entry(*store, [&](const AuditEntry& entry) {
            if (entry.time >= since) std::cout << to_json(entry).dump() << "\n";
        });
        std::cout << std::flush;
        return;
    }
    term::Table table(
        {{"SEQ", term::Align::right}, {"TIME"}, {"ACTOR"}, {"ACTION"}, {"OBJECT"}, {"OUTCOME"}, {"TEXT"}});
    for_each_entry(*store, [&](const AuditEntry& entry) {
        if (entry.time < since) return;
        table.add({std::to_string(entry.seq), format_utc(from_millis(entry.time)), entry.actor, entry.action,
                   entry.object, entry.outcome, entry.text});
    });
    table.print(std::cout, "no entries");
}

void verify_audit(const AuditVerifyOptions& options) {
    for (const auto& head : options.heads)
        if (!is_sha256_hex(head))
            throw Error(ErrorKind::usage, "not the digest of an audit entry: " + printable_line(head, 80),
                        "As `audit verify` prints it: 64 lower-case hexadecimal digits.");
    const auto store = open_store(open_state(options.state));
    ChainCheck check(options.heads);
    for_each_entry(*store, [&](const AuditEntry& entry) { check.next(entry); });
    const auto problems = check.finish();
    if (options.json) {
        const Json out{{"entries", check.count()},
                       {"head", {{"seq", check.head().seq}, {"hash", check.head().hash}}},
                       {"whole", problems.empty()},
                       {"problems", problems}};
        std::cout << out.dump() << std::endl;
    } else {
        for (const auto& problem : problems) std::cout << problem << "\n";
        std::cout << check.count() << " entries, head " << check.head().hash << "\n";
        if (problems.empty())
            std::cout << "The chain is whole"
                      << (options.heads.empty()
                              ? ". Keep count and head elsewhere: that the newest entries were not cut "
                                "off shows only against a head that was kept (--head).\n"
                              : " and holds every head that was given.\n");
    }
    if (!problems.empty())
        throw Error(ErrorKind::corrupt,
                    "the audit trail is not whole: " + std::to_string(problems.size()) +
                        " break(s), the first: " + problems.front(),
                    "Keep the file as it is and compare it with the dispatcher's backups.");
}

}  // namespace strongroom::dispatcher
