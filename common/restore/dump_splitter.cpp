#include "common/restore/dump_splitter.hpp"

#include <algorithm>
#include <array>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/base/sql_name.hpp"

namespace strongroom::restore {
namespace {

constexpr std::size_t max_held = 4U << 20U;  // bytes of settings, or of a CREATE DATABASE
constexpr std::string_view announcement = "-- strongroom holds ";

bool announces_something_new(std::string_view comment) {
    constexpr std::array<std::string_view, 7> beginnings{
        "-- Table structure ",   "-- Dumping ",           "-- Temporary ",     "-- Final view ",
        "-- Current Database: ", "-- Sequence structure", "-- Temporary view "};
    return std::ranges::any_of(beginnings, [&](auto text) { return comment.starts_with(text); });
}

// SET TIME_ZONE=@OLD_TIME_ZONE: the dump's end gives back what its beginning kept.
bool gives_back(const std::vector<SqlToken>& head) {
    for (std::size_t i = 2; i < head.size(); ++i)
        if (head[i].kind == SqlToken::Kind::word && head[i].value.starts_with("OLD_") &&
            head[i - 1].is('@') && head[i - 2].is('='))
            return true;
    return false;
}

void hold(std::string& into, std::string_view text) {
    if (into.size() + text.size() > max_held)
        throw Error(ErrorKind::corrupt, "the dump has settings of more than 4 MiB");
    into.append(text);
}

}  // namespace

std::string announce(const Selection& selection) {
    std::string out;
    for (const auto& database : selection.databases)
        out += std::string(announcement) + "database " + written_name(database) + "\n";
    for (const auto& table : selection.tables)
        out += std::string(announcement) + "table " + written_name(table) + "\n";
    return out;
}

DumpSplitter::DumpSplitter(backupset::Target* inner, Selection wanted, Options options)
    : inner_(inner), wanted_(std::move(wanted)), options_(std::move(options)), reader_(*this) {}

void DumpSplitter::write(const char* data, std::size_t size) {
    reader_.write({data, size});
    if (wanted_.all() && inner_ != nullptr) inner_->write(data, size);
}

void DumpSplitter::commit() {
    reader_.finish();
    if (!complete_)
        throw Error(ErrorKind::corrupt, "the dump does not end with \"-- Dump completed\"",
                    "It is not complete, or was not made by mariadb-dump or mysqldump.");
    require_there(wanted_, ErrorKind::not_found);
    if (inner_ != nullptr) inner_->commit();
}

void DumpSplitter::require_there(const Selection& wanted, ErrorKind kind) const {
    require_held(wanted, databases_, tables_, kind);
}

const DumpedTable* DumpSplitter::at_line(std::int64_t line) const {
    const DumpedTable* out = nullptr;
    for (const auto& [begin, index] : begins_) {
        if (begin > line) break;
        out = &passed_[index];
    }
    return out;
}

void DumpSplitter::on_comment(std::string_view line) {
    complete_ = line.starts_with("-- Dump completed");
    if (announces_something_new(line)) {
        fresh_ = true;
        waiting_.clear();
        waiting_mode_.reset();
    }
    if (owner_ != Owner::beginning || !line.starts_with(announcement)) return;
    line.remove_prefix(announcement.size());
    if (announced_.tables.size() + announced_.databases.size() >= max_tables)
        throw Error(ErrorKind::corrupt, "the dump names too many tables");
    try {
        if (line.starts_with("database "))
            announced_.databases.push_back(parse_database_name(line.substr(9)));
        else if (line.starts_with("table "))
            announced_.tables.push_back(parse_table_name(line.substr(6)));
    } catch (const Error& error) {
        throw Error(ErrorKind::corrupt, "what the dump says to hold is not understood: " + error.text());
    }
}

void DumpSplitter::on_statement(const std::vector<SqlToken>& head) {
    complete_ = false;
    const auto statement = classify(head);
    const bool setting = statement.role == Role::setting;
    fate_ = fate_of(statement, head);
    if (fate_ == Fate::pass) begin_kept(setting);
    if (setting && reader_.sets_mode()) {
        if (fate_ == Fate::pass) mode_ = reader_.mode();
        if (fate_ == Fate::wait) waiting_mode_ = reader_.mode();
    }
    if (setting) return;
    fresh_ = false;
    waiting_.clear();
    waiting_mode_.reset();
}

void DumpSplitter::on_text(std::string_view piece) {
    switch (fate_) {
        case Fate::drop:
            return;
        case Fate::pass:
            if (const auto at = passed_at_.find(table_); owner_ == Owner::table && at != passed_at_.end())
                passed_[at->second].bytes += std::ssize(piece);
            return put(piece);
        case Fate::wait:
            return hold(waiting_, piece);
        case Fate::create:
            return hold(create_, piece);
    }
}

void DumpSplitter::on_end(const std::string& delimiter) {
    if (fate_ == Fate::wait) hold(waiting_, ";\n");
    if (fate_ == Fate::create) hold(create_, ";\n");
    if (fate_ != Fate::pass) return;
    put(delimiter + "\n");
}

bool DumpSplitter::owner_is_wanted() const {
    if (wanted_.all()) return true;
    if (owner_ == Owner::table) return wanted_.holds(table_);
    return owner_ == Owner::database && wanted_.holds_whole(database_);
}

DumpSplitter::Fate DumpSplitter::fate_of(const DumpStatement& statement, const std::vector<SqlToken>& head) {
    const auto of_owner = [&] { return owner_is_wanted() ? Fate::pass : Fate::drop; };
    switch (statement.role) {
        case Role::setting:
            return fate_of_setting(head);
        case Role::global:
        case Role::drop:
            return Fate::drop;
        case Role::use:
        case Role::database:
            if (databases_.size() >= max_tables)
                throw Error(ErrorKind::corrupt, "the dump has too many databases");
            databases_.insert(statement.name);
            owner_ = Owner::database;
            if (database_ != statement.name) create_.clear();
            database_ = statement.name;
            return statement.role == Role::use ? Fate::drop : Fate::create;
        case Role::collation:
            return options_.into_database.empty() && wanted_.holds_whole(database_) ? of_owner() : Fate::drop;
        case Role::table:
        case Role::sequence:
        case Role::create:
        case Role::create_view:
            return enter_table(statement);
        case Role::routine:
            owner_ = Owner::database;
            return of_owner();
        case Role::transaction:
            return of_owner();
        case Role::trigger:
            if (owner_ == Owner::table) return fate_of_trigger(statement);
            [[fallthrough]];
        case Role::unknown:
            break;
    }
    if (wanted_.all()) return Fate::pass;
    std::string words;
    for (std::size_t i = 0; i < std::min<std::size_t>(3, head.size()); ++i)
        words += (words.empty() ? "" : " ") + head[i].value;
    throw Error(ErrorKind::corrupt,
                "the dump has a statement that is not understood in line " + std::to_string(reader_.line()) +
                    ": " + printable_line(words, 80),
                "No part of it can be taken safely. Restore the whole dump (--pipe, --stdout).");
}

DumpSplitter::Fate DumpSplitter::fate_of_trigger(const DumpStatement& statement) {
    if (!owner_is_wanted() || options_.skip_triggers) return Fate::drop;
    if (statement.database.empty()) return Fate::pass;
    const auto shown = TableName{statement.database, statement.name}.shown();
    if (!options_.into_database.empty())
        throw Error(ErrorKind::refused, "the trigger " + shown + " names its database in its own definition",
                    "It cannot be loaded into another one. --skip-triggers leaves all triggers out.");
    if (bound_triggers_.size() < max_tables) bound_triggers_.push_back(shown);
    return Fate::pass;
}

DumpSplitter::Fate DumpSplitter::fate_of_setting(const std::vector<SqlToken>& head) const {
    if (gives_back(head)) return Fate::pass;
    if (fresh_) return Fate::wait;
    if (owner_ == Owner::beginning) return Fate::pass;
    return owner_is_wanted() ? Fate::pass : Fate::drop;
}

DumpSplitter::Fate DumpSplitter::enter_table(const DumpStatement& statement) {
    const TableName name{statement.database.empty() ? database_ : statement.database, statement.name};
    const bool another = owner_ != Owner::table || table_ != name;
    owner_ = Owner::table;
    table_ = name;
    if (statement.role != Role::table) {
        if (tables_.size() >= max_tables) throw Error(ErrorKind::corrupt, "the dump has too many tables");
        tables_.insert(table_);
    }
    if (!owner_is_wanted()) return Fate::drop;
    if (!statement.database.empty() && (options_.without_database || !options_.into_database.empty()))
        throw Error(ErrorKind::corrupt,
                    "the dump names the database of " + table_.shown() + " in its own statements",
                    "It cannot be put into another one.");
    const auto [at, is_new] = passed_at_.try_emplace(table_, passed_.size());
    if (is_new) passed_.push_back({table_, false, 0, line_now()});
    if (another) begins_.emplace_back(line_now(), at->second);
    if (statement.role == Role::create_view) passed_[at->second].view = true;
    return Fate::pass;
}

// What must stand in the target before the statement at hand.
void DumpSplitter::begin_kept(bool setting) {
    if (wanted_.all() || inner_ == nullptr) return;
    const auto& database = options_.into_database.empty() ? database_ : options_.into_database;
    if (!setting) {
        needed_delimiter_ = ";";
        if (!options_.without_database && used_ != database) {
            put(options_.into_database.empty() ? create_ : "");
            put("USE " + quoted_name(database) + ";\n");
            used_ = database;
        }
        put(waiting_);
        mode_ = waiting_mode_.value_or(mode_);
        if (mode_ != reader_.mode())
            throw Error(ErrorKind::corrupt, "the dump sets sql_mode in one part for another, in line " +
                                                std::to_string(reader_.line()));
    }
    needed_delimiter_ = reader_.delimiter();
}

void DumpSplitter::put(std::string_view text) {
    if (wanted_.all() || inner_ == nullptr || text.empty()) return;
    std::string change;
    if (delimiter_ != needed_delimiter_) {
        delimiter_ = needed_delimiter_;
        change = "DELIMITER " + delimiter_ + "\n";
    }
    for (const std::string_view part : {std::string_view(change), text}) {
        line_ += std::ranges::count(part, '\n');
        if (!part.empty()) inner_->write(part.data(), part.size());
    }
}

}  // namespace strongroom::restore
