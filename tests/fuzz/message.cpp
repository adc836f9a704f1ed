// The JSON of a message: envelope, then the body by its type, requests and replies of all types.
#include <algorithm>

#include "proto/key_statement.hpp"
#include "proto/sealed.hpp"
#include "proto/store_index.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/message_types.hpp"

namespace strongroom::fuzz {
namespace {

// One body read as T: what was accepted is written as it was read, and reads the same again.
template <class T>
void read_body(const Json& body) {
    T value;
    if (!accepts([&] { value = from_json<T>(body); })) return;
    const Json written = to_json(value);
    require(written == body, "a body that was accepted is written as it was read");
    require(to_json(from_json<T>(written)) == written, "... and reads the same again");
}

// JSON text without a byte that strict JSON does not know.
bool is_one_object(BytesView bytes) {
    constexpr std::string_view blank = " \t\r\n";
    const auto first = bytes.find_first_not_of(blank);
    const auto last = bytes.find_last_not_of(blank);
    return first != BytesView::npos && bytes[first] == '{' && bytes[last] == '}' &&
           std::ranges::all_of(bytes, [](char c) {
               return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\r' || c == '\n';
           });
}

void read_reply(const proto::Message& reply) {
    if (!reply.header.re) return;
    proto::Message request;  // the one that it claims to answer
    request.header.id = reply.header.re->id;
    request.header.type = reply.header.type.substr(0, reply.header.type.rfind(".reply"));
    accepts([&] { proto::require_reply_to(reply, request); });
}

// What stands in a signed statement: the same strictness for each kind.
template <class Statement>
void read_statement(BytesView input) {
    Json fields;
    if (!accepts([&] {
            fields = proto::statement_detail::content(input, Statement::format, Statement::version,
                                                      Statement::max_json);
        }))
        return;
    require(is_one_object(input), "a statement is one JSON object and nothing else");
    read_body<Statement>(fields);
}

}  // namespace

void fuzz(BytesView input) {
    read_statement<proto::KeyStatement>(input);
    read_statement<proto::StoreIndex>(input);
    proto::Message message;
    if (!accepts([&] { message = proto::decode(input); })) return;
    require(is_one_object(input), "a message is one JSON object and nothing else");
    const proto::Message again = proto::encode(message.header, message.body);
    const proto::Message twice = proto::decode(again.json);
    require(twice.header.type == message.header.type && twice.header.from == message.header.from &&
                twice.header.to == message.header.to && twice.header.id == message.header.id &&
                twice.header.time == message.header.time && twice.body == message.body,
            "decode(encode(x)) is x");
    require(proto::encode(twice.header, twice.body).json == again.json, "one message has one encoding");
    read_reply(message);
    for_each_message([&]<class T>() {
        if (message.header.type == T::type) read_body<T>(message.body);
        if (message.header.type == std::string(T::type) + ".reply")
            read_body<typename T::Reply>(message.body);
    });
}

}  // namespace strongroom::fuzz
