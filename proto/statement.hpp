// Signed statements (common/statement/statement.hpp, PROTOCOL.md section 6) of the parties of a conversation.
#pragma once

#include "common/statement/statement.hpp"
#include "proto/sealed.hpp"

namespace strongroom::proto {

using strongroom::sign_statement;
using strongroom::statement_overhead;
namespace statement_detail = strongroom::statement_detail;

template <class Statement>
Statement open_statement(BytesView statement, const Party& signer) {
    return strongroom::open_statement<Statement>(statement, signer.home, signer.fingerprint);
}

}  // namespace strongroom::proto
