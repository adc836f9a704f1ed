#include "common/restore/physical_tools.hpp"

#include "common/base/error.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::restore {

PhysicalTools tools_for(const backupset::Manifest& manifest) {
    if (manifest.stream != "xbstream")
        throw Error(ErrorKind::usage,
                    "set " + manifest.set + " holds a " + manifest.stream + " stream of " +
                        manifest.source_tool + ", no physical backup",
                    manifest.stream == "tar"
                        ? "Restore it as SQL with --into-server, --pipe mariadb, --output or --stdout, or as "
                          "files for myloader with --dump-folder."
                        : "Restore it with --pipe, for example --pipe mariadb, or with --stdout.");
    if (manifest.source_tool == "xtrabackup")
        return {"xbstream", "xtrabackup", XbstreamGuard::Dialect::percona};
    return {"mbstream", "mariadb-backup", XbstreamGuard::Dialect::mariadb};
}

void require_tool(const std::string& program) {
    if (!find_program(program))
        throw Error(ErrorKind::tool_missing, "the program " + program + " is not installed",
                    program.starts_with("x") ? "Install Percona XtraBackup."
                                             : "Install Debian's package mariadb-backup.");
}

}  // namespace strongroom::restore
