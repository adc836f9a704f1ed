// Which field of a record is which column. Declared once; reading and writing follow from it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "dispatcher/store/records.hpp"

namespace strongroom::dispatcher {

// Fingerprints, separated by blanks.
inline std::string to_column(const std::vector<std::string>& values) {
    std::string out;
    for (const auto& value : values) out += (out.empty() ? "" : " ") + value;
    return out;
}
inline void from_column(const std::string& text, std::vector<std::string>& out) {
    out.clear();
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(' ', at), text.size());
        out.push_back(text.substr(at, end - at));
        at = end + 1;
    }
}
inline std::string to_column(JobState state) {
    return std::string(name(state));
}
inline void from_column(const std::string& text, JobState& out) {
    out = job_state_from_name(text);
}

template <class F>
void columns(User& user, F f) {
    f("fingerprint", user.fingerprint);
    f("name", user.name);
    f("public_key", user.public_key);
    f("token_hash", user.token_hash);
    f("created", user.created);
}

template <class F>
void columns(Server& server, F f) {
    f("uuid", server.uuid);
    f("owner", server.owner);
    f("identity", server.identity);
    f("subkey", server.subkey);
    f("public_key", server.public_key);
    f("token_hash", server.token_hash);
    f("label", server.label);
    f("recovery", server.recovery);
    f("registered", server.registered);
    f("last_seen", server.last_seen);
    f("retired", server.retired);
    f("version", server.version);
    f("source", server.source);
    f("store", server.store);
    f("recovery_sequence", server.recovery_sequence);
}

template <class F>
void columns(ServerVerifiers& verifiers, F f) {
    f("server", verifiers.server);
    f("fingerprints", verifiers.fingerprints);
}

template <class F>
void columns(ServerIdentityChange& change, F f) {
    f("server", change.server);
    f("sequence", change.sequence);
    f("current_key", change.current_key);
    f("next_key", change.next_key);
    f("former_key", change.former_key);
    f("current_proof", change.current);
    f("next_proof", change.next);
    f("approval", change.approval);
    f("approver_key", change.approver_key);
    f("state", change.state);
    f("told", change.told);
}

template <class F>
void columns(UserStatement& statement, F f) {
    f("server", statement.server);
    f("sha256", statement.sha256);
    f("sender", statement.sender);
    f("statement", statement.statement);
    f("sent", statement.sent);
    f("state", statement.state);
    f("ended", statement.ended);
    f("text", statement.text);
}

template <class F>
void columns(RegistrationCode& code, F f) {
    f("hash", code.hash);
    f("owner", code.owner);
    f("label", code.label);
    f("created", code.created);
    f("expires", code.expires);
    f("used", code.used);
    f("used_by", code.used_by);
}

template <class F>
void columns(ServerStateReport& report, F f) {
    f("server", report.server);
    f("reported", report.reported);
    f("grp", report.group);
    f("state", report.state);
}

template <class F>
void columns(GroupSchedule& schedule, F f) {
    f("id", schedule.id);
    f("owner", schedule.owner);
    f("grp", schedule.group);
    f("kind", schedule.kind);
    f("cron", schedule.cron);
    f("splay", schedule.splay);
    f("primary_after", schedule.primary_after);
    f("created", schedule.created);
    f("next_slot", schedule.next_slot);
}

template <class F>
void columns(GroupMember& member, F f) {
    f("server", member.server);
    f("label", member.label);
    f("last_seen", member.last_seen);
    f("reported", member.reported);
    f("state", member.state);
    f("last_backup", member.last_backup);
    f("busy", member.busy);
}

template <class F>
void columns(GroupFacts& facts, F f) {
    f("schedule", facts.schedule);
    f("owner", facts.owner);
    f("grp", facts.group);
    f("kind", facts.kind);
    f("cron", facts.cron);
    f("splay", facts.splay);
    f("created", facts.created);
    f("members", facts.members);
    f("last_backup", facts.last_backup);
    f("last_full", facts.last_full);
    f("last_job", facts.last_job);
    f("last_job_state", facts.last_job_state);
    f("last_job_server", facts.last_job_server);
    f("last_job_finished", facts.last_job_finished);
    f("last_job_error", facts.last_job_error);
}

template <class F>
void columns(JobMove& move, F f) {
    f("job", move.job);
    f("server", move.server);
    f("moved", move.moved);
    f("final", move.final);
    f("reason", move.reason);
}

template <class F>
void columns(Schedule& schedule, F f) {
    f("id", schedule.id);
    f("server", schedule.server);
    f("kind", schedule.kind);
    f("cron", schedule.cron);
    f("splay", schedule.splay);
    f("enabled", schedule.enabled);
    f("created", schedule.created);
    f("next_slot", schedule.next_slot);
}

template <class F>
void columns(Job& job, F f) {
    f("id", job.id);
    f("server", job.server);
    f("kind", job.kind);
    f("schedule", job.schedule);
    f("slot", job.slot);
    f("state", job.state);
    f("attempts", job.attempts);
    f("created_by", job.created_by);
    f("created", job.created);
    f("started", job.started);
    f("lease_until", job.lease_until);
    f("finished", job.finished);
    f("stage", job.progress.stage);
    f("plain_bytes", job.progress.plain_bytes);
    f("stored_bytes", job.progress.stored_bytes);
    f("total_bytes", job.progress.total_bytes);
    f("rate", job.progress.rate);
    f("retries", job.progress.retries);
    f("set_id", job.set);
    f("error_kind", job.problem.kind);
    f("error_stage", job.problem.stage);
    f("error_text", job.problem.text);
    f("error_hint", job.problem.hint);
    f("grp", job.group);
    f("held", job.held);
    f("given", job.given);
    f("attempts_before", job.attempts_before);
}

