#include "dispatcher/handler/on_the_wire.hpp"

#include <algorithm>

#include "common/base/error.hpp"

namespace strongroom::dispatcher {

proto::Job on_the_wire(const Job& job) {
    proto::Job out;
    out.id = job.id;
    out.server = job.server;
    out.kind = job.kind;
    out.state = name(job.state);
    out.attempt = job.attempts;
    out.created = job.created;
    out.schedule = unless_empty(job.schedule);
    out.slot = unless_zero(job.slot);
    out.started = unless_zero(job.started);
    out.finished = unless_zero(job.finished);
    out.stage = unless_empty(job.progress.stage);
    out.plain_bytes = job.progress.plain_bytes;
    out.stored_bytes = job.progress.stored_bytes;
    out.total_bytes = job.progress.total_bytes;
    if (is_open(job.state)) out.rate = unless_zero(job.progress.rate);
    out.retries = unless_zero(job.progress.retries);
    out.set = unless_empty(job.set);
    out.group = unless_empty(job.group);
    if (!job.problem.kind.empty())
        out.problem = proto::Problem{job.problem.kind, job.problem.stage, job.problem.text, job.problem.hint};
    return out;
}

proto::Backup on_the_wire(const Backup& backup) {
    proto::Backup out;
    out.set = backup.set;
    out.kind = backup.kind;
    out.created = backup.created;
    out.finished = backup.finished;
    out.plain_bytes = backup.plain_bytes;
    out.stored_bytes = backup.stored_bytes;
    out.segments = backup.segments;
    out.source = backup.source;
    out.server_version = unless_empty(backup.server_version);
    out.store = backup.store;
    out.schedule = unless_empty(backup.schedule);
    out.slot = unless_zero(backup.slot);
    out.proof = proof_on_the_wire(backup);
    return out;
}

std::optional<proto::SetProof> proof_on_the_wire(const Backup& backup) {
    if (backup.proven == 0 && backup.proof_failed == 0) return std::nullopt;
    return proto::SetProof{backup.set,         std::max(backup.proven, backup.proof_failed),
                           backup.proven != 0, backup.proof_text,
                           std::nullopt,       unless_empty(backup.proof_by)};
}

std::optional<proto::ServerState> server_state(const ServerStateReport& report) {
    try {
        return from_json<proto::ServerState>(parse_json(report.state, 64U << 10U));
    } catch (const Error&) {
        return std::nullopt;
    }
}

Backup from_the_wire(const proto::Backup& backup, const std::string& server, const std::string& job,
                     std::int64_t now) {
    Backup out;
    out.set = backup.set;
    out.server = server;
    out.kind = backup.kind;
    out.job = job;
    out.created = backup.created;
    out.finished = backup.finished;
    out.plain_bytes = backup.plain_bytes;
    out.stored_bytes = backup.stored_bytes;
    out.segments = backup.segments;
    out.source = backup.source;
    out.server_version = backup.server_version.value_or("");
    out.store = backup.store;
    out.schedule = backup.schedule.value_or("");
    out.slot = backup.slot.value_or(0);
    out.reported = now;
    return out;
}

}  // namespace strongroom::dispatcher
