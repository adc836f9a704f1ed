#include <algorithm>
#include <set>

#include "client/command/commands.hpp"
#include "client/command/patient_store.hpp"
#include "client/command/shared_options.hpp"
#include "client/command/store_server.hpp"
#include "client/verification/verification_log.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/pruner.hpp"
#include "common/backupset/retention.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/config/quantity.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {
namespace {

using backupset::Standing;

constexpr std::chrono::hours unfinished_after{24};

struct Arguments {
    std::string store;
    std::string server;
    std::string identity;
    backupset::KeepRules rules;
    std::int64_t grace = 7 * 24 * 3600;  // seconds
    std::int64_t verified_within = 0;    // seconds
    bool drop_bad = false;
    bool apply = false;
};

// What becomes of one set folder.
struct Row {
    std::string set;
    std::int64_t bytes = 0;
    bool keep = true;
    std::string why;
    std::string action;  // "", "mark", "unmark", "wait until ...", "remove"
    std::int64_t objects = 0;
    storage::KeptVersions kept{};  // of a set that goes
};

class Prune {
  public:
    Prune(Context& context, const Arguments& arguments)
        : context_(context),
          arguments_(arguments),
          store_(context, arguments.store),
          server_(context, *store_, arguments.server, arguments.identity),
          log_(verification_log_file(context, server_.id), server_.id, server_.identity,
               log_signer(context, false)),
          now_(context.clock.now()),
          marks_(backupset::read_marks(*store_, server_.id)) {}

    std::vector<Row> plan() {
        std::vector<Row> rows = committed();
        for (const auto& one : backupset::unfinished_sets(*store_, server_.id, now_ - unfinished_after))
            rows.push_back({one.set, one.bytes, false, "unfinished", next_step(one.set, false, one.objects),
                            one.objects});
        std::ranges::sort(rows, {}, &Row::set);
        for (auto& row : rows)
            if (row.action == "remove")
                row.kept = store_->kept_versions(backupset::set_prefix(server_.id, row.set));
        return rows;
    }

    void apply(const std::vector<Row>& rows) {
        std::vector<std::string> removed;
        for (const auto& row : rows) {
            context_.check_interrupted();
            if (row.action == "mark")
                backupset::write_mark(*store_, server_.id, {row.set, format_utc(now_), row.why, row.objects});
            if (row.action == "unmark") backupset::remove_mark(*store_, server_.id, row.set);
            if (row.action != "remove") continue;
            context_.say("removing set " + row.set);
            backupset::remove_set(*store_, server_.id, row.set);
            log_.forget(row.set);
            removed.push_back(row.set);
        }
        if (removed.empty()) return;
        log_.save(log_.was_signed());
        tell_dispatcher(removed);
    }

  private:
    // So that its list stays true. Who prunes with the store alone has none to tell.
    void tell_dispatcher(const std::vector<std::string>& removed) {
        if (context_.config.dispatcher.empty() || context_.config.token_file.empty()) return;
        try {
            for (std::size_t at = 0; at < removed.size(); at += proto::max_list) {
                const auto first = removed.begin() + static_cast<std::ptrdiff_t>(at);
                const auto count = std::min(proto::max_list, removed.size() - at);
                context_.session().ask(
                    proto::BackupForget{server_.id, {first, first + static_cast<std::ptrdiff_t>(count)}});
            }
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::interrupted) throw;
            context_.say("warning: the dispatcher was not told, and lists what was removed: " + error.text() +
                         "\nTell it later: strongroom backup forget --server " + server_.id + " --set " +
                         removed.front() + (removed.size() > 1 ? " --set ..." : ""));
        }
    }

    std::vector<Row> committed() {
        std::vector<backupset::RetentionFact> facts;
        std::map<std::string, std::int64_t> bytes;
        std::map<std::string, std::string> remarks;
        for (const auto& one :
             backupset::list_sets(*store_, server_.id, server_.verify_home(), server_.identity)) {
            const auto begun = backupset::begun_at(one.set);
            facts.push_back({one.set, one.manifest ? one.manifest->parent : std::nullopt,
                             begun.value_or(UtcTime{}), begun ? standing(one) : Standing::not_verified});
            bytes[one.set] = one.manifest ? one.manifest->stored_total : 0;
            if (!one.manifest) remarks[one.set] = one.problem;
        }
        std::vector<Row> rows;
        for (const auto& decision : backupset::decide(arguments_.rules, facts, arguments_.drop_bad)) {
            std::string why = joined(decision.reasons);
            if (remarks.contains(decision.set)) why += ": " + remarks[decision.set];
            if (!decision.keep) why = "retention";
            rows.push_back({decision.set, bytes[decision.set], decision.keep, why,
                            next_step(decision.set, decision.keep, 0), 0});
        }
        return rows;
    }

    // A set counts as good only for the very manifest that was verified.
    Standing standing(const backupset::SetInfo& info) const {
        if (!info.manifest) return info.unreadable ? Standing::not_verified : Standing::not_good;
        const auto* entry = log_.find(info.set);
        if (entry == nullptr || entry->manifest_sha256 != info.manifest_sha256) return Standing::not_verified;
        if (!entry->good()) return Standing::not_good;
        const bool stale =
            arguments_.verified_within > 0 &&
            now_ - parse_utc(entry->verified) > std::chrono::seconds(arguments_.verified_within);
        return stale ? Standing::not_verified : Standing::good;
    }

