#include "client/command/sent_statement.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

namespace strongroom::client {

std::string send_statement(Context& context, const std::string& server, BytesView statement) {
    const auto reply = context.session().ask(proto::StatementSend{server, to_base64(statement)});
    if (reply.sha256 != sha256_hex(statement))
        throw Error(ErrorKind::protocol, "the dispatcher took another statement than the one sent");
    return reply.sha256;
}

proto::SentStatement wait_for_answer(Context& context, const std::string& server, const std::string& sha256,
                                     std::int64_t timeout, const std::string& hint) {
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
        const auto reply = context.session().ask(proto::StatementList{server, 100});
        const auto sent = std::ranges::find(reply.statements, sha256, &proto::SentStatement::sha256);
        if (sent == reply.statements.end())
            throw Error(ErrorKind::not_found, "the dispatcher does not list the statement that was sent");
        if (sent->state != "pending") return *sent;
        if (std::chrono::steady_clock::now() - start > std::chrono::seconds(timeout))
            throw Error(ErrorKind::timeout,
                        "the host has not answered after " + std::to_string(timeout) + " s", hint);
        context.check_interrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
}

}  // namespace strongroom::client
