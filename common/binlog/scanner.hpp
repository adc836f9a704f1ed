// Reads a binary log of MariaDB or MySQL (format version 4) as it comes, and knows where transactions begin
// and end in it. Looks at no row and no statement but COMMIT and its like.
//
// Source of the numbers: MariaDB's sql/log_event.h and the "Replication Protocol" pages of its
// knowledge base; MySQL's libbinlogevents. An event group is what both replicate as a whole: a transaction,
// or one DDL statement. It begins with a GTID event (MySQL: also an anonymous one).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"

namespace strongroom::binlog {

// "0-1-42" of MariaDB: one sequence for each domain.
struct Gtid {
    std::uint32_t domain = 0;
    std::uint32_t server = 0;
    std::uint64_t sequence = 0;
    std::string text() const;
    bool operator==(const Gtid&) const = default;
};
// Throws Error{usage} for another shape.
Gtid parse_gtid(std::string_view text);

using GtidState = std::map<std::uint32_t, Gtid>;  // the last one of each domain
std::string text_of(const GtidState& state);      // "0-1-42,1-1-7"; empty: none
// Throws Error{usage} unless it is such a text, or empty.
GtidState parse_gtid_state(std::string_view text);

// One transaction, or one DDL statement.
struct Group {
    std::int64_t begin = 0;   // bytes of the file before it
    std::int64_t end = 0;     // behind it
    UtcTime time{};           // of its commit by the server's clock, to the second
    std::string gtid;         // "0-1-42" or "UUID:42"; empty if the server gave none
    bool loads_file = false;  // LOAD DATA INFILE as a statement: the file is in the log
};

// One file. Not shared between threads.
class Scanner {
  public:
    // Takes the next bytes; `on_group` hears of each group whose last byte has come. Throws Error{corrupt}
    // with the offset for what is no binary log, and goes on no more.
    void add(BytesView bytes, const std::function<void(const Group&)>& on_group = {});

    std::int64_t read() const { return read_; }  // bytes taken
    // The end of what is whole: behind the last group, or behind the last event that is in no group. Where
    // another begins, if it does.
    std::int64_t whole() const { return whole_; }
    bool at_event_end() const { return event_end_ == read_; }
    const GtidState& gtids() const { return gtids_; }                    // MariaDB's, at whole()
    std::optional<UtcTime> first() const { return first_; }              // time of the first event
    std::optional<UtcTime> last() const { return last_; }                // of the last whole group
    std::optional<std::string> next_file() const { return next_file_; }  // by the file's last event
    bool closed() const { return closed_; }     // its last event says that the file ends
    bool lost_events() const { return lost_; }  // the server says that it could not write some

  private:
    void header();
    void body(const std::function<void(const Group&)>& on_group);
    void begin_group(std::string gtid, bool standalone);
    void end_group(const std::function<void(const Group&)>& on_group);
    void on_query(const std::function<void(const Group&)>& on_group);
    void on_mariadb_gtid();
    void on_mysql_gtid();
    void on_gtid_list();
    void on_format();
    void on_rotate();
    BytesView content() const;  // of the event: without header and checksum
    [[noreturn]] void refuse(const std::string& why) const;

    std::int64_t read_ = 0;
    std::int64_t event_begin_ = 0;
    std::int64_t event_end_ = 0;
    std::int64_t whole_ = 0;
    std::size_t wanted_ = 4;  // bytes that `held_` must have before it is looked at: the file's magic
    Bytes held_;
    bool in_header_ = true;
    int type_ = 0;
    std::uint32_t timestamp_ = 0;
    std::uint32_t server_ = 0;
    bool checksums_ = false;
    bool format_known_ = false;
    bool failed_ = false;

    std::optional<Group> group_;   // that has begun
    bool standalone_ = false;      // it is one statement
    std::optional<Gtid> pending_;  // its place in gtids_, once it is whole
    GtidState gtids_;
    std::optional<UtcTime> first_;
    std::optional<UtcTime> last_;
    std::optional<std::string> next_file_;
    bool closed_ = false;
    bool lost_ = false;
};

}  // namespace strongroom::binlog
