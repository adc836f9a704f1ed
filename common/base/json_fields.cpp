#include "common/base/json_fields.hpp"

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/base/printable.hpp"

namespace strongroom {
namespace {

constexpr std::size_t max_depth = 16;

}  // namespace

const Text uuid_text{36, is_uuid, "a UUID in lower case"};
const Text fingerprint_text{40, is_fingerprint, "a full fingerprint (40 upper-case hexadecimal digits)"};
const Text set_id_text{25, is_set_id, "a set id"};
const Text log_id_text{29, is_log_id, "a log id"};
const Text set_or_log_id_text{29, is_set_or_log_id, "a set id"};
const Text sha256_text{64, is_sha256_hex, "a SHA-256 digest (64 lower-case hexadecimal digits)"};

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> allowed) {
    return std::ranges::find(allowed, value) != allowed.end();
}

Json parse_json(BytesView bytes, std::size_t max) {
    if (bytes.size() > max)
        throw Error(ErrorKind::protocol, "JSON of " + std::to_string(bytes.size()) +
                                             " bytes is over the limit of " + std::to_string(max));
    // The parser takes a zero byte for the end of its input, and skips a byte order mark.
    if (bytes.find('\0') != BytesView::npos || bytes.starts_with("\xEF\xBB\xBF"))
        throw Error(ErrorKind::protocol, "not valid JSON");
    std::vector<std::set<std::string>> names;
    std::string problem;
    const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::object_start) {
            names.emplace_back();
        } else if (event == Json::parse_event_t::array_start) {
            names.emplace_back();
        } else if (event == Json::parse_event_t::object_end || event == Json::parse_event_t::array_end) {
            names.pop_back();
        } else if (event == Json::parse_event_t::key) {
            if (!names.back().insert(parsed.get<std::string>()).second && problem.empty())
                problem = "field \"" + printable_line(parsed.get<std::string>(), 60) + "\" appears twice";
        }
        if (names.size() > max_depth) throw Error(ErrorKind::protocol, "JSON is nested too deeply");
        return true;
    };
    Json out;
    try {
        out = Json::parse(bytes, watch);
    } catch (const nlohmann::json::exception&) {
        throw Error(ErrorKind::protocol, "not valid JSON");
    }
    if (!problem.empty()) throw Error(ErrorKind::protocol, problem);
    if (!out.is_object()) throw Error(ErrorKind::protocol, "JSON is not an object");
    return out;
}

namespace json_detail {

void bad(const std::string& path, std::string_view problem) {
    throw Error(ErrorKind::protocol, (path.empty() ? "the object" : "field \"" + path + "\"") + " " +
                                         printable_line(problem, 200));
}

void check_text(const std::string& value, const Text& limit, const std::string& path) {
    if (value.size() > limit.max) bad(path, "is longer than " + std::to_string(limit.max) + " bytes");
    if (limit.valid != nullptr) {
        if (!limit.valid(value)) bad(path, std::string("is not ") + limit.shape);
        return;
    }
    const auto allowed = [&](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7F) || (limit.multiline && (c == '\n' || c == '\r' || c == '\t'));
    };
    if (!is_valid_utf8(value) || !std::ranges::all_of(value, allowed))
        bad(path, "holds characters that are not allowed");
}

void check_range(std::int64_t value, const Range& limit, const std::string& path) {
    if (value < limit.min || value > limit.max)
        bad(path, "must be between " + std::to_string(limit.min) + " and " + std::to_string(limit.max));
}

std::string get_text(const Json& value, const std::string& path) {
    if (!value.is_string()) bad(path, "must be text");
    return value.get<std::string>();
}

std::int64_t get_integer(const Json& value, const std::string& path) {
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        if (number > INT64_MAX) bad(path, "is too large");
        return static_cast<std::int64_t>(number);
    }
    if (!value.is_number_integer()) bad(path, "must be an integer");
    return value.get<std::int64_t>();
}

}  // namespace json_detail
}  // namespace strongroom
