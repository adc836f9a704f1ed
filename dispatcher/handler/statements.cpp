// Users' signed statements for agents: kept and carried, never judged. An agent acts on what a key signed
// that it has pinned itself (S5, S7).
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/handler/on_the_wire.hpp"

namespace strongroom::dispatcher {

proto::StatementSend::Reply statement_send(const Context& context, const proto::StatementSend& input) {
    const Server server = owned_server(context, input.server);
    if (server.retired != 0) throw Error(ErrorKind::refused, "server " + server.uuid + " is retired");
    const Bytes bytes = from_base64(input.statement);
    if (bytes.empty()) throw Error(ErrorKind::protocol, "an empty statement");
    UserStatement statement;
    statement.server = server.uuid;
    statement.sha256 = sha256_hex(bytes);
    statement.sender = context.user().fingerprint;
    statement.statement = input.statement;
    statement.sent = context.now_ms();
    statement.state = "pending";
    if (const auto known = context.tx.find_statement(server.uuid, statement.sha256)) {
        if (known->state == "pending") return {statement.sha256};
        throw Error(ErrorKind::refused, "this statement was sent before: " + known->state);
    }
    context.tx.add_statement(statement);
    context.wake.push_back(server.uuid);
    context.audit("statement.send", server.uuid,
                  "statement " + statement.sha256 + " for the host, which decides about it");
    return {statement.sha256};
}

proto::StatementList::Reply statement_list(const Context& context, const proto::StatementList& input) {
    const Server server = owned_server(context, input.server);
    proto::StatementList::Reply reply;
    for (const auto& one : context.tx.list_statements(server.uuid, input.limit))
        reply.statements.push_back(
            {one.sha256, one.sender, one.sent, one.state, unless_zero(one.ended), unless_empty(one.text)});
    reply.statements = as_many_as_fit(std::move(reply.statements));
    return reply;
}

proto::StatementAnswer::Reply statement_answer(const Context& context, const proto::StatementAnswer& input) {
    const Server& server = context.server();
    auto statement = context.tx.find_statement(server.uuid, input.sha256);
    if (!statement) throw Error(ErrorKind::forbidden, "there is no statement " + input.sha256 + " for you");
    statement->state = input.outcome;
    statement->text = printable_line(input.text, 1500);
    statement->ended = context.now_ms();
    if (!context.tx.end_statement(*statement)) return {};  // answered before, or replaced by a later one
    context.audit("statement.answer", server.uuid,
                  "statement " + input.sha256 + " " + input.outcome + ": " + statement->text);
    if (input.outcome == "refused")
        log_event(Level::warning, "DISPATCHER_AGENT_REFUSED", "server {}: statement {}: {}", server.uuid,
                  input.sha256, statement->text);
    return {};
}

}  // namespace strongroom::dispatcher
