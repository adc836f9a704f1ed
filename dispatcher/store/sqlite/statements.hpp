// SOCI, reduced to what this store uses: records bound field by field from one declaration, and errors as
// ours.
//
// Only this folder includes SOCI. All statements bind named variables by position; nothing is pasted into SQL
// but table and column names of our own.
#pragma once

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dispatcher/store/sqlite/columns.hpp"

namespace strongroom::dispatcher {

// The database said no. The code is SQLite's primary result code.
inline int sqlite_code(const soci::sqlite3_soci_error& error) {
    return error.result() & 0xff;
}
inline constexpr int sqlite_busy = 5;
inline constexpr int sqlite_locked = 6;
inline constexpr int sqlite_constraint = 19;

// A connection that keeps its statements prepared: parsing SQL again costs more than running it.
class Session : public soci::session {
  public:
    explicit Session(const std::string& parameters) : soci::session(soci::sqlite3, parameters) {}
    // Before the connection goes.
    ~Session() { statements_.clear(); }
    Session(const Session&) = delete;

    // One run of a statement. done() keeps it for the next run; after an exception it is dropped.
    class Run {
      public:
        Run(Session& session, std::string sql) : session_(session), sql_(std::move(sql)) {
            const auto kept = session_.statements_.find(sql_);
            if (kept != session_.statements_.end()) {
                statement_ = std::move(kept->second);
                session_.statements_.erase(kept);
                return;
            }
            statement_ = std::make_unique<soci::statement>(session_);
            statement_->alloc();
            statement_->prepare(sql_);
        }
        Run(const Run&) = delete;

        soci::statement& operator*() { return *statement_; }
        soci::statement* operator->() { return statement_.get(); }
        void done() {
            statement_->bind_clean_up();
            session_.statements_.emplace(std::move(sql_), std::move(statement_));
        }

      private:
        Session& session_;
        std::string sql_;
        std::unique_ptr<soci::statement> statement_;
    };

  private:
    std::unordered_map<std::string, std::unique_ptr<soci::statement>> statements_;
};

// The columns of a record, for SQL.
template <class Record>
const std::string& column_names() {
    static const std::string names = [] {
        std::string out;
        Record record;
        columns(record,
                [&](const char* column, auto&) { out += (out.empty() ? "" : ", ") + std::string(column); });
        return out;
    }();
    return names;
}

template <class Field>
constexpr bool is_plain = std::is_same_v<Field, std::string> || std::is_same_v<Field, std::int64_t>;

// Rows of `Record` for "SELECT <columns> FROM <rest>".
template <class Record, class... Values>
std::vector<Record> select(Session& session, const std::string& rest, const Values&... values) {
    std::vector<Record> out;
    Record record;
    std::list<std::string> texts;                // columns that are not plain text or numbers
    std::vector<std::function<void()>> convert;  // texts -> fields, after each fetch
    Session::Run run(session, "SELECT " + column_names<Record>() + " FROM " + rest);
    columns(record, [&](const char*, auto& field) {
        if constexpr (is_plain<std::remove_reference_t<decltype(field)>>) {
            run->exchange(soci::into(field));
        } else {
            std::string& text = texts.emplace_back();
            run->exchange(soci::into(text));
            convert.push_back([&text, &field] { from_column(text, field); });
        }
    });
    (run->exchange(soci::use(values)), ...);
    run->define_and_bind();
    run->execute(false);
    while (run->fetch()) {
        for (const auto& each : convert) each();
        out.push_back(record);
    }
    run.done();
    return out;
}

template <class Record, class... Values>
std::optional<Record> select_one(Session& session, const std::string& rest, const Values&... values) {
    auto rows = select<Record>(session, rest, values...);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

// Runs one statement; returns the number of rows that it changed.
template <class... Values>
std::int64_t execute(Session& session, const std::string& sql, const Values&... values) {
    Session::Run run(session, sql);
    (run->exchange(soci::use(values)), ...);
    run->define_and_bind();
    run->execute(true);
    const std::int64_t changed = run->get_affected_rows();
    run.done();
    return changed;
}

// "INSERT INTO table (columns) VALUES (...)". Throws sqlite3_soci_error on a taken key.
template <class Record>
void insert(Session& session, const std::string& table, const Record& record) {
    static const std::string places = [] {
        std::string out;
        Record any;
        columns(any,
                [&](const char* column, auto&) { out += (out.empty() ? ":" : ", :") + std::string(column); });
        return out;
    }();
    std::list<std::string> texts;
    Session::Run run(session,
                     "INSERT INTO " + table + " (" + column_names<Record>() + ") VALUES (" + places + ")");
    columns(const_cast<Record&>(record), [&](const char* column, auto& field) {  // only read here
        if constexpr (is_plain<std::remove_reference_t<decltype(field)>>) {
            run->exchange(soci::use(std::as_const(field), column));
        } else {
            const std::string& text = texts.emplace_back(to_column(field));
            run->exchange(soci::use(text, column));
        }
    });
    run->define_and_bind();
    run->execute(true);
    run.done();
}

// The one number that a query answers with.
template <class... Values>
std::int64_t count(Session& session, const std::string& sql, const Values&... values) {
    std::int64_t out = 0;
    Session::Run run(session, sql);
    run->exchange(soci::into(out));
    (run->exchange(soci::use(values)), ...);
    run->define_and_bind();
    run->execute(true);
    while (run->fetch()) {
    }
    run.done();
    return out;
}

}  // namespace strongroom::dispatcher
