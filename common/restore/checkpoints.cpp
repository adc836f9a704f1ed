#include "common/restore/checkpoints.hpp"

#include <map>
#include <sstream>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"

namespace strongroom::restore {
namespace {

std::map<std::string, std::string> read_note(const std::filesystem::path& folder) {
    for (const char* name : {"xtrabackup_checkpoints", "mariadb_backup_checkpoints"}) {
        if (!std::filesystem::exists(folder / name)) continue;
        std::istringstream lines(read_file(folder / name, 64U << 10U));
        std::map<std::string, std::string> out;
        for (std::string line; std::getline(lines, line);)
            if (const auto sign = line.find(" = "); sign != std::string::npos)
                out[line.substr(0, sign)] = line.substr(sign + 3);
        return out;
    }
    return {};
}

}  // namespace

void require_checkpoints(const std::filesystem::path& folder, const backupset::Manifest& manifest) {
    auto note = read_note(folder);
    const auto require = [&](const char* key, const std::string& expected) {
        if (note[key] == expected) return;
        throw Error(ErrorKind::corrupt, "set " + manifest.set + " says " + key + " = " +
                                            printable_line(note[key], 40) + " where its manifest says " +
                                            expected);
    };
    require("backup_type", manifest.parent ? "incremental" : "full-backuped");
    require("from_lsn", std::to_string(manifest.position.lsn_from.value_or(0)));
    require("to_lsn", std::to_string(manifest.position.lsn_to.value_or(-1)));
}

}  // namespace strongroom::restore
