#include "agent/proof/provable.hpp"

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {

bool is_provable(const backupset::Manifest& manifest) {
    const auto& tool = manifest.source_tool;
    return tool == "mariadb-backup" || tool == "mariadb-dump" || tool == "mydumper";
}

void require_provable(const backupset::Manifest& manifest) {
    if (is_provable(manifest)) return;
    throw Error(ErrorKind::refused,
                "set " + manifest.set + " was made by " + printable_line(manifest.source_tool, 60) +
                    " and cannot be proven by restoring: only sets of mariadb-backup, mariadb-dump and "
                    "mydumper can",
                "Its digests can be verified: strongroom-agent verify. Restore it by hand to prove more.");
}

}  // namespace strongroom::agent
