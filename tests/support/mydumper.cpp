#include "tests/support/mydumper.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/tar/tar_writer.hpp"

namespace strongroom::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds longest_run{30};
constexpr std::size_t max_dump_file = 256U << 20U;

RunResult run_it(const MariadbServer& server, const fs::path& folder) {
    fs::remove_all(folder);
    return run_program({.argv = {"mydumper", "--user=root", "--socket=" + server.socket().string(), "-G",
                                 "-E", "-R", "-t", "2", "--trx-consistency-only", "-e", "-F", "1", "-o",
                                 folder.string(), "-x", "(?-i)\\A(?!(?:mysql|sys)\\.)"},
                        .fds = {},
                        .environment = {},
                        .directory = {}},
                       {}, longest_run);
}

}  // namespace

void run_mydumper(const MariadbServer& server, const fs::path& folder) {
    RunResult result;
    try {
        result = run_it(server, folder);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::timeout) throw;
        result = run_it(server, folder);
    }
    if (!result.status.ok())
        throw Error(ErrorKind::source, "mydumper: " + result.status.describe() + ": " + result.err);
}

Bytes tar_of(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::ranges::sort(names, {}, [](const std::string& name) { return std::pair(name == "metadata", name); });
    tar::TarWriter writer;
    for (const auto& name : names) {
        const Bytes bytes = read_file(folder / name, max_dump_file);
        writer.begin(name, std::ssize(bytes), UtcTime());
        writer.add(bytes);
        writer.end();
    }
    writer.finish();
    return writer.take();
}

}  // namespace strongroom::test
