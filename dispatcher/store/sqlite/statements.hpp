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
#include <optional>
#include <string>
#include <type_traits>
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

// Rows of `Record` for "SELECT <columns> FROM <rest>".
template <class Record, class... Values>
std::vector<Record> select(soci::session& session, const std::string& rest, const Values&... values) {
    std::vector<Record> out;
    Record record;
    std::string names;
    std::list<std::string> texts;                // columns that are not plain text or numbers
    std::vector<std::function<void()>> convert;  // texts -> fields, after each fetch
    soci::statement statement(session);
    columns(record, [&](const char* column, auto& field) {
        names += (names.empty() ? "" : ", ") + std::string(column);
        using Field = std::remove_reference_t<decltype(field)>;
        if constexpr (std::is_same_v<Field, std::string> || std::is_same_v<Field, std::int64_t>) {
            statement.exchange(soci::into(field));
        } else {
            std::string& text = texts.emplace_back();
            statement.exchange(soci::into(text));
            convert.push_back([&text, &field] { from_column(text, field); });
        }
    });
    (statement.exchange(soci::use(values)), ...);
    statement.alloc();
    statement.prepare("SELECT " + names + " FROM " + rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) {
        for (const auto& run : convert) run();
        out.push_back(record);
    }
    return out;
}

template <class Record, class... Values>
std::optional<Record> select_one(soci::session& session, const std::string& rest, const Values&... values) {
    auto rows = select<Record>(session, rest, values...);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

// Runs one statement; returns the number of rows that it changed.
template <class... Values>
std::int64_t execute(soci::session& session, const std::string& sql, const Values&... values) {
    soci::statement statement(session);
    (statement.exchange(soci::use(values)), ...);
    statement.alloc();
    statement.prepare(sql);
    statement.define_and_bind();
    statement.execute(true);
    return statement.get_affected_rows();
}

// "INSERT INTO table (columns) VALUES (...)". Throws sqlite3_soci_error on a taken key.
template <class Record>
void insert(soci::session& session, const std::string& table, const Record& record) {
    std::string names;
    std::string places;
    std::list<std::string> texts;
    soci::statement statement(session);
    columns(const_cast<Record&>(record), [&](const char* column, auto& field) {  // only read here
        names += (names.empty() ? "" : ", ") + std::string(column);
        places += (places.empty() ? ":" : ", :") + std::string(column);
        using Field = std::remove_reference_t<decltype(field)>;
        if constexpr (std::is_same_v<Field, std::string> || std::is_same_v<Field, std::int64_t>) {
            statement.exchange(soci::use(std::as_const(field), column));
        } else {
            const std::string& text = texts.emplace_back(to_column(field));
            statement.exchange(soci::use(text, column));
        }
    });
    statement.alloc();
    statement.prepare("INSERT INTO " + table + " (" + names + ") VALUES (" + places + ")");
    statement.define_and_bind();
    statement.execute(true);
}

inline std::int64_t count(soci::session& session, const std::string& sql) {
    std::int64_t out = 0;
    session << sql, soci::into(out);
    return out;
}

}  // namespace strongroom::dispatcher
