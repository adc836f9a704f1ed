#include "common/restore/mydumper_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"
#include "common/base/sql_name.hpp"
#include "common/base/unique_fd.hpp"
#include "common/restore/mydumper_code.hpp"
#include "common/restore/mydumper_extraction.hpp"
#include "common/restore/mydumper_file.hpp"

namespace strongroom::restore {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_code = 256U << 20U;  // bytes of one file of triggers, routines or a view

// As mydumper's own loader sets it. Whoever takes a part of the text keeps what sets something back to an
// @OLD_ value (dump_splitter.cpp), so the two modes are such values.
constexpr std::string_view beginning =
    "/*!40101 SET NAMES binary */;\n"
    "/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;\n"
    "/*!40103 SET TIME_ZONE='+00:00' */;\n"
    "/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;\n"
    "/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;\n"
    "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, @OLD_LOADING_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n"
    "/*!40101 SET SQL_MODE=@OLD_LOADING_MODE */;\n";
constexpr std::string_view mode_of_code = "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n";
constexpr std::string_view mode_of_rows = "/*!40101 SET SQL_MODE=@OLD_LOADING_MODE */;\n";
constexpr std::string_view after_tables =
    "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n"
    "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n";
constexpr std::string_view ending =
    "/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;\n"
    "/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;\n";

struct TableFiles {
    fs::path structure;
    std::vector<fs::path> rows;
    fs::path triggers;
    fs::path view;
};

struct DatabaseFiles {
    fs::path create;
    fs::path routines;
    std::map<std::string, TableFiles> tables;
};

std::map<std::string, DatabaseFiles> look_into(const fs::path& folder) {
    std::map<std::string, DatabaseFiles> out;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto file = read_mydumper_name(entry.path().filename().string());
        if (!file)
            throw Error(ErrorKind::refused, "there is " + printable_line(entry.path().filename().string()) +
                                                " in the folder, which mydumper does not write");
        if (file->part == MydumperFile::Part::metadata) continue;
        DatabaseFiles& database = out[file->name.database];
        if (file->part == MydumperFile::Part::database) {
            database.create = entry.path();
        } else if (file->part == MydumperFile::Part::routines) {
            database.routines = entry.path();
        } else {
            TableFiles& table = database.tables[file->name.table];
            if (file->part == MydumperFile::Part::structure) table.structure = entry.path();
            if (file->part == MydumperFile::Part::rows) table.rows.push_back(entry.path());
            if (file->part == MydumperFile::Part::triggers) table.triggers = entry.path();
            if (file->part == MydumperFile::Part::view) table.view = entry.path();
        }
    }
    for (auto& [name, database] : out)
        for (auto& [table, files] : database.tables) std::ranges::sort(files.rows);
    return out;
}

class Text {
  public:
    explicit Text(backupset::Target& target) : target_(target), buffer_(1U << 20U) {}

    void say(std::string_view text) { target_.write(text.data(), text.size()); }

    void copy(const fs::path& path) {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd) throw system_error(ErrorKind::storage, "cannot open " + path.string(), errno);
        for (;;) {
            const ssize_t got = ::read(fd.get(), buffer_.data(), buffer_.size());
            if (got == 0) return;
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw system_error(ErrorKind::storage, "cannot read " + path.string(), errno);
            target_.write(buffer_.data(), static_cast<std::size_t>(got));
        }
    }

    // Statements that may hold others, but for those that `skip` names.
    void copy_code(
        const fs::path& path,
        const std::function<bool(const MydumperStatement&)>& skip = [](const auto&) { return false; }) {
        const Bytes code = read_file(path, max_code);
        for (const auto& statement : read_mydumper_code(code, path.filename().string())) {
            if (skip(statement)) continue;
            const std::string text(statement.text);
            say(statement.whole ? "DELIMITER ;;\n" + text + " ;;\nDELIMITER ;\n" : text + ";\n");
        }
    }

  private:
    backupset::Target& target_;
    std::vector<char> buffer_;
};

std::string in_comment(const std::string& name) {
    return printable_line(quoted_name(name), 300);
}

void use_database(Text& text, const std::string& name) {
    text.say("\n-- Current Database: " + in_comment(name) + "\n\nUSE " + quoted_name(name) + ";\n");
}

void create_database(Text& text, const std::string& name, const DatabaseFiles& files) {
    constexpr std::string_view plain = "CREATE DATABASE `";
    std::string create = "CREATE DATABASE /*!32312 IF NOT EXISTS*/ " + quoted_name(name) + ";\n";
    if (!files.create.empty()) {
        create = read_file(files.create, max_code);
        if (create.starts_with(plain))
            create = "CREATE DATABASE /*!32312 IF NOT EXISTS*/ " + create.substr(plain.size() - 1);
    }
    text.say("\n-- Current Database: " + in_comment(name) + "\n\n" + create + "\nUSE " + quoted_name(name) +
             ";\n");
}

// mydumper asks for the triggers of tables LIKE `name`, in which "_" and "%" stand for others.
bool is_of_another(const std::string& name, const DatabaseFiles& database, const std::string& named) {
    if (named.empty() || named == name) return false;
    return database.tables.contains(named) || !may_be_one_table(named, name);
}

void write_table(Text& text, const std::string& name, const DatabaseFiles& database) {
    const TableFiles& files = database.tables.at(name);
    const auto quoted = quoted_name(name);
    if (files.structure.empty())
        throw Error(ErrorKind::corrupt,
                    "the dump has no definition of the table " + printable_line(name, 200));
    text.say("\n-- Table structure for table " + in_comment(name) + "\n\n");
    text.say("DROP TABLE IF EXISTS " + quoted + ";\n");
    if (!files.view.empty()) text.say("DROP VIEW IF EXISTS " + quoted + ";\n");
    text.copy(files.structure);
    if (!files.rows.empty()) text.say("\n-- Dumping data for table " + in_comment(name) + "\n\n");
    for (const auto& rows : files.rows) text.copy(rows);
    if (files.triggers.empty()) return;
    text.say(mode_of_code);
    text.copy_code(files.triggers, [&](const MydumperStatement& statement) {
        return is_of_another(name, database, statement.trigger_table);
    });
    text.say(mode_of_rows);
}

}  // namespace

void write_mydumper_sql(const fs::path& folder, backupset::Target& target) {
    const auto account = read_mydumper_account(read_file(folder / "metadata", max_code));
    const auto databases = look_into(folder);
    Text text(target);
    text.say(beginning);
    for (const auto& [name, files] : databases) {
        create_database(text, name, files);
        for (const auto& [table, its] : files.tables) write_table(text, table, files);
    }
    text.say(after_tables);
    for (const auto& [name, files] : databases) {
        if (files.routines.empty()) continue;
        use_database(text, name);
        text.say("\n-- Dumping routines for database " + in_comment(name) + "\n\n");
        text.copy_code(files.routines);
    }
    for (const auto& [name, files] : databases) {
        bool entered = false;
        for (const auto& [view, its] : files.tables) {
            if (its.view.empty()) continue;
            if (!entered) use_database(text, name);
            entered = true;
            text.say("\n-- Final view structure for view " + in_comment(view) + "\n\n");
            text.copy(its.view);
        }
    }
    text.say(ending);
    text.say("\n-- Dump completed on " + account.finished + "\n");
    target.commit();
}

}  // namespace strongroom::restore
