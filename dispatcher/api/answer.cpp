#include "common/base/json_fields.hpp"
#include "common/base/printable.hpp"
#include "dispatcher/api/api.hpp"

namespace strongroom::dispatcher {

int http_status(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::unauthenticated:
        case ErrorKind::forbidden:
        case ErrorKind::crypto:
            return 401;
        case ErrorKind::busy:
            return 503;
        case ErrorKind::protocol:
        case ErrorKind::usage:
        case ErrorKind::refused:
        case ErrorKind::exists:
        case ErrorKind::not_found:
        case ErrorKind::corrupt:
            return 400;
        default:
            return 500;
    }
}

Answer plain_error(const Error& error, int status) {
    Answer answer;
    answer.status = status != 0 ? status : http_status(error.kind());
    answer.content_type = "application/json";
    const bool ours = answer.status == 500;
    Json body;
    body["error"] = ours                   ? "internal"
                    : answer.status == 401 ? "unauthenticated"
                                           : std::string(name(error.kind()));
    body["text"] = ours ? "the dispatcher failed; its log says why" : printable_line(error.text(), 1000);
    answer.body = body.dump() + "\n";
    if (answer.status == 503) answer.retry_after = 2;
    return answer;
}

}  // namespace strongroom::dispatcher
