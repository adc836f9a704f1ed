#include "common/binlog/scanner.hpp"

#include <algorithm>
#include <utility>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

namespace strongroom::binlog {
namespace {

constexpr std::string_view magic{"\xfe\x62in", 4};
constexpr std::size_t header_size = 19;
constexpr std::size_t checksum_size = 4;
// Bodies are held only of events that are looked at, and those are short; a list of GTIDs has 16 bytes for
// each domain and server.
constexpr std::size_t max_held = 16U << 20U;
constexpr std::size_t longest_end_statement = 1024;

enum Type : int {
    query = 2,
    stop = 3,
    rotate = 4,
    format_description = 15,
    xid = 16,
    begin_load_query = 17,
    execute_load_query = 18,
    incident = 26,
    mysql_gtid = 33,
    mysql_anonymous_gtid = 34,
    xa_prepare = 38,
    mysql_transaction_payload = 40,
    mysql_tagged_gtid = 42,
    mariadb_gtid = 162,
    mariadb_gtid_list = 163,
    mariadb_compressed_query = 165,
};

template <class Number>
Number number_at(BytesView bytes, std::size_t at) {
    Number out = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i)
        out |= static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
    return out;
}

bool is_looked_at(int type, std::size_t size) {
    switch (type) {
        case format_description:
        case rotate:
        case mariadb_gtid:
        case mariadb_gtid_list:
        case mysql_gtid:
        case mysql_tagged_gtid:
            return true;
        case query:
            return size <= longest_end_statement;
        default:
            return false;
    }
}

bool begins_with(BytesView text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

}  // namespace

void Scanner::refuse(const std::string& why) const {
    throw Error(ErrorKind::corrupt,
                "the binary log cannot be read at byte " + std::to_string(event_begin_) + ": " + why);
}

void Scanner::add(BytesView bytes, const std::function<void(const Group&)>& on_group) {
    if (failed_) refuse("it was found damaged before");
    failed_ = true;  // unless the end of this is reached
    while (!bytes.empty()) {
        if (wanted_ > held_.size()) {
            const auto take = std::min(bytes.size(), wanted_ - held_.size());
            held_.append(bytes.substr(0, take));
            bytes.remove_prefix(take);
            read_ += static_cast<std::int64_t>(take);
        } else if (read_ < event_end_) {  // an event that is not looked at
            const auto take =
                std::min<std::int64_t>(static_cast<std::int64_t>(bytes.size()), event_end_ - read_);
            bytes.remove_prefix(static_cast<std::size_t>(take));
            read_ += take;
        }
        if (held_.size() < wanted_) break;
        if (in_header_) header();
        if (!in_header_ && read_ == event_end_) body(on_group);
    }
    failed_ = false;
}

// Also takes the file's magic, which comes in the place of the first header.
void Scanner::header() {
    if (read_ == static_cast<std::int64_t>(magic.size())) {
        if (held_ != magic) refuse("the file does not begin like one");
        held_.clear();
        wanted_ = header_size;
        event_begin_ = event_end_ = whole_ = read_;
        return;
    }
    if (closed_) refuse("something follows the event that ends it");
    timestamp_ = number_at<std::uint32_t>(held_, 0);
    type_ = static_cast<unsigned char>(held_[4]);
    server_ = number_at<std::uint32_t>(held_, 5);
    const auto size = number_at<std::uint32_t>(held_, 9);
    const auto end = number_at<std::uint32_t>(held_, 13);
    if (size < header_size) refuse("an event of " + std::to_string(size) + " bytes");
    event_end_ = event_begin_ + size;
    if (end != 0 && end != static_cast<std::uint32_t>(event_end_))  // wraps at 4 GiB
        refuse("an event that ends elsewhere than it says");
    if (!format_known_ && type_ != format_description) refuse("it does not begin with its format");
    in_header_ = false;
    if (is_looked_at(type_, size)) {
        if (size > max_held) refuse("an event that is too long");
        wanted_ = size;
    }
}

BytesView Scanner::content() const {
    const BytesView all = BytesView(held_).substr(header_size);
    const std::size_t behind = checksums_ ? checksum_size : 0;
    if (all.size() < behind) refuse("an event without its checksum");
    return all.substr(0, all.size() - behind);
}

void Scanner::body(const std::function<void(const Group&)>& on_group) {
    switch (type_) {
        case format_description:
            on_format();
            break;
        case mariadb_gtid:
            on_mariadb_gtid();
            break;
        case mysql_gtid:
        case mysql_tagged_gtid:
        case mysql_anonymous_gtid:
            on_mysql_gtid();
            break;
        case mariadb_gtid_list:
            on_gtid_list();
            break;
        case rotate:
            on_rotate();
            break;
        case stop:
            closed_ = true;
            break;
        case incident:
            lost_ = true;
            break;
        case begin_load_query:
        case execute_load_query:
            if (group_) group_->loads_file = true;
            break;
        case query:
            on_query(on_group);
            break;
        case mariadb_compressed_query:  // never an end by COMMIT, which is too short
            if (standalone_) end_group(on_group);
            break;
        case xid:
        case xa_prepare:
        case mysql_transaction_payload:
            end_group(on_group);
            break;
        default:
            break;
    }
    if (!group_) whole_ = event_end_;
    if (timestamp_ != 0 && !first_) first_ = UtcTime(std::chrono::seconds(timestamp_));
    event_begin_ = event_end_;
    held_.clear();
    wanted_ = header_size;
    in_header_ = true;
}

void Scanner::on_format() {
    const BytesView all = BytesView(held_).substr(header_size);
    // version, 50 bytes of the server's version, time, header length, one byte for each type of event; then
    // the kind of checksum and this event's own.
    constexpr std::size_t least = 2 + 50 + 4 + 1 + 1 + checksum_size;
    if (all.size() < least) refuse("a format that is too short");
    if (number_at<std::uint16_t>(all, 0) != 4) refuse("a format version other than 4");
    if (static_cast<unsigned char>(all[2 + 50 + 4]) != header_size) refuse("headers of another length");
    const auto kind = static_cast<unsigned char>(all[all.size() - checksum_size - 1]);
    if (kind > 1) refuse("a kind of checksum that is not known");
    checksums_ = kind == 1;
    format_known_ = true;
}

void Scanner::begin_group(std::string gtid, bool standalone) {
    if (group_) refuse("a transaction begins within another one");
    group_ = Group{event_begin_, 0, UtcTime(std::chrono::seconds(timestamp_)), std::move(gtid)};
    standalone_ = standalone;
}

void Scanner::on_mariadb_gtid() {
    constexpr unsigned char one_statement = 1;
    const BytesView at = content();
    if (at.size() < 13) refuse("a GTID event that is too short");
    const Gtid gtid{number_at<std::uint32_t>(at, 8), server_, number_at<std::uint64_t>(at, 0)};
    begin_group(gtid.text(), (static_cast<unsigned char>(at[12]) & one_statement) != 0);
    pending_ = gtid;
}

void Scanner::on_mysql_gtid() {
    if (type_ != mysql_gtid) return begin_group("", true);
    const BytesView at = content();
    if (at.size() < 25) refuse("a GTID event that is too short");
    const std::string hex = to_hex(at.substr(1, 16));
    begin_group(hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
                    hex.substr(16, 4) + "-" + hex.substr(20) + ":" +
                    std::to_string(number_at<std::uint64_t>(at, 17)),
                true);  // one statement, unless that is BEGIN
}

void Scanner::on_gtid_list() {
    const BytesView at = content();
    if (at.size() < 4) refuse("a list of GTIDs that is too short");
    const std::size_t count = number_at<std::uint32_t>(at, 0) & 0x0fffffffU;
    if ((at.size() - 4) / 16 < count) refuse("a list of GTIDs that is too short");
    // Of several servers in a domain, the last is the newest.
    for (std::size_t i = 0; i < count; ++i) {
        const Gtid gtid{number_at<std::uint32_t>(at, 4 + 16 * i), number_at<std::uint32_t>(at, 8 + 16 * i),
                        number_at<std::uint64_t>(at, 12 + 16 * i)};
        gtids_[gtid.domain] = gtid;
    }
}

void Scanner::on_rotate() {
    const BytesView at = content();
    if (at.size() < 9) refuse("a rotation without a name");
    next_file_ = std::string(at.substr(8));
    closed_ = true;
}

// After the header: thread and time (4 bytes each), length of the schema's name (1), error (2), length of the
// status (2); then the status, the name with a zero byte, and the statement.
void Scanner::on_query(const std::function<void(const Group&)>& on_group) {
    if (!group_) return;
    std::string_view statement;
    if (!held_.empty() && held_.size() > header_size) {
        const BytesView at = content();
        if (at.size() < 13) refuse("a statement that is too short");
        const std::size_t name = static_cast<unsigned char>(at[8]);
        const std::size_t begins = 13 + number_at<std::uint16_t>(at, 11) + name + 1;
        if (begins > at.size()) refuse("a statement that is too short");
        statement = at.substr(begins);
    }
    if (statement == "BEGIN" || begins_with(statement, "XA START")) {
        standalone_ = false;
        return;
    }
    const bool ends = standalone_ || statement == "COMMIT" || statement == "ROLLBACK" ||
                      begins_with(statement, "XA COMMIT") || begins_with(statement, "XA ROLLBACK");
    if (ends) end_group(on_group);
}

void Scanner::end_group(const std::function<void(const Group&)>& on_group) {
    if (!group_) return;  // of a server that writes no GTID events: whole_ follows each event
    group_->end = event_end_;
    if (pending_) gtids_[pending_->domain] = *pending_;
    pending_.reset();
    last_ = group_->time;
    const Group done = *std::exchange(group_, std::nullopt);
    if (on_group) on_group(done);
}

}  // namespace strongroom::binlog
