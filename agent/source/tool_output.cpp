#include "agent/source/tool_output.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

using Facts = backupset::Source::Facts;

// The text between the last `before` and the next `after`.
std::optional<std::string> between(std::string_view text, std::string_view before, std::string_view after) {
    const auto start = text.rfind(before);
    if (start == std::string_view::npos) return std::nullopt;
    text.remove_prefix(start + before.size());
    const auto end = text.find(after);
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(text.substr(0, end));
}

std::optional<std::int64_t> number(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    std::int64_t out = 0;
    const char* end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, out);
    if (failure != std::errc() || stop != end || out < 0) return std::nullopt;
    return out;
}

// MySQL breaks long GTID sets into lines.
std::optional<std::string> without_line_breaks(std::optional<std::string> text) {
    if (text) std::erase_if(*text, [](char c) { return c == '\n' || c == '\r'; });
    if (text && text->size() > 8192)
        return std::nullopt;  // more than a manifest holds; the set is still good
    return text;
}

std::optional<std::string> short_line(std::optional<std::string> text) {
    if (text) text = printable_line(*text, 100);
    return text;
}

}  // namespace

Facts read_physical_output(std::string_view head, std::string_view tail, std::optional<std::int64_t> since) {
    if (!last_line(tail).ends_with("completed OK!"))
        throw Error(ErrorKind::source,
                    "the backup tool ended without saying \"completed OK!\"; its last words: " +
                        printable_line(last_line(tail), 200),
                    "The backup is not complete. See the tool's messages and the MySQL error log.");
    Facts out;
    out.server_version = short_line(between(head, "Using server version ", "\n"));
    // Both tools say "incremental backup from 5091754 is enabled."
    const auto begun = number(between(head, "incremental backup from ", " is enabled"));
    if (begun != since)
        throw Error(ErrorKind::source,
                    since ? "the backup tool did not say that it makes an increment from LSN " +
                                std::to_string(*since)
                          : "the backup tool made an increment where a full backup was wanted",
                    since ? "" : "Is there an incremental-... line in the option file?");
    out.position.lsn_from = since.value_or(0);
    out.position.lsn_to = number(between(tail, "The latest check point (for incremental): '", "'"));
    if (!out.position.lsn_to)
        throw Error(ErrorKind::source, "the backup tool did not say up to which LSN it copied");
    if (since && *out.position.lsn_to < *since)
        throw Error(ErrorKind::source,
                    "the server's log ends at LSN " + std::to_string(*out.position.lsn_to) +
                        ", before the increment began: it is not the server of the full backup");
    if (const auto line = between(tail, "MySQL binlog position: ", "\n[")) {
        out.position.binlog_file = between(*line, "filename '", "'");
        out.position.binlog_position = number(between(*line, "position '", "'"));
        out.position.gtid = without_line_breaks(between(*line, "GTID of the last change '", "'"));
    }
    return out;
}

Facts read_dump_text(std::string_view head, std::string_view tail) {
    if (!last_line(tail).starts_with("-- Dump completed"))
        throw Error(ErrorKind::source, "the dump does not end with \"-- Dump completed\"",
                    "The dump is not complete. See the MySQL error log.");
    Facts out;
    out.server_version = short_line(between(head, "\n-- Server version\t", "\n"));
    for (const std::string prefix : {"MASTER_LOG_", "SOURCE_LOG_"}) {
        if (out.position.binlog_file) break;
        out.position.binlog_file = between(head, prefix + "FILE='", "'");
        out.position.binlog_position = number(between(head, prefix + "POS=", ";"));
    }
    out.position.gtid = without_line_breaks(between(tail, "SET GLOBAL gtid_slave_pos='", "'"));
    return out;
}

}  // namespace strongroom::agent
