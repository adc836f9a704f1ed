// The signed commit record of a backup set. Holds no schema names and no secrets, and does not cover the
// envelope, which rotation replaces. docs/format.md is normative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::backupset {

inline constexpr std::int64_t manifest_version = 1;
inline constexpr std::size_t max_manifest = 64U << 20U;  // bytes; 10,000 segments are about 1.5 MiB
inline constexpr std::int64_t max_segments = 400'000;    // whose list fits into max_manifest
inline constexpr std::int64_t max_segment_size = 256LL << 20;
inline constexpr std::int64_t default_segment_size = 32LL << 20;

// The name of a file of binary logs: no path, and a number behind its last dot.
bool is_log_file(std::string_view name);
extern const Text log_file_text;
// What follows it in the order of the server: "b.000009" -> "b.000010".
std::string log_file_after(const std::string& file);

struct Segment {
    std::int64_t index = 0;
    std::int64_t plain_size = 0;   // bytes of the source stream
    std::int64_t stored_size = 0;  // bytes of the object in the store
    std::string sha256;            // of the stored bytes
    template <class Fields>
    void fields(Fields& f) {
        f("index", index, Range{0, max_segments - 1});
        f("plain_size", plain_size, Range{1, max_segment_size});
        f("stored_size", stored_size, Range{1, 2 * max_segment_size});
        f("sha256", sha256, sha256_text);
    }
};

// What the source knew about the database; every field is optional because dumps know less than physical
// backups.
struct Position {
    std::optional<std::int64_t> lsn_from;
    std::optional<std::int64_t> lsn_to;
    std::optional<std::string> binlog_file;
    std::optional<std::int64_t> binlog_position;
    std::optional<std::string> gtid;
    template <class Fields>
    void fields(Fields& f) {
        f("lsn_from", lsn_from, any_size);
        f("lsn_to", lsn_to, any_size);
        f("binlog_file", binlog_file, Text{512});
        f("binlog_position", binlog_position, any_size);
        f("gtid", gtid, Text{8192});
    }
};

// Of a piece of a binary log: the bytes [first, last) of one file, which end behind a whole transaction.
// docs/format.md section 9.
struct LogPart {
    std::string file;  // "binlog.000042"
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::optional<std::string> next;  // of a file's last piece: the file after it
    std::string began;                // UTC: when the server began the file
    std::string covered;         // UTC, by the server's clock: whatever was committed before it is in the
                                 // log up to `last`
    std::string gtid;            // MariaDB's, after the last transaction; empty if not known
    std::int64_t server_id = 0;  // @@server_id of who wrote the file
    template <class Fields>
    void fields(Fields& f) {
        f("file", file, log_file_text);
        f("first", first, any_size);
        f("last", last, any_size);
        f("next", next, log_file_text);
        f("began", began, Text{20});
        f("covered", covered, Text{20});
        f("gtid", gtid, Text{8192});
        f("server_id", server_id, Range{0, 0xffffffff});
    }
};

struct Manifest {
    std::string format = "strongroom-backup-set";
    std::int64_t version = manifest_version;
    std::string server;                 // UUID
    std::string set;                    // set id
    std::string kind;                   // "full", "incremental" or "log"
    std::optional<std::string> parent;  // of a log: the piece before it, if nothing lies between
    std::string created;                // UTC, start of the backup, "2026-11-22T01:37:00Z"
    std::string finished;               // UTC, when the manifest was made
    // Of a set that was written anew under another data passphrase (reencrypt.hpp): the set that it replaces,
    // and since when its passphrase exists, UTC. `created` stays that of the data.
    std::optional<std::string> replaces;
    std::optional<std::string> reencrypted;
    std::string stream;                // what the plain stream is: "xbstream", "sql", "tar", "raw", "binlog"
    std::optional<std::string> scope;  // "partial": a dump of some databases or tables only
    std::string source_tool;           // "mariadb-backup"
    std::string source_version;        // first line of its --version
    std::optional<std::string> server_version;  // of the MySQL server
    Position position;
    std::optional<LogPart> log;  // of kind "log"
    std::string compression;     // "zstd" or "none"
    std::int64_t segment_size = default_segment_size;
    std::vector<Segment> segments;
    std::int64_t plain_total = 0;
    std::int64_t stored_total = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("format", format, Text{64});
        f("version", version, Range{1, 1000});
        f("server", server, uuid_text);
        f("set", set, set_or_log_id_text);
        f("kind", kind, Text{16});
        f("parent", parent, set_or_log_id_text);
        f("created", created, Text{20});
        f("finished", finished, Text{20});
        f("replaces", replaces, set_id_text);
        f("reencrypted", reencrypted, Text{20});
        f("stream", stream, Text{16});
        f("scope", scope, Text{16});
        f("source_tool", source_tool, Text{64});
        f("source_version", source_version, Text{512});
        f("server_version", server_version, Text{128});
        f("position", position);
        f("log", log);
        f("compression", compression, Text{16});
        f("segment_size", segment_size, Range{1, max_segment_size});
        f("segments", segments, Many<Nested>{static_cast<std::size_t>(max_segments), {}});
        f("plain_total", plain_total, any_size);
        f("stored_total", stored_total, any_size);
    }
};

Bytes encode_manifest(const Manifest& manifest);

// Strict: every limit above, known format/version/kind/stream/compression, segments numbered 0..n-1 without
// gaps, totals that agree, all but the last segment exactly segment_size long. Throws Error{corrupt} with the
// reason (an unknown newer version says that a newer program is needed).
Manifest decode_manifest(BytesView bytes);

}  // namespace strongroom::backupset
