// The plain answers that this folder gives by itself (PROTOCOL.md section 1).
#pragma once

#include <string>

#include "dispatcher/api/api.hpp"

namespace strongroom::dispatcher {

inline Answer plain(int status, const char* kind, const char* text) {
    Answer answer;
    answer.status = status;
    answer.content_type = "application/json";
    answer.body = std::string(R"({"error":")") + kind + R"(","text":")" + text + "\"}\n";
    return answer;
}

inline Answer busy() {
    Answer answer = plain(503, "busy", "the dispatcher has too much to do; try again later");
    answer.retry_after = 2;
    return answer;
}

inline Answer too_many() {
    Answer answer = plain(429, "busy", "too many requests; try again later");
    answer.retry_after = 1;
    return answer;
}

}  // namespace strongroom::dispatcher
