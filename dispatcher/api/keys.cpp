// GET /v1/keys.
#include "common/base/log.hpp"
#include "dispatcher/api/message_api.hpp"
#include "proto/key_statement.hpp"

namespace strongroom::dispatcher {

// The statements prove themselves, so this needs no signature and no gpg.
Answer MessageApi::keys(const std::string& from) {
    try {
        std::vector<KeyChange> changes;
        store_.read([&](Transaction& tx) { changes = tx.list_key_changes(); });
        proto::KeyStatements out;
        bool begun = false;
        bool known = from == authenticator_.me().fingerprint;
        for (const auto& change : changes) {
            begun = begun || change.current == from;
            known = known || begun || change.next == from;
            if (begun && out.statements.size() < proto::KeyStatements::most)
                out.statements.push_back(change.statement);
        }
        if (!known) return plain_error(Error(ErrorKind::not_found, "no key of this dispatcher"), 404);
        Answer answer;
        answer.content_type = "application/json";
        answer.body = to_json(out).dump() + "\n";
        return answer;
    } catch (const Error& error) {
        log_event(Level::error, "DISPATCHER_KEYS_FAILED", "{}", error.text());
        return plain_error(error);
    }
}

}  // namespace strongroom::dispatcher
