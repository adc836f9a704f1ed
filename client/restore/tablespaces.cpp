#include "client/restore/tablespaces.hpp"

#include <array>
#include <optional>
#include <string_view>

#include "common/backupset/sigpipe_guard.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/base/sql_name.hpp"
#include "common/base/subprocess.hpp"
#include "common/base/unique_fd.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;
using restore::TableName;

constexpr int flush_limit_ms = 600'000;

std::string sql_text(const std::string& value) {
    return "CONVERT(0x" + to_hex(value) + " USING utf8mb4)";
}

std::string quoted(const TableName& name) {
    return quoted_name(name.database) + "." + quoted_name(name.table);
}

struct ExportedTable {
    TableName name;
    fs::path file;  // below the data directory, without its extension
    std::string create;
};

[[noreturn]] void refuse_table(const TableName& name, const std::string& why) {
    throw Error(ErrorKind::refused, "table " + name.shown() + " cannot be exported as a tablespace: " + why,
                "Take it as SQL: without --tablespaces.");
}

ExportedTable look_at_table(const restore::SqlClient& server, const fs::path& datadir,
                            const TableName& name) {
    require_transportable(server, name);
    const auto file = [](const std::string& part) {
        return "CONVERT(CONVERT(" + sql_text(part) + " USING filename) USING binary)";
    };
    const auto rows = server.ask("SELECT " + file(name.database) + ", " + file(name.table) +
                                     "; SHOW CREATE TABLE " + quoted(name) + ";",
                                 2);
    if (rows.size() != 2) refuse_table(name, "the server does not show its definition");
    ExportedTable out{name, fs::path(rows[0][0]) / rows[0][1], rows[1][1]};
    if (!fs::is_regular_file(datadir / (out.file.string() + ".ibd")))
        refuse_table(name, "it has no file of its own");
    return out;
}

// A session that keeps tables closed and complete on disk until its end.
class ExportLock {
  public:
    ExportLock(const restore::PrivateServer& server, const std::vector<ExportedTable>& tables)
        : said_("export") {
        Pipe in = make_pipe();
        Pipe out = make_pipe();
        SpawnOptions options;
        options.argv = {"mariadb"};
        for (auto& argument : server.connection()) options.argv.push_back(std::move(argument));
        for (const char* argument : {"--batch", "--skip-column-names", "--unbuffered", "--sandbox",
                                     "--default-character-set=utf8mb4"})
            options.argv.emplace_back(argument);
        options.fds = {{0, in.read.get()}, {1, out.write.get()}, {2, said_.fd()}};
        client_.emplace(options);
        in.read.reset();
        out.write.reset();
        input_ = std::move(in.write);
        std::string sql;
        for (const auto& table : tables) sql += (sql.empty() ? "FLUSH TABLES " : ", ") + quoted(table.name);
        sql += " FOR EXPORT;\nSELECT 'ready';\n";
        const backupset::SigpipeGuard guard;
        write_all(input_.get(), sql.data(), sql.size(), ErrorKind::source, "the tables cannot be flushed");
        std::array<char, 6> answer{};
        const auto got = read_full(out.read.get(), answer.data(), answer.size(), ErrorKind::source,
                                   "the tables cannot be flushed", flush_limit_ms);
        if (std::string_view(answer.data(), got) != "ready\n") {
            said_.map_all();
            throw Error(ErrorKind::source,
                        "FLUSH TABLES FOR EXPORT failed: " + printable_line(last_line(said_.view()), 300));
        }
    }
    // Throws Error{source} unless the session held until now.
    void release() {
        if (client_->wait_for(std::chrono::milliseconds(0)))
            throw Error(ErrorKind::source, "the tables were not kept closed while they were copied");
        input_.reset();
        if (!client_->wait().ok())
            throw Error(ErrorKind::source, "the session that closed the tables failed");
    }

  private:
    MemFile said_;
    std::optional<Subprocess> client_;
    UniqueFd input_;
};

