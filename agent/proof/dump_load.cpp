#include "agent/proof/dump_load.hpp"

#include <chrono>
#include <optional>

#include "common/backupset/opener.hpp"
#include "common/backupset/process_streams.hpp"
#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/restore/dump_splitter.hpp"
#include "common/restore/mydumper_extraction.hpp"
#include "common/restore/mydumper_text.hpp"
#include "common/restore/private_server.hpp"

namespace strongroom::agent {
namespace {

void install_empty_server(const WorkFolder& folder, const std::function<void()>& idle) {
    if (!find_program("mariadb-install-db"))
        throw Error(
            ErrorKind::tool_missing, "the program mariadb-install-db is not installed",
            "A dump is proven on an empty private server: install the same mariadb-server as the source's.");
    MemFile said("install");
    SpawnOptions options;
    options.argv = restore::as_server_user();
    for (const std::string& argument :
         {std::string("mariadb-install-db"), std::string("--no-defaults"),
          "--datadir=" + folder.data().string(), "--tmpdir=" + (folder.run() / "tmp").string(),
          std::string("--auth-root-authentication-method=normal"), std::string("--skip-test-db"),
          std::string("--skip-name-resolve"), std::string("--innodb-log-file-size=64M")})
        options.argv.push_back(argument);
    options.fds = {{1, said.fd()}, {2, said.fd()}};
    options.directory = folder.data().string();
    Subprocess child(options);
    std::optional<ExitStatus> status;
    while (!(status = child.wait_for(std::chrono::milliseconds(200)))) idle();
    said.map_all();
    // No word about the set: it has not been looked at.
    if (!status->ok())
        throw Error(ErrorKind::internal, "mariadb-install-db failed, " + status->describe() + ": " +
                                             printable_line(last_line(said.view()), 400));
}

}  // namespace

restore::Selection load_dump(const restore::ExtractFrom& from, const backupset::Manifest& manifest,
                             const WorkFolder& folder, const std::function<void()>& idle) {
    folder.hand_over();
    install_empty_server(folder, idle);
    restore::PrivateServer server(folder.data(), folder.run(), idle, restore::PrivateServer::Use::load);
    SpawnOptions client;
    client.argv = {"mariadb"};
    for (auto& argument : server.connection()) client.argv.push_back(std::move(argument));
    // Statements only: no command of the client's own that would read files or start programs.
    for (const char* argument : {"--batch", "--sandbox", "--default-character-set=utf8mb4"})
        client.argv.emplace_back(argument);
    backupset::ProcessTarget target({.name = "mariadb", .spawn = client, .kind = ErrorKind::source});
    restore::DumpSplitter seen(&target, {});
    restore::Selection holds;
    if (manifest.stream == "tar") {
        const auto files = folder.run() / "dump";
        make_private_dir(files);
        holds = restore::extract_mydumper(from, manifest, {}, files);
        restore::write_mydumper_sql(files, seen);
        std::filesystem::remove_all(files);
    } else {
        backupset::open_set(from.opening(), manifest, from.store, from.home, seen, from.on_progress);
        holds = seen.announced();
    }
    server.stop();
    seen.require_there(holds, ErrorKind::corrupt);
    return holds;
}

}  // namespace strongroom::agent
