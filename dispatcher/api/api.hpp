// Bytes in, bytes out, synchronous: the whole dispatcher without a socket. dispatcher/http calls it from a
// bounded pool; tests call it directly.
#pragma once

#include <functional>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/error.hpp"
#include "dispatcher/auth/admission.hpp"

namespace strongroom::dispatcher {

struct Answer {
    int status = 200;
    std::string content_type;
    Bytes body;
    int retry_after = 0;  // seconds, 0: no such header
};

// HTTP status for an error before authentication (PROTOCOL.md section 1). Sealed errors go out with 200.
int http_status(ErrorKind kind);

// {"error":"KIND","text":"..."} with the status of its kind; the text of an internal error stays in the log.
// Another `status` can be given.
Answer plain_error(const Error& error, int status = 0);

class Api {
  public:
    virtual ~Api() = default;

    // The gate, before the body is read. Throws Error{unauthenticated}; starts no process.
    virtual Admission admit(std::string_view authorization) = 0;
    // POST /v1/messages. Never throws: an error is an answer too.
    virtual Answer message(const Admission& admission, BytesView sealed) = 0;
    // GET /v1/keys: the statements about our keys from the one that `from` (a fingerprint) signed, after the
    // gate. Never throws; starts no process.
    virtual Answer keys(const std::string& from) = 0;
    // GET /v1/wait: the gate and a look for work in one, at its beginning and when the agent is woken. Throws
    // Error{unauthenticated} for anybody but the agent of a server; starts no process.
    virtual WaitingAgent admit_waiting(std::string_view authorization) = 0;
    // The agent shows that it lives, with nothing to look for. Any thread; a lookup in memory.
    virtual void still_waits(const std::string& server) = 0;
    // Whom to tell, from any thread, that a server's agent has work: right after the commit, before the
    // reply to whoever gave the order is sealed. Set before the first message.
    virtual void on_work(std::function<void(const std::string& server)> listener) = 0;
    // GET /readyz. Throws if the store cannot be written.
    virtual void require_ready() = 0;
    // GET /metrics.
    virtual std::string metrics() = 0;
};

}  // namespace strongroom::dispatcher
