#include "dispatcher/schedule/job_audit.hpp"

#include "common/base/ids.hpp"
#include "common/base/printable.hpp"

namespace strongroom::dispatcher {

void audit_job(Transaction& tx, const Job& job, const std::string& whom, const std::string& action,
               const std::string& text, UtcTime now) {
    AuditEntry entry;
    entry.id = random_uuid();
    entry.time = to_millis(now);
    if (const auto server = tx.find_server(job.server)) entry.owner = server->owner;
    entry.actor = "scheduler";
    entry.action = action;
    entry.object = job.id;
    entry.outcome = "ok";
    entry.text = printable_line(job.kind + " for " + whom + ": " + text, 1500);
    tx.append_audit(entry);
}

}  // namespace strongroom::dispatcher
