// A moment in a server's binary log, as a person names it.
#pragma once

#include <string>
#include <string_view>

#include "common/backupset/log_chain.hpp"
#include "common/base/clock.hpp"
#include "common/binlog/scanner.hpp"

namespace strongroom::restore {

struct TargetPoint {
    enum class Kind { latest, time, gtid, position };
    Kind kind = Kind::latest;  // all that there is
    UtcTime time{};            // up to the first transaction of this second or a later one
    binlog::Gtid gtid;         // up to this transaction, and with it
    backupset::LogPoint at;    // up to this byte, where a transaction ends or begins
};

// "latest", or a time: "2026-11-22 01:37:00", also with `T`, and with a zone behind it (`Z`, `+02:00`); UTC
// without one. Throws Error{usage} for anything else, and for fractions of a second: the log has none.
TargetPoint parse_until(std::string_view text);
TargetPoint parse_until_gtid(std::string_view text);      // "0-1-42" of MariaDB
TargetPoint parse_until_position(std::string_view text);  // "binlog.000042:4711"

// For people; a time in UTC and in the zone of this machine.
std::string text_of(const TargetPoint& target);
std::string text_of(const backupset::LogPoint& point);  // "binlog.000042:4711"

// Files of one server in their order: -1, 0, 1. Throws Error{usage} if they are of two names.
int compare(const backupset::LogPoint& a, const backupset::LogPoint& b);
bool same_name(const std::string& file, const std::string& other);  // but for the number

}  // namespace strongroom::restore
