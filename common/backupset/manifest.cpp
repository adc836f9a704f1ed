#include "common/backupset/manifest.hpp"

#include <fmt/format.h>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::backupset {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
    throw Error(ErrorKind::corrupt, "the manifest " + reason);
}

void check_version(const Json& json) {
    const auto format = json.find("format");
    if (format == json.end() || *format != Manifest{}.format) refuse("is not of a Strongroom backup set");
    const auto version = json.find("version");
    if (version == json.end() || !version->is_number_integer()) refuse("has no version");
    if (*version != manifest_version)
        throw Error(ErrorKind::corrupt,
                    "the manifest has format version " + version->dump() + "; this program knows version " +
                        std::to_string(manifest_version),
                    "A newer strongroom is needed to read this set.");
}

void check_log(const Manifest& manifest) {
    const bool log = manifest.kind == "log";
    if (log != is_log_id(manifest.set) || log != manifest.log.has_value() ||
        log != (manifest.stream == "binlog"))
        refuse("is of a log in one place and of a backup in another");
    if (manifest.parent && is_log_id(*manifest.parent) != log)
        refuse("names a log as the parent of a backup, or the other way round");
    if (!log) return;
    const LogPart& part = *manifest.log;
    if (part.last - part.first != manifest.plain_total) refuse("names a part of a log that is not its size");
    if (part.first > 0 && !manifest.parent) refuse("names no parent although its log begins within a file");
    parse_utc(part.began);
    parse_utc(part.covered);
}

void check_meaning(const Manifest& manifest) {
    if (!is_one_of(manifest.kind, {"full", "incremental", "log"})) refuse("has an unknown kind");
    if (!is_one_of(manifest.stream, {"xbstream", "sql", "tar", "raw", "binlog"}))
        refuse("has an unknown stream");
    check_log(manifest);
    if (!is_one_of(manifest.compression, {"zstd", "none"})) refuse("has an unknown compression");
    if (manifest.scope && (*manifest.scope != "partial" || !is_one_of(manifest.stream, {"sql", "tar"})))
        refuse("has an unknown scope");
    if (manifest.kind != "log" && manifest.parent.has_value() != (manifest.kind == "incremental"))
        refuse("names a parent although it is full, or none although it is incremental");
    if (manifest.parent == manifest.set) refuse("names its own set as the parent");
    if (manifest.replaces.has_value() != manifest.reencrypted.has_value())
        refuse("names a set that it replaces and not when, or the other way round");
    if (manifest.replaces == manifest.set) refuse("names its own set as the one that it replaces");
    if (manifest.reencrypted) parse_utc(*manifest.reencrypted);
    parse_utc(manifest.created);
    parse_utc(manifest.finished);
}

void check_segments(const Manifest& manifest) {
    if (manifest.segments.empty()) refuse("lists no segment");
    std::int64_t plain = 0;
    std::int64_t stored = 0;
    for (std::size_t i = 0; i < manifest.segments.size(); ++i) {
        const Segment& segment = manifest.segments[i];
        const std::string name = "segment " + std::to_string(i);
        if (segment.index != static_cast<std::int64_t>(i))
            refuse("lists segment " + std::to_string(segment.index) + " where " + name + " belongs");
        const bool last = i + 1 == manifest.segments.size();
        const bool fits = last ? segment.plain_size >= 1 && segment.plain_size <= manifest.segment_size
                               : segment.plain_size == manifest.segment_size;
        if (!fits) refuse("gives " + name + " the wrong size");
        plain += segment.plain_size;
        stored += segment.stored_size;
    }
    if (plain != manifest.plain_total || stored != manifest.stored_total)
        refuse("has totals that do not agree with its segments");
}

}  // namespace

bool is_log_file(std::string_view name) {
    const auto dot = name.rfind('.');
    if (name.empty() || name.size() > 200 || name.front() == '.' || name.front() == '-' || dot == name.npos)
        return false;
    const auto number = name.substr(dot + 1);
    constexpr std::string_view harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return name.find_first_not_of(harmless) == name.npos && number.size() >= 6 && number.size() <= 10 &&
           number.find_first_not_of("0123456789") == number.npos;
}

const Text log_file_text{200, is_log_file, "the name of a binary log"};

std::string log_file_after(const std::string& file) {
    const auto dot = file.rfind('.');
    if (!is_log_file(file)) throw Error(ErrorKind::usage, "not the name of a binary log");
    const auto number = std::stoull(file.substr(dot + 1)) + 1;
    return fmt::format("{}.{:06}", file.substr(0, dot), number);
}

Bytes encode_manifest(const Manifest& manifest) {
    // One field a line and one segment a line, so that grep, sed and sha256sum can work on it.
    const Json json = to_json(manifest);
    Bytes out = "{\n";
    for (auto field = json.begin(); field != json.end(); ++field) {
        if (field != json.begin()) out += ",\n";
        out += Json(field.key()).dump() + ": ";
        if (field.key() == "segments") {
            out += "[\n";
            for (std::size_t i = 0; i < field->size(); ++i)
                out += (*field)[i].dump() + (i + 1 < field->size() ? ",\n" : "\n");
            out += "]";
        } else {
            out += field->dump();
        }
    }
    out += "\n}\n";
    if (out.size() > max_manifest)
        throw Error(ErrorKind::internal,
                    "the manifest is longer than " + std::to_string(max_manifest) + " bytes");
    return out;
}

Manifest decode_manifest(BytesView bytes) {
    try {
        const Json json = parse_json(bytes, max_manifest);
        check_version(json);
        auto manifest = from_json<Manifest>(json);
        check_meaning(manifest);
        check_segments(manifest);
        return manifest;
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::corrupt) throw;
        refuse("is not valid: " + error.text());
    }
}

}  // namespace strongroom::backupset
