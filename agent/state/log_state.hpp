// logs.json: how far the server's binary log is in the store (agent/logs). The same facts are in the signed
// manifests; this file says which piece is the newest. Missing or about another log: a new chain of pieces
// begins, with a message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/backupset/manifest.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::agent {

struct LogProgress {
    std::string store;           // URL
    std::int64_t server_id = 0;  // @@server_id
    std::string file;            // of the server's log, that is read now
    std::int64_t sealed = 0;     // bytes of it that are in the store
    std::string tail;            // SHA-256 of the last of those bytes (LogFile::tail); empty if sealed is 0
    std::optional<std::string> piece;  // log id of the newest piece; none: the chain begins with the next
    std::int64_t since = 0;    // UTC ms: what was committed from here on is in the chain's pieces, up to
    std::int64_t covered = 0;  // UTC ms: here; both by the server's clock. 0: nothing yet
    std::string gtid;          // behind the last transaction
    template <class Fields>
    void fields(Fields& f) {
        f("store", store, Text{1000});
        f("server_id", server_id, Range{0, 0xffffffff});
        f("file", file, backupset::log_file_text);
        f("sealed", sealed, any_size);
        f("tail", tail, Text{64});
        f("piece", piece, log_id_text);
        f("since", since, any_time);
        f("covered", covered, any_time);
        f("gtid", gtid, Text{8192});
    }
};

struct LogNote {
    std::int64_t time = 0;  // UTC ms
    std::string text;
    template <class Fields>
    void fields(Fields& f) {
        f("time", time, any_time);
        f("text", text, Text{2000});
    }
};

struct LogState {
    std::optional<LogProgress> at;
    std::optional<LogNote> gap;      // the last one, and why
    std::optional<LogNote> problem;  // since when nothing could be read or stored
    template <class Fields>
    void fields(Fields& f) {
        f("at", at);
        f("gap", gap);
        f("problem", problem);
    }
};

}  // namespace strongroom::agent