template <class F>
void columns(Backup& backup, F f) {
    f("set_id", backup.set);
    f("server", backup.server);
    f("kind", backup.kind);
    f("job", backup.job);
    f("created", backup.created);
    f("finished", backup.finished);
    f("plain_bytes", backup.plain_bytes);
    f("stored_bytes", backup.stored_bytes);
    f("segments", backup.segments);
    f("source", backup.source);
    f("server_version", backup.server_version);
    f("store", backup.store);
    f("schedule", backup.schedule);
    f("slot", backup.slot);
    f("reported", backup.reported);
    f("removed", backup.removed);
    f("proven", backup.proven);
    f("proof_failed", backup.proof_failed);
    f("proof_text", backup.proof_text);
    f("proof_by", backup.proof_by);
}

template <class F>
void columns(WaitingAgent& agent, F f) {
    f("server", agent.server);
    f("work", agent.work);
}

template <class F>
void columns(EscrowRecord& record, F f) {
    f("id", record.id);
    f("server", record.server);
    f("subkey", record.subkey);
    f("recipients", record.recipients);
    f("sha256", record.sha256);
    f("record", record.record);
    f("deposited", record.deposited);
}

template <class F>
void columns(EscrowChallenge& part, F f) {
    f("id", part.id);
    f("server", part.server);
    f("owner", part.user);
    f("subkey", part.subkey);
    f("digest", part.digest);
    f("created", part.created);
    f("expires", part.expires);
    f("used", part.used);
}

template <class F>
void columns(Proof& proof, F f) {
    f("server", proof.server);
    f("subkey", proof.subkey);
    f("owner", proof.user);
    f("sha256", proof.sha256);
    f("proven", proof.proven);
}

template <class F>
void columns(ServerFacts& facts, F f) {
    f("uuid", facts.uuid);
    f("label", facts.label);
    f("owner", facts.owner);
    f("identity", facts.identity);
    f("source", facts.source);
    f("registered", facts.registered);
    f("last_seen", facts.last_seen);
    f("escrow_deposited", facts.escrow_deposited);
    f("proven", facts.proven);
    f("proven_by", facts.proven_by);
    f("escrowed", facts.escrowed);
    f("subkey_since", facts.subkey_since);
    f("rotates", facts.rotates);
    f("identity_changed", facts.identity_changed);
    f("fetched", facts.fetched);
    f("fetched_by", facts.fetched_by);
    f("key_expires", facts.key_expires);
    f("cron", facts.cron);
    f("splay", facts.splay);
    f("schedule_created", facts.schedule_created);
    f("increment_cron", facts.increment_cron);
    f("increment_splay", facts.increment_splay);
    f("increment_created", facts.increment_created);
    f("last_backup", facts.last_backup);
    f("last_full", facts.last_full);
    f("restored", facts.restored);
    f("restore_failed", facts.restore_failed);
    f("restore_failed_text", facts.restore_failed_text);
    f("restore_failed_by", facts.restore_failed_by);
    f("last_job", facts.last_job);
    f("last_job_state", facts.last_job_state);
    f("last_job_finished", facts.last_job_finished);
    f("last_job_error", facts.last_job_error);
}

template <class F>
void columns(KeyExpiry& key, F f) {
    f("fingerprint", key.fingerprint);
    f("expires", key.expires);
}

template <class F>
void columns(KeyChange& change, F f) {
    f("sequence", change.sequence);
    f("current_key", change.current);
    f("next_key", change.next);
    f("statement", change.statement);
    f("made", change.made);
    f("switched", change.switched);
    f("retired", change.retired);
}

template <class F>
void columns(KeyPin& pin, F f) {
    f("peer", pin.peer);
    f("newest", pin.newest);
    f("newest_since", pin.newest_since);
    f("addressed", pin.addressed);
    f("addressed_since", pin.addressed_since);
}

template <class F>
void columns(EscrowRequest& request, F f) {
    f("server", request.server);
    f("owner", request.user);
    f("fetched", request.time);
}

template <class F>
void columns(Alert& alert, F f) {
    f("id", alert.id);
    f("key", alert.key);
    f("rule", alert.rule);
    f("severity", alert.severity);
    f("server", alert.server);
    f("label", alert.label);
    f("text", alert.text);
    f("hint", alert.hint);
    f("raised", alert.raised);
    f("resolved", alert.resolved);
    f("told", alert.told);
}

template <class F>
void columns(AlertDelivery& delivery, F f) {
    f("id", delivery.id);
    f("event", delivery.event);
    f("channel", delivery.channel);
    f("body", delivery.body);
    f("created", delivery.created);
    f("attempts", delivery.attempts);
    f("next_try", delivery.next_try);
    f("outcome", delivery.outcome);
    f("error", delivery.error);
}

template <class F>
void columns(AuditHead& head, F f) {
    f("seq", head.seq);
    f("hash", head.hash);
}

template <class F>
void columns(SeenMessage& seen, F f) {
    f("digest", seen.digest);
    f("reply", seen.reply);
}

template <class F>
void columns(AuditEntry& entry, F f) {
    f("id", entry.id);
    f("seq", entry.seq);
    f("time", entry.time);
    f("owner", entry.owner);
    f("actor", entry.actor);
    f("action", entry.action);
    f("object", entry.object);
    f("outcome", entry.outcome);
    f("text", entry.text);
    f("hash", entry.hash);
}

}  // namespace strongroom::dispatcher
