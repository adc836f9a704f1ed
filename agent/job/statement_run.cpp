#include "agent/job/statement_run.hpp"

#include "agent/escrow/escrow.hpp"
#include "agent/escrow/recovery_statement.hpp"
#include "agent/job/job_store.hpp"
#include "agent/rotation/identity_change.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/message.hpp"
#include "proto/messages.hpp"

namespace strongroom::agent {
namespace {

// Of the statement itself: it would be refused again.
bool is_refusal(ErrorKind kind) {
    return kind == ErrorKind::refused || kind == ErrorKind::unauthenticated || kind == ErrorKind::protocol ||
           kind == ErrorKind::crypto || kind == ErrorKind::usage || kind == ErrorKind::not_found;
}

// By its own word: who signed it is looked at by whoever acts on it.
bool is_identity_approval(const Bytes& statement) {
    try {
        const Json fields =
            parse_json(gpg::read_unverified(statement, proto::max_statement), proto::max_statement);
        return fields.value("format", "") == IdentityStatement::format;
    } catch (const std::exception&) {
        return false;
    }
}

// The dispatcher brings it again until it is answered.
void try_later(const std::string& sha256, const Error& error) {
    log_event(Level::warning, "AGENT_STATEMENT_LATER", "statement {}: {} {}", sha256, error.text(),
              error.hint());
}

}  // namespace

void run_statement(const Host& host, const std::string& base64, proto::Exchange& exchange,
                   const std::stop_token& stop) {
    proto::StatementAnswer answer;
    const Bytes statement = from_base64(base64);
    answer.sha256 = sha256_hex(statement);
    try {
        if (is_identity_approval(statement))
            answer.text = approve_identity_change(host.state, statement, host.clock);
        else
            answer.text = apply_recovery_statement(host.state, statement,
                                                   host.config.allow_recovery_key_statements, host.clock);
        answer.outcome = "applied";
        log_event(Level::warning, "AGENT_STATEMENT_APPLIED", "statement {}: {}", answer.sha256, answer.text);
    } catch (const Error& error) {
        if (!is_refusal(error.kind())) return try_later(answer.sha256, error);
        answer.outcome = "refused";
        answer.text = printable_line(error.text() + " " + error.hint(), 1500);
        log_event(Level::error, "AGENT_STATEMENT_REFUSED", "statement {}: {}", answer.sha256, answer.text);
    }
    if (answer.outcome == "applied" && !due_escrow(host.state, true).empty()) {
        try {
            const auto store = open_job_store(host.config, host.config.store, nullptr, stop, host.meter);
            deposit_due_escrow(host.state, *store, &exchange, host.clock);
        } catch (const Error& error) {
            if (stop.stop_requested()) throw;
            log_event(Level::error, "AGENT_ESCROW_FAILED", "{} {}", error.text(), error.hint());
            answer.text += "; its escrow records are not all made yet: " + printable_line(error.text(), 500);
        }
    }
    try {
        exchange.ask(answer);
    } catch (const Error& error) {
        if (stop.stop_requested()) throw;
        try_later(answer.sha256, error);
    }
}

}  // namespace strongroom::agent