    std::string next_step(const std::string& set, bool keep, std::int64_t objects) const {
        const auto mark = marks_.find(set);
        if (keep) return mark == marks_.end() ? "" : "unmark";
        if (mark == marks_.end() || mark->second.objects != objects) return grace() ? "mark" : "remove";
        const UtcTime due = parse_utc(mark->second.marked) + std::chrono::seconds(arguments_.grace);
        return due <= now_ ? "remove" : "wait until " + format_utc(due);
    }
    bool grace() const { return arguments_.grace > 0; }

    static std::string joined(const std::vector<std::string>& parts) {
        std::string out;
        for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
        return out;
    }

    Context& context_;
    const Arguments& arguments_;
    PatientStore store_;
    StoreServer server_;
    VerificationLog log_;
    UtcTime now_;
    std::map<std::string, backupset::PruneMark> marks_;
};

Json to_json(const storage::KeptVersions& kept) {
    return {{"versions", kept.versions},
            {"bytes", kept.bytes},
            {"locked_until", kept.locked_until ? Json(format_utc(*kept.locked_until)) : Json()}};
}

// What a store that keeps versions keeps of the sets that go.
void say_kept(Context& context, const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        if (row.kept.versions == 0) continue;
        std::string line = row.set +
                           " is hidden, and takes room still: " + std::to_string(row.kept.versions) +
                           " versions, " + term::format_bytes(row.kept.bytes);
        line += row.kept.locked_until
                    ? "; the last of them is locked until " + format_utc(*row.kept.locked_until)
                    : "; they are not locked";
        context.say(line + ". The bucket's owner or its lifecycle rule removes them");
    }
}

void print(Context& context, const Arguments& arguments, const std::vector<Row>& rows) {
    if (context.config.json) {
        Json sets = Json::array();
        for (const auto& row : rows)
            sets.push_back({{"set", row.set},
                            {"keep", row.keep},
                            {"why", row.why},
                            {"action", row.action},
                            {"stored_bytes", row.bytes},
                            {"kept", row.kept.versions > 0 ? to_json(row.kept) : Json()}});
        return context.print_json(
            {{"server", arguments.server}, {"applied", arguments.apply}, {"sets", std::move(sets)}});
    }
    term::Table table({{"SET"}, {"STORED", term::Align::right}, {"STAYS"}, {"WHY"}, {"STEP"}});
    std::size_t not_verified = 0;
    for (const auto& row : rows) {
        table.add({row.set, term::format_bytes(row.bytes), row.keep ? "yes" : "no", row.why, row.action});
        not_verified += row.why.starts_with("not verified") ? 1U : 0U;
    }
    table.print(context.out, "no backup set of this server");
    if (not_verified > 0)
        context.say(std::to_string(not_verified) +
                    " set(s) stay because they were not verified: strongroom verify --server " +
                    arguments.server + " --store URL");
    if (!arguments.apply) context.say("Nothing was changed. To do these steps: --apply");
}

void run(Context& context, const Arguments& arguments) {
    if (!arguments.rules.any())
        throw Error(ErrorKind::usage, "no rule says what stays",
                    "For example: --keep-daily 7 --keep-weekly 5 --keep-monthly 12");
    Prune prune(context, arguments);
    const auto rows = prune.plan();
    print(context, arguments, rows);
    if (!arguments.apply) return;
    prune.apply(rows);
    say_kept(context, rows);
}

}  // namespace

void add_prune_command(Commands& commands) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = commands.add(
        commands.program(), "prune",
        "Remove sets that no rule keeps: shows what would go, and does it with --apply.\n"
        "First a set is marked; it goes with a later run, after the grace time. Only sets that were "
        "verified\n"
        "(strongroom verify) count towards a rule; what was not verified stays, and so does the newest that\n"
        "can be restored. Sets that were begun and not finished a day later go the same way",
        "strongroom prune --server UUID --store file:///srv/backups --keep-daily 7 --keep-weekly 5\n"
        "  strongroom prune --server UUID --store file:///srv/backups --keep-last 10 --keep-within 30d "
        "--apply",
        [arguments](Context& c) { run(c, *arguments); });
    command->add_option("--server", arguments->server, "Server UUID")->required();
    add_store_option(*command, arguments->store);
    add_identity_option(*command, arguments->identity);
    const auto rule = [&](const char* name, std::int64_t& value, const char* text) {
        command->add_option(name, value, text)->check(CLI::Range(0, 100'000))->group("Rules");
    };
    rule("--keep-last", arguments->rules.last, "The newest N");
    rule("--keep-hourly", arguments->rules.hourly, "The newest of each of N hours that have one (UTC)");
    rule("--keep-daily", arguments->rules.daily, "... of N days");
    rule("--keep-weekly", arguments->rules.weekly, "... of N weeks, which begin on Monday");
    rule("--keep-monthly", arguments->rules.monthly, "... of N months");
    rule("--keep-yearly", arguments->rules.yearly, "... of N years");
    command
        ->add_option_function<std::int64_t>(
            "--keep-within",
            [arguments](std::int64_t seconds) { arguments->rules.within = std::chrono::seconds(seconds); },
            "All that are at most so much older than the newest: 30d")
        ->transform(config::as_duration())
        ->group("Rules");
    command->add_option("--grace", arguments->grace, "Time between mark and removal")
        ->transform(config::as_duration())
        ->default_str("7d");
    command
        ->add_option("--verified-within", arguments->verified_within,
                     "A verification counts only if it is not older (default: for ever)")
        ->transform(config::as_duration());
    command->add_flag("--drop-damaged", arguments->drop_bad,
                      "Sets that are not good go too, if a newer one can be restored");
    command->add_flag("--apply", arguments->apply, "Do the steps that are shown");
}

}  // namespace strongroom::client
