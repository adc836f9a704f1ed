#include <charconv>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/binlog/scanner.hpp"

namespace strongroom::binlog {
namespace {

[[noreturn]] void refuse_gtid(std::string_view text) {
    throw Error(ErrorKind::usage, "\"" + printable_line(text, 80) + "\" is no GTID of MariaDB",
                "A GTID is DOMAIN-SERVER-SEQUENCE, such as 0-1-42.");
}

template <class Number>
Number number(std::string_view& rest, std::string_view all, bool last) {
    Number out = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
    if (error != std::errc() || end == rest.data()) refuse_gtid(all);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (last != rest.empty()) refuse_gtid(all);
    if (!last) {
        if (rest.front() != '-') refuse_gtid(all);
        rest.remove_prefix(1);
    }
    return out;
}

}  // namespace

std::string Gtid::text() const {
    return std::to_string(domain) + "-" + std::to_string(server) + "-" + std::to_string(sequence);
}

Gtid parse_gtid(std::string_view text) {
    Gtid out;
    std::string_view rest = text;
    out.domain = number<std::uint32_t>(rest, text, false);
    out.server = number<std::uint32_t>(rest, text, false);
    out.sequence = number<std::uint64_t>(rest, text, true);
    return out;
}

std::string text_of(const GtidState& state) {
    std::string out;
    for (const auto& [domain, gtid] : state) out += (out.empty() ? "" : ",") + gtid.text();
    return out;
}

GtidState parse_gtid_state(std::string_view text) {
    GtidState out;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const Gtid gtid = parse_gtid(text.substr(0, comma));
        out[gtid.domain] = gtid;
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
        if (text.empty()) refuse_gtid(text);
    }
    return out;
}

}  // namespace strongroom::binlog
