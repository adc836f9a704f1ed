// Small readers of foreign text: what is shown to people, base64, fingerprints, times, addresses, and what
// the backup tools print.
#include "agent/source/redo_log.hpp"
#include "agent/source/tool_output.hpp"
#include "common/base/clock.hpp"
#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/net/http.hpp"
#include "dispatcher/http/address.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace strongroom::fuzz {
namespace {

void show(BytesView text) {
    const std::string shown = printable(text);
    require(is_valid_utf8(shown), "what is shown is UTF-8");
    require(printable(shown) == shown, "what is shown holds nothing more to escape");
    for (const char c : shown) {
        const auto byte = static_cast<unsigned char>(c);
        require((byte >= 0x20 && byte != 0x7F) || c == '\n', "no control character is shown");
    }
    const std::string line = printable_line(text, 40);
    require(line.find('\n') == std::string::npos && is_valid_utf8(line), "a line is one line");
    require(line.size() <= 4 * 40 + 3, "a line is bounded");
}

void read_values(BytesView text) {
    Bytes bytes;
    if (accepts([&] { bytes = from_base64(text); })) require(to_base64(bytes) == text, "base64 is canonical");
    std::string fingerprint;
    if (accepts([&] { fingerprint = parse_fingerprint(text); }))
        require(
            is_fingerprint(fingerprint) && parse_fingerprint(group_fingerprint(fingerprint)) == fingerprint,
            "a fingerprint is one however it is written");
    UtcTime time;
    if (accepts([&] { time = parse_utc(text); }))
        require(format_utc(time) == text, "a time has one spelling");
    dispatcher::Address address;
    if (accepts([&] { address = dispatcher::parse_address(std::string(text)); })) {
        const auto again = dispatcher::parse_address(address.text());
        require(again.host == address.host && again.port == address.port,
                "an address reads as it is written");
    }
    accepts([&] {
        const std::string url(text);
        if (net::is_loopback_url(url)) net::is_https_url(url);
    });
}

}  // namespace

void fuzz(BytesView input) {
    show(input);
    read_values(input);
    Front front(input);
    const BytesView head = front.take(front.number(2));
    const BytesView rest = front.rest();
    const auto try_one = [](const auto& read) {
        backupset::Source::Facts facts;
        if (!accepts([&] { facts = read(); })) return;
        require(!facts.position.lsn_to || *facts.position.lsn_to >= 0, "an LSN is not negative");
    };
    try_one([&] { return agent::read_physical_output(head, rest); });
    try_one([&] { return agent::read_physical_output(head, rest, 5091754); });
    try_one([&] { return agent::read_dump_text(head, rest); });
    accepts([&] { agent::read_innodb_status(std::string(rest)); });
}

}  // namespace strongroom::fuzz
