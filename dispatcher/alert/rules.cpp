#include "dispatcher/alert/rules.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "common/base/cron.hpp"
#include "common/base/printable.hpp"

namespace strongroom::dispatcher {
namespace {

// What an agent says that makes no backups: it verifies the sets of other servers.
constexpr std::string_view no_source = "none";

std::string age(std::int64_t from, std::int64_t now) {
    return format_duration(std::chrono::milliseconds(std::max(now - from, INT64_C(0))));
}

std::string moment(std::int64_t millis) {
    return format_utc(from_millis(millis));
}

std::int64_t ms(std::chrono::seconds time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

std::string ended(const std::string& kind, const std::string& id, std::string_view state,
                  std::int64_t finished, const std::string& error) {
    return "the " + kind + " job " + id + " ended as " + std::string(state) + " at " + moment(finished) +
           ": " + printable_line(error, 300);
}

// The rules for one server, with its name in each finding.
class ServerRules {
  public:
    ServerRules(const ServerFacts& server, const Facts& facts, const AlertLimits& limits,
                std::vector<Finding>& out)
        : server_(server), facts_(facts), limits_(limits), out_(out) {}

    void backup_failed() {
        const bool failed = server_.last_job_state == "failed" || server_.last_job_state == "expired";
        if (!failed || server_.last_backup > server_.last_job_finished) return;
        add("backup_failed", "critical",
            ended("backup", server_.last_job, server_.last_job_state, server_.last_job_finished,
                  server_.last_job_error),
            "Do what the text says on that host; strongroom job list --server " + server_.uuid +
                " says more.");
    }

    void backup_missing() {
        if (!server_.cron.empty())
            slot_missed("backup", server_.cron, server_.splay, server_.schedule_created, server_.last_full);
        // An increment's slot is served by any backup.
        if (!server_.increment_cron.empty())
            slot_missed("increment", server_.increment_cron, server_.increment_splay,
                        server_.increment_created, server_.last_backup);
        if (!server_.cron.empty() || !server_.increment_cron.empty()) return;
        if (facts_.by_group.contains(server_.uuid)) return;  // the group as a whole is looked at
        if (server_.source == no_source) return;
        const std::int64_t since = std::max(server_.last_backup, server_.registered);
        if (facts_.now - since <= ms(limits_.unscheduled_after)) return;
        add("backup_missing", "critical",
            (server_.last_backup == 0 ? "never backed up since its registration at "
                                      : "no backup since the one at ") +
                moment(since) + ", and it has no schedule",
            "strongroom schedule set --server " + server_.uuid + " --cron ..., or retire the server.");
    }

    void log_behind() {
        const auto known = facts_.logs.find(server_.uuid);
        if (known == facts_.logs.end()) return;
        const auto& logs = known->second;
        const std::int64_t since = logs.covered != 0 ? logs.covered : server_.registered;
        if (facts_.now - since <= ms(limits_.log_after)) return;
        add("log_behind", "critical",
            (logs.covered == 0 ? "nothing of its binary log is in the store"
                               : "its binary log is in the store up to " + moment(logs.covered) + " only") +
                (logs.problem ? ": " + printable_line(*logs.problem, 300) : std::string()),
            "What is committed since would be lost with the host. On it: strongroom-agent status");
    }

    void agent_silent() {
        if (facts_.now - server_.last_seen <= ms(limits_.silent_after)) return;
        add("agent_silent", "warning",
            "the agent is silent for " + age(server_.last_seen, facts_.now) + ", since " +
                moment(server_.last_seen),
            "On the host: systemctl status strongroom-agent; or retire the server: strongroom server "
            "retire " +
                server_.uuid);
    }

    void escrow_missing() {
        if (server_.escrowed != 0 || facts_.now - server_.registered <= ms(limits_.escrow_after)) return;
        add("escrow_missing", "critical",
            "its decryption key is not in escrow: if the host is lost, nobody can open its backups",
            "On the host: strongroom-agent escrow");
    }

    void not_recoverable() {
        if (server_.escrow_deposited == 0) return;  // escrow_missing tells it
        const bool never = server_.proven == 0;
        const auto limit =
            never ? std::min(limits_.first_proof_after, limits_.proof_after) : limits_.proof_after;
        const std::int64_t since = never ? server_.escrow_deposited : server_.proven;
        if (limit.count() == 0 || facts_.now - since <= ms(limit)) return;
        add("not_recoverable", "warning",
            never ? "nobody ever proved that its escrow record of " + moment(since) + " opens"
                  : "the last proof that its escrow record opens is from " + moment(since),
            "Its owner runs: strongroom prove --server " + server_.uuid);
    }

    void set_not_proven() {
        if (server_.restore_failed == 0 || server_.restored > server_.restore_failed) return;
        const std::string& by = server_.restore_failed_by;
        const auto host = std::ranges::find(facts_.servers, by, &ServerFacts::uuid);
        const bool there = host != facts_.servers.end();
        const std::string known = there ? printable_line(host->label, 100) + " (" + by + ")" : by;
        add("set_not_proven", "critical",
            "a backup set failed its proof by restoring" + (by.empty() ? "" : " on server " + known) +
                " at " + moment(server_.restore_failed) + ": " +
                printable_line(server_.restore_failed_text, 300),
            "Do not count on that set. Look into that host's log (AGENT_SET_NOT_PROVEN), make a new backup, "
            "and prove it: strongroom job create --server " +
                (there ? by : server_.uuid) + " --kind verify-full");
    }

    void rotation_due() {
        const auto limit = limits_.rotation_after;
        if (limit.count() == 0 || server_.rotates != 0 || server_.subkey_since == 0) return;
        if (facts_.now - server_.subkey_since <= ms(limit)) return;
        add("rotation_due", "notice",
            "its decryption key is in use since " + moment(server_.subkey_since) +
                ", and no schedule rotates it",
            "strongroom rotate --server " + server_.uuid +
                ", or a schedule: strongroom schedule set --kind rotate");
    }

    // Each request is an alert of its own, which ends by itself: it is told, and nothing has to be done.
    void escrow_fetched() {
        constexpr std::int64_t told_for = INT64_C(24) * 3600 * 1000;
        if (server_.fetched == 0 || facts_.now - server_.fetched > told_for) return;
        add("escrow_fetched", "notice",
            "its escrow records were given to user " + server_.fetched_by + " at " + moment(server_.fetched),
            "A drill (strongroom prove) and a recovery do this. If it was neither, ask that user.",
            "/" + std::to_string(server_.fetched));
    }

    void identity_changed() {
        constexpr std::int64_t told_for = INT64_C(24) * 3600 * 1000;
        if (server_.identity_changed == 0 || facts_.now - server_.identity_changed > told_for) return;
        add("identity_changed", "notice",
            "its identity key was changed at " + moment(server_.identity_changed) + " to " + server_.identity,
            "Its user approved this. If you did not: strongroom server identity --server " + server_.uuid,
            "/" + std::to_string(server_.identity_changed));
    }

    void key_expiring() {
        if (server_.key_expires == 0 || server_.key_expires - facts_.now > ms(limits_.key_notice)) return;
        const bool over = server_.key_expires <= facts_.now;
        add("key_expiring", over ? "critical" : "warning",
            "its key " + server_.identity + (over ? " expired at " : " expires at ") +
                moment(server_.key_expires),
            "Register the host anew with a key that does not expire.");
    }

  private:
    void slot_missed(const std::string& what, const std::string& schedule, std::int64_t splay,
                     std::int64_t created, std::int64_t last) {
        const std::string part = what == "backup" ? "" : "/" + what;
        const std::string shown = printable_line(schedule, 60);
        const auto cron = Cron::try_parse(schedule);
        if (!cron) {
            add("backup_missing", "critical",
                "its schedule \"" + shown + "\" cannot be read, so no " + what + " runs",
                "strongroom schedule set --server " + server_.uuid + " --cron ...", part);
            return;
        }
        const std::int64_t slot = to_millis(cron->next_after(from_millis(std::max(last, created))));
        if (facts_.now <= slot + splay * 1000 + ms(limits_.missing_after)) return;
        add("backup_missing", "critical",
            "the " + what + " due at " + moment(slot) + " (\"" + shown + "\" UTC) did not come; " +
                (last == 0 ? "there never was one" : "the last came at " + moment(last)),
            "Does the agent run and reach dispatcher and store? strongroom job list --server " + server_.uuid,
            part);
    }

    void add(const char* rule, const char* severity, const std::string& text, const std::string& hint,
             const std::string& part = {}) {
        out_.push_back({rule, server_.uuid + part, severity, server_.uuid, printable_line(server_.label, 100),
                        text, hint});
    }

    const ServerFacts& server_;
    const Facts& facts_;
    const AlertLimits& limits_;
    std::vector<Finding>& out_;
};

// A group as a whole: what any member has made counts for all.
class GroupRules {
  public:
    GroupRules(const GroupFacts& group, const Facts& facts, const AlertLimits& limits,
               std::vector<Finding>& out)
        : group_(group), facts_(facts), limits_(limits), out_(out) {}

    void backup_failed() {
        const bool failed = group_.last_job_state == "failed" || group_.last_job_state == "expired";
        if (!failed || group_.last_backup > group_.last_job_finished) return;
        add("backup_failed", ended(group_.kind, group_.last_job, group_.last_job_state,
                                   group_.last_job_finished, group_.last_job_error));
    }

    void backup_missing() {
        const auto cron = Cron::try_parse(group_.cron);
        const std::string shown = printable_line(group_.cron, 60);
        if (!cron) return add("backup_missing", "its schedule \"" + shown + "\" cannot be read");
        const std::int64_t last = group_.kind == "backup" ? group_.last_full : group_.last_backup;
        const std::int64_t slot = to_millis(cron->next_after(from_millis(std::max(last, group_.created))));
        if (facts_.now <= slot + group_.splay * 1000 + ms(limits_.missing_after)) return;
        add("backup_missing", "no member made the " + group_.kind + " due at " + moment(slot) + " (\"" +
                                  shown + "\" UTC); " +
                                  (group_.members == 0 ? "no server is in the group"
                                   : last == 0         ? "there never was one"
                                                       : "the last came at " + moment(last)));
    }

  private:
    void add(const char* rule, const std::string& text) {
        const std::string part = group_.kind == "backup" ? "" : "/increment";
        out_.push_back({rule, "group/" + group_.owner + "/" + group_.group + part, "critical", "",
                        "group " + group_.group, "group " + group_.group + ": " + text,
                        "strongroom group list says which member is fit, and why the others are not."});
    }

    const GroupFacts& group_;
    const Facts& facts_;
    const AlertLimits& limits_;
    std::vector<Finding>& out_;
};

void rules_of_jobs(const Facts& facts, std::vector<Finding>& out) {
    for (const auto& job : facts.failed_jobs) {
        const auto server = std::ranges::find(facts.servers, job.server, &ServerFacts::uuid);
        const bool critical = job.kind.starts_with("verify") || job.kind == "incremental";
        out.push_back(
            {"job_failed", job.server + "/" + job.kind, critical ? "critical" : "warning", job.server,
             server == facts.servers.end() ? "" : printable_line(server->label, 100),
             ended(job.kind, job.id, name(job.state), job.finished, job.problem.text),
             "Do what the text says; the alert ends when a job of this kind succeeds: strongroom job "
             "create --server " +
                 job.server + " --kind " + job.kind});
    }
}

void rules_of_keys(const Facts& facts, const AlertLimits& limits, std::vector<Finding>& out) {
    for (const auto& key : facts.keys) {
        if (key.expires == 0 || key.expires - facts.now > ms(limits.key_notice)) continue;
        const bool over = key.expires <= facts.now;
        out.push_back({"key_expiring", key.fingerprint, over ? "critical" : "warning", "", "",
                       "the key " + key.fingerprint + " of " + printable_line(key.whose, 120) +
                           (over ? " expired at " : " expires at ") + moment(key.expires),
                       "Whoever owns it extends it (gpg --quick-set-expire) and gives the operator the new "
                       "public key."});
    }
}

void rules_of_the_dispatcher(const Facts& facts, const AlertLimits& limits, std::vector<Finding>& out) {
    if (facts.disk_total > 0 && facts.disk_free * 100 < facts.disk_total * limits.disk_free_percent)
        out.push_back({"disk_low", "", "critical", "", "",
                       "the file system of the database has " + std::to_string(facts.disk_free >> 20) +
                           " MiB of " + std::to_string(facts.disk_total >> 20) + " MiB left",
                       "Make room: when it is full the dispatcher can acknowledge nothing."});
    const std::int64_t since = std::max(facts.own_backup, facts.created);
    if (limits.own_backup_after.count() > 0 && facts.now - since > ms(limits.own_backup_after))
        out.push_back({"own_backup", "", "warning", "", "",
                       facts.own_backup == 0
                           ? "the dispatcher's own state was never backed up"
                           : "the dispatcher's own state was last backed up at " + moment(facts.own_backup),
                       "strongroom-dispatcher backup --to FILE, by a timer; see docs/operator-guide.md"});
}

}  // namespace

const std::vector<std::string>& alert_rules() {
    static const std::vector<std::string> names{
        "backup_failed",    "backup_missing",  "job_failed",     "agent_silent", "log_behind",
        "escrow_missing",   "not_recoverable", "set_not_proven", "rotation_due", "escrow_fetched",
        "identity_changed", "key_expiring",    "disk_low",       "own_backup"};
    return names;
}

std::set<std::string> servers_by_group(const std::vector<ServerFacts>& servers,
                                       const std::vector<ServerStateReport>& states,
                                       const std::vector<GroupFacts>& groups) {
    std::set<std::pair<std::string, std::string>> scheduled;  // (owner, group)
    for (const auto& group : groups) scheduled.emplace(group.owner, group.group);
    std::map<std::string_view, std::string_view> owners;
    for (const auto& server : servers) owners[server.uuid] = server.owner;
    std::set<std::string> out;
    for (const auto& state : states) {
        const auto owner = owners.find(state.server);
        if (owner != owners.end() && scheduled.contains({std::string(owner->second), state.group}))
            out.insert(state.server);
    }
    return out;
}

Evaluation evaluate(const Facts& facts, const AlertLimits& limits) {
    Evaluation out;
    // While the dispatcher was away its agents could neither poll nor report.
    const bool settled = facts.now - facts.started > ms(limits.silent_after);
    if (!settled) out.undecided = {"agent_silent", "backup_missing", "log_behind"};
    for (const auto& server : facts.servers) {
        ServerRules rules(server, facts, limits, out.findings);
        rules.backup_failed();
        if (settled) {
            rules.backup_missing();
            rules.agent_silent();
            rules.log_behind();
        }
        rules.escrow_missing();
        rules.not_recoverable();
        rules.set_not_proven();
        rules.rotation_due();
        rules.escrow_fetched();
        rules.identity_changed();
        rules.key_expiring();
    }
    for (const auto& group : facts.groups) {
        GroupRules rules(group, facts, limits, out.findings);
        rules.backup_failed();
        if (settled) rules.backup_missing();
    }
    rules_of_jobs(facts, out.findings);
    rules_of_keys(facts, limits, out.findings);
    rules_of_the_dispatcher(facts, limits, out.findings);
    return out;
}

}  // namespace strongroom::dispatcher
