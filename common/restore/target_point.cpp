#include "common/restore/target_point.hpp"

#include <array>
#include <charconv>
#include <ctime>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::restore {
namespace {

constexpr const char* time_hint =
    "Write it like \"2026-11-22 01:37:00\" (UTC), \"2026-11-22T01:37:00Z\" or \"2026-11-22 02:37:00+01:00\", "
    "or write latest.";

[[noreturn]] void refuse_time(std::string_view text, const std::string& why) {
    throw Error(ErrorKind::usage, "\"" + printable_line(text, 80) + "\" " + why, time_hint);
}

// Of "Z", "+02:00" or nothing, in minutes.
std::chrono::minutes parse_zone(std::string_view zone, std::string_view all) {
    if (zone.empty() || zone == "Z") return {};
    const auto digit = [&](std::size_t at) { return zone[at] >= '0' && zone[at] <= '9'; };
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || !digit(1) || !digit(2) ||
        !digit(4) || !digit(5))
        refuse_time(all, "is no time with a zone that is known");
    const int hours = (zone[1] - '0') * 10 + (zone[2] - '0');
    const int minutes = (zone[4] - '0') * 10 + (zone[5] - '0');
    if (hours > 14 || minutes > 59) refuse_time(all, "is no time with a zone that is known");
    const std::chrono::minutes out{hours * 60 + minutes};
    return zone[0] == '+' ? out : -out;
}

std::string local_text(UtcTime time) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm parts{};
    std::array<char, 64> buffer{};
    if (::localtime_r(&seconds, &parts) == nullptr) return {};
    buffer[std::strftime(buffer.data(), buffer.size() - 1, "%Y-%m-%d %H:%M:%S %Z", &parts)] = '\0';
    return buffer.data();
}

std::size_t number_begins(const std::string& file) {
    return file.rfind('.') + 1;
}

std::uint64_t number_of(const std::string& file) {
    std::uint64_t out = 0;
    std::from_chars(file.data() + number_begins(file), file.data() + file.size(), out);
    return out;
}

}  // namespace

TargetPoint parse_until(std::string_view text) {
    if (text == "latest") return {};
    constexpr std::size_t whole = 19;  // without a zone
    if (text.size() < whole || (text[10] != ' ' && text[10] != 'T')) refuse_time(text, "is no time");
    std::string_view zone = text.substr(whole);
    if (!zone.empty() && (zone[0] == '.' || zone[0] == ','))
        refuse_time(text, "has a fraction of a second, and the binary log knows whole seconds only");
    if (!zone.empty() && zone[0] == ' ') zone.remove_prefix(1);
    std::string utc(text.substr(0, whole));
    utc[10] = 'T';
    TargetPoint out;
    out.kind = TargetPoint::Kind::time;
    try {
        out.time = parse_utc(utc + "Z");
    } catch (const Error&) {
        refuse_time(text, "is no time");
    }
    out.time -= parse_zone(zone, text);
    return out;
}

TargetPoint parse_until_gtid(std::string_view text) {
    TargetPoint out;
    out.kind = TargetPoint::Kind::gtid;
    out.gtid = binlog::parse_gtid(text);
    return out;
}

TargetPoint parse_until_position(std::string_view text) {
    TargetPoint out;
    out.kind = TargetPoint::Kind::position;
    const auto colon = text.rfind(':');
    const std::string_view offset = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    const auto [end, error] = std::from_chars(offset.data(), offset.data() + offset.size(), out.at.offset);
    if (error != std::errc() || end != offset.data() + offset.size() || out.at.offset < 4 ||
        !backupset::is_log_file(text.substr(0, colon)))
        throw Error(ErrorKind::usage, "\"" + printable_line(text, 80) + "\" is no place in a binary log",
                    "Write it like binlog.000042:4711, file and byte.");
    out.at.file = text.substr(0, colon);
    return out;
}

std::string text_of(const backupset::LogPoint& point) {
    return point.file + ":" + std::to_string(point.offset);
}

std::string text_of(const TargetPoint& target) {
    switch (target.kind) {
        case TargetPoint::Kind::time: {
            const std::string local = local_text(target.time);
            return format_utc(target.time) + (local.ends_with("UTC") ? "" : " (" + local + ")");
        }
        case TargetPoint::Kind::gtid:
            return "GTID " + target.gtid.text();
        case TargetPoint::Kind::position:
            return text_of(target.at);
        case TargetPoint::Kind::latest:
            break;
    }
    return "the end of the binary log";
}

bool same_name(const std::string& file, const std::string& other) {
    return file.substr(0, number_begins(file)) == other.substr(0, number_begins(other));
}

int compare(const backupset::LogPoint& a, const backupset::LogPoint& b) {
    if (!same_name(a.file, b.file))
        throw Error(ErrorKind::usage, a.file + " and " + b.file + " are files of two different binary logs");
    const auto left = std::pair(number_of(a.file), a.offset);
    const auto right = std::pair(number_of(b.file), b.offset);
    return left < right ? -1 : left == right ? 0 : 1;
}

}  // namespace strongroom::restore
