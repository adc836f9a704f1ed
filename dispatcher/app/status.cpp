// `strongroom-dispatcher status`: works beside a dispatcher that serves and without one.
#include <algorithm>
#include <iostream>

#include "common/base/json_fields.hpp"
#include "common/base/printable.hpp"
#include "common/term/table.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/facts.hpp"
#include "dispatcher/store/sqlite/instance_lock.hpp"
#include "dispatcher/store/sqlite/schema.hpp"

namespace strongroom::dispatcher {
namespace {

// The dispatcher writes at least each 10 s; a write that waits for a lock takes 5.
constexpr std::int64_t writable_within = 40'000;

struct Status {
    bool running = false;
    std::int64_t now = 0;
    std::int64_t started = 0;
    std::int64_t writable = 0;  // when it last could write
    std::string version;        // that started last
    std::int64_t pid = 0;
    std::string address;
    std::string admin_address;
    std::int64_t servers = 0;
    std::map<std::string, std::int64_t> jobs;
    Job oldest_due;  // id empty: no job waits
    std::vector<ServerFacts> silent;
    std::vector<ServerFacts> without_escrow;
    std::vector<Alert> alerts;
    std::int64_t deliveries_pending = 0;
    std::int64_t own_backup = 0;
    AuditHead audit;
    std::int64_t schema = 0;
    Disk disk;
    std::vector<std::string> problems;  // why it is not healthy
};

std::string time_text(std::int64_t millis) {
    return millis == 0 ? "never" : format_utc(from_millis(millis));
}

std::string size_text(std::int64_t bytes) {
    return std::to_string(bytes >> 20) + " MiB";
}

// One line, with at most three names.
std::string names(const std::vector<ServerFacts>& servers) {
    std::string out = std::to_string(servers.size());
    for (std::size_t i = 0; i < servers.size() && i < 3; ++i)
        out += (i == 0 ? ": " : ", ") +
               (servers[i].label.empty() ? servers[i].uuid : printable_line(servers[i].label, 60));
    return servers.size() > 3 ? out + ", ..." : out;
}

Status read_status(const StatusOptions& options) {
    const State state = open_state(options.state);
    Status out;
    const SystemClock clock;
    out.now = to_millis(clock.now());
    out.running = InstanceLock::is_held(state.database);
    out.disk = measure_disk(state);
    const auto store = open_store(state);
    out.schema = static_cast<std::int64_t>(schema_steps().size());  // open_store() accepts no other
    store->read([&](Transaction& tx) {
        out.started = service_number(tx, "started");
        out.writable = service_number(tx, "writable");
        out.version = tx.service_value("version");
        out.pid = service_number(tx, "pid");
        out.address = tx.service_value("address");
        out.admin_address = tx.service_value("admin_address");
        out.own_backup = service_number(tx, "own_backup");
        out.servers = tx.counts().servers;
        out.jobs = tx.jobs_by_state();
        if (const auto due = tx.oldest_queued_job()) out.oldest_due = *due;
        out.alerts = tx.open_alerts();
        out.deliveries_pending = tx.pending_deliveries();
        out.audit = tx.audit_head();
    });
    const Facts facts = gather_facts(*store, out.disk, out.now, out.running ? out.started : out.now);
    for (const auto& finding : evaluate(facts, options.limits).findings) {
        for (const auto& server : facts.servers) {
            if (server.uuid != finding.server) continue;
            if (finding.rule == "agent_silent") out.silent.push_back(server);
            if (finding.rule == "escrow_missing") out.without_escrow.push_back(server);
        }
    }
    if (!out.running) out.problems.emplace_back("no dispatcher serves this state");
    if (out.running && out.now - out.writable > writable_within)
        out.problems.push_back("the dispatcher could not write its database since " +
                               time_text(out.writable));
    const auto notices = std::ranges::count(out.alerts, "notice", &Alert::severity);  // news, not trouble
    if (const auto open = static_cast<std::ptrdiff_t>(out.alerts.size()) - notices; open > 0)
        out.problems.push_back(std::to_string(open) + " alert(s) open");
    return out;
}

void print_json(const Status& status) {
    const auto uuids = [](const std::vector<ServerFacts>& servers) {
        Json out = Json::array();
        for (const auto& server : servers) out.push_back(server.uuid);
        return out;
    };
    const auto time = [](std::int64_t millis) {
        return millis == 0 ? Json() : Json(format_utc(from_millis(millis)));
    };
    Json alerts = Json::array();
    for (const auto& alert : status.alerts)
        alerts.push_back({{"rule", alert.rule},
                          {"severity", alert.severity},
                          {"server", alert.server},
                          {"text", alert.text}});
    Json out{{"healthy", status.problems.empty()},
             {"problems", status.problems},
             {"running", status.running},
             {"version", STRONGROOM_VERSION},
             {"servers", status.servers},
             {"jobs", status.jobs},
             {"agents_silent", uuids(status.silent)},
             {"escrow_missing", uuids(status.without_escrow)},
             {"alerts", std::move(alerts)},
             {"deliveries_pending", status.deliveries_pending},
             {"last_written", time(status.writable)},
             {"own_backup", time(status.own_backup)},
             {"audit", {{"entries", status.audit.seq}, {"head", status.audit.hash}}},
             {"schema_version", status.schema},
             {"database_bytes", status.disk.database},
             {"disk_free_bytes", status.disk.free},
             {"disk_total_bytes", status.disk.total}};
    if (status.running) {
        out["serving"] = {
            {"version", status.version},       {"pid", status.pid},
            {"started", time(status.started)}, {"uptime_s", (status.now - status.started) / 1000},
            {"address", status.address},       {"admin_address", status.admin_address}};
    }
    if (!status.oldest_due.id.empty())
        out["oldest_due_job"] = {{"job", status.oldest_due.id},
                                 {"kind", status.oldest_due.kind},
                                 {"server", status.oldest_due.server},
                                 {"created", time(status.oldest_due.created)},
                                 {"age_s", (status.now - status.oldest_due.created) / 1000}};
    std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
}

void print_table(const Status& status) {
    const auto age = [&](std::int64_t from) {
        return format_duration(std::chrono::milliseconds(status.now - from));
    };
    std::string jobs;
    for (const auto& [state, count] : status.jobs)
        jobs += (jobs.empty() ? "" : ", ") + std::to_string(count) + " " + state;
    const auto& due = status.oldest_due;
    term::print_fields(
        std::cout,
        {{"health", status.problems.empty() ? "good" : "NOT GOOD"},
         {"version", STRONGROOM_VERSION},
         {"serving", status.running ? "version " + status.version + ", process " +
                                          std::to_string(status.pid) + ", for " + age(status.started) +
                                          ", on " + status.address + ", admin on " + status.admin_address
                                    : "no; last started " + time_text(status.started)},
         {"last written", time_text(status.writable)},
         {"servers", std::to_string(status.servers)},
         {"jobs", jobs.empty() ? "none" : jobs},
         {"oldest due job",
          due.id.empty() ? "none" : due.kind + " " + due.id + ", waits for " + age(due.created)},
         {"agents silent", names(status.silent)},
         {"escrow not made", names(status.without_escrow)},
         {"alerts", std::to_string(status.alerts.size()) + " open, " +
                        std::to_string(status.deliveries_pending) + " notification(s) to deliver"},
         {"own backup", time_text(status.own_backup)},
         {"audit trail", std::to_string(status.audit.seq) + " entries, head " + status.audit.hash},
         {"database", size_text(status.disk.database) + ", schema version " + std::to_string(status.schema)},
         {"disk free", size_text(status.disk.free) + " of " + size_text(status.disk.total)}});
    for (const auto& problem : status.problems) std::cout << "problem: " << problem << "\n";
    for (const auto& alert : status.alerts)
        std::cout << "  " << alert.severity << " " << alert.rule << " "
                  << printable_line(alert.label.empty() ? alert.server : alert.label, 80) << ": "
                  << printable_line(alert.text) << "\n";
}

}  // namespace

bool show_status(const StatusOptions& options) {
    const Status status = read_status(options);
    if (options.json)
        print_json(status);
    else
        print_table(status);
    return status.problems.empty();
}

}  // namespace strongroom::dispatcher
