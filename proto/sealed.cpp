#include "proto/sealed.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::proto {
namespace {

// The whole JSON object; body is checked later, by its type.
struct Wire {
    std::int64_t v = protocol_version;
    std::string type;
    std::string from;
    std::string to;
    std::string id;
    std::int64_t time = 0;
    std::optional<InReplyTo> re;
    std::optional<std::string> key;
    template <class Fields>
    void fields(Fields& f) {
        f("v", v, Range{0, 1'000'000});
        f("type", type, Text{64});
        f("from", from, fingerprint_text);
        f("to", to, fingerprint_text);
        f("id", id, uuid_text);
        f("time", time, any_time);
        f("re", re);
        f("key", key, fingerprint_text);
    }
};

Error unauthenticated(const Error& error) {
    return Error(ErrorKind::unauthenticated, "the message is refused: " + error.text(), error.hint());
}

void require_header(const Message& message, const Party& receiver, const Party& sender, const Clock& clock) {
    if (message.header.to != receiver.fingerprint &&
        std::ranges::find(receiver.others, message.header.to) == receiver.others.end())
        throw Error(ErrorKind::protocol,
                    "the message is for " + message.header.to + ", not for " + receiver.fingerprint);
    if (message.header.from != sender.fingerprint)
        throw Error(ErrorKind::unauthenticated, "the message says it is from " + message.header.from +
                                                    ", but it was signed by " + sender.fingerprint);
    const auto now = clock.now();
    if (message.header.time < now - time_window || message.header.time > now + time_window)
        throw Error(
            ErrorKind::protocol,
            "the message's time is " + format_utc(message.header.time) + ", here it is " + format_utc(now),
            "The clocks must agree within 10 minutes: check time synchronisation on both machines.");
}

Bytes decrypt(BytesView sealed, const Party& receiver) {
    if (sealed.size() > max_message)
        throw Error(ErrorKind::protocol,
                    "the message is longer than " + std::to_string(max_message) + " bytes");
    try {
        return gpg::decrypt_signed(receiver.home, sealed, max_message);
    } catch (const Error& error) {
        throw unauthenticated(error);
    }
}

}  // namespace

std::string Message::digest() const {
    return sha256_hex(json);
}

Message encode(Header header, Json body) {
    const Wire wire{protocol_version,       header.type, header.from, header.to, header.id,
                    to_millis(header.time), header.re,   header.key};
    Json object = to_json(wire);
    object["body"] = body;
    Bytes json = object.dump();
    if (json.size() > max_json)
        throw Error(ErrorKind::protocol, "the message is over the limit of 900,000 bytes");
    return {std::move(header), std::move(body), std::move(json)};
}

Message decode(BytesView json) {
    Json object = parse_json(json, max_json);
    const auto body = object.find("body");
    if (body == object.end() || !body->is_object())
        throw Error(ErrorKind::protocol, "field \"body\" is missing or not an object");
    Json taken = std::move(*body);
    object.erase(body);
    const auto version = object.find("v");
    if (version != object.end() && version->is_number_integer() && *version != protocol_version)
        throw Error(ErrorKind::protocol,
                    "the message has protocol version " + printable_line(version->dump(), 20) +
                        "; this program speaks version 1",
                    "Update the older of the two programs.");
    const Wire wire = from_json<Wire>(object);
    return {{wire.type, wire.from, wire.to, wire.id, from_millis(wire.time), wire.re, wire.key},
            std::move(taken),
            Bytes(json)};
}

Bytes seal(const Message& message, const Party& sender, const Party& receiver) {
    Bytes sealed = gpg::encrypt_signed(receiver.home, {receiver.fingerprint},
                                       gpg::sign(sender.home, sender.fingerprint, message.json));
    if (sealed.size() > max_message)
        throw Error(ErrorKind::protocol, "the sealed message is over the limit of 1 MiB");
    return sealed;
}

Message open(BytesView sealed, const Party& receiver, const Party& sender, const Clock& clock) {
    return verify({decrypt(sealed, receiver), {}}, receiver, sender, clock);
}

Unverified open_unverified(BytesView sealed, const Party& receiver) {
    Bytes inner = decrypt(sealed, receiver);
    try {
        Bytes claimed = gpg::read_unverified(inner, max_json);
        return {std::move(inner), decode(claimed)};
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::crypto) throw unauthenticated(error);
        throw;
    }
}

Message verify(const Unverified& unverified, const Party& receiver, const Party& sender, const Clock& clock) {
    Bytes json;
    try {
        json = gpg::verify(sender.home, sender.fingerprint, unverified.signed_message, max_json).payload;
    } catch (const Error& error) {
        throw unauthenticated(error);
    }
    Message message = decode(json);
    require_header(message, receiver, sender, clock);
    return message;
}

Header reply_header(const Message& request, const Clock& clock) {
    return {request.header.type + ".reply",
            request.header.to,
            request.header.from,
            random_uuid(),
            clock.now(),
            InReplyTo{request.header.id, request.digest()}};
}

namespace {

struct ErrorBody {
    std::string kind;
    std::string text;
    std::string hint;
    template <class Fields>
    void fields(Fields& f) {
        f("kind", kind, Text{64});
        f("text", text, Text{2000, nullptr, "text", true});
        f("hint", hint, Text{2000, nullptr, "text", true});
    }
};

}  // namespace

Message error_reply(const Message& request, const Error& error, const Clock& clock) {
    Header header = reply_header(request, clock);
    header.type = "error";
    const auto fit = [](const std::string& text) { return printable(text).substr(0, 1900); };
    return encode(std::move(header),
                  to_json(ErrorBody{std::string(name(error.kind())), fit(error.text()), fit(error.hint())}));
}

void require_reply_to(const Message& reply, const Message& request) {
    if (!reply.header.re || reply.header.re->id != request.header.id ||
        reply.header.re->digest != request.digest())
        throw Error(ErrorKind::unauthenticated,
                    "the reply answers another request than the one that was sent");
    if (reply.header.type == "error") {
        const auto body = from_json<ErrorBody>(reply.body);
        throw Error(error_kind_from_name(body.kind), body.text, body.hint);
    }
    if (reply.header.type != request.header.type + ".reply")
        throw Error(ErrorKind::protocol, "the reply has the type " + printable_line(reply.header.type, 64) +
                                             ", expected " + request.header.type + ".reply");
}

}  // namespace strongroom::proto