std::string steps(const std::vector<ExportedTable>& tables) {
    std::string copies;
    for (const auto& table : tables)
        copies += "     cp '" + table.file.string() + ".ibd' '" + table.file.string() + ".cfg' DATADIR/" +
                  table.file.parent_path().string() + "/\n";
    return "Tables as transportable tablespaces, for a server of the same kind and version.\n\n"
           "In this folder, as a user who may write to the server's data directory (DATADIR):\n\n"
           "  1. mariadb < 1-create.sql        makes the tables, and discards their empty tablespaces\n"
           "  2. the files, and their owner:\n" +
           copies +
           "     chown mysql:mysql DATADIR/...    each file that was copied\n"
           "  3. mariadb < 2-import.sql        imports and checks them\n\n"
           "A table of that name must not be there: step 1 stops. Triggers are not part of a tablespace:\n"
           "take them as SQL (strongroom restore --table).\n";
}

}  // namespace

void require_transportable(const restore::SqlClient& server, const TableName& name) {
    const auto where =
        "table_schema = " + sql_text(name.database) + " AND table_name = " + sql_text(name.table);
    const auto rows = server.ask(
        "SELECT IFNULL(engine, ''), table_type, UPPER(IFNULL(create_options, '')) FROM "
        "information_schema.tables "
        "WHERE " +
            where + ";",
        3);
    if (rows.size() != 1) refuse_table(name, "the server does not show it as one table");
    if (rows[0][1] != "BASE TABLE") refuse_table(name, "it is a " + printable_line(rows[0][1], 40));
    if (rows[0][0] != "InnoDB") refuse_table(name, "its engine is " + printable_line(rows[0][0], 40));
    if (rows[0][2].find("PARTITIONED") != std::string::npos) refuse_table(name, "it is partitioned");
    if (rows[0][2].find("ENCRYPT") != std::string::npos) refuse_table(name, "it is encrypted");
    const auto keys = server.ask(
        "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE (constraint_schema = " +
            sql_text(name.database) + " AND table_name = " + sql_text(name.table) +
            ") OR (unique_constraint_schema = " + sql_text(name.database) +
            " AND referenced_table_name = " + sql_text(name.table) +
            "); SELECT COUNT(*) FROM information_schema.statistics WHERE index_type = 'FULLTEXT' AND " +
            where + ";",
        1);
    if (keys.size() != 2) refuse_table(name, "the server does not say what keys it has");
    if (keys[0][0] != "0") refuse_table(name, "it has foreign keys, or others have them to it");
    if (keys[1][0] != "0") refuse_table(name, "it has a fulltext index");
}

void export_tablespaces(const restore::PrivateServer& server, const fs::path& datadir,
                        const std::vector<TableName>& tables, const fs::path& folder) {
    const auto client = server.client();
    std::vector<ExportedTable> exported;
    for (const auto& name : tables) exported.push_back(look_at_table(client, datadir, name));
    ExportLock lock(server, exported);
    std::string create = "SET NAMES utf8mb4;\n";
    std::string import = create;
    for (const auto& table : exported) {
        fs::create_directories(folder / table.file.parent_path());
        for (const char* extension : {".ibd", ".cfg"})
            fs::copy_file(datadir / (table.file.string() + extension),
                          folder / (table.file.string() + extension));
        create += "CREATE DATABASE IF NOT EXISTS " + quoted_name(table.name.database) + ";\nUSE " +
                  quoted_name(table.name.database) + ";\n" + table.create + ";\nALTER TABLE " +
                  quoted(table.name) + " DISCARD TABLESPACE;\n";
        import += "ALTER TABLE " + quoted(table.name) + " IMPORT TABLESPACE;\nCHECK TABLE " +
                  quoted(table.name) + ";\n";
    }
    lock.release();
    write_file_atomic(folder / "1-create.sql", create);
    write_file_atomic(folder / "2-import.sql", import);
    write_file_atomic(folder / "README.txt", steps(exported));
}

}  // namespace strongroom::client
