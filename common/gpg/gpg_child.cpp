#include "common/gpg/gpg_child.hpp"

#include <chrono>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::gpg {
namespace {

// A segment takes well under a second; this only ends a gpg that hangs.
constexpr std::chrono::minutes child_limit{10};

}  // namespace

bool ChildOutcome::says(std::string_view word) const {
    const std::string line = "[GNUPG:] " + std::string(word);
    for (std::size_t at = 0; (at = status_lines.find(line, at)) != std::string::npos; at += line.size()) {
        const bool starts = at == 0 || status_lines[at - 1] == '\n';
        const std::size_t end = at + line.size();
        const bool ends = end == status_lines.size() || status_lines[end] == '\n' || status_lines[end] == ' ';
        if (starts && ends) return true;
    }
    return false;
}

ChildOutcome run_gpg(const std::string& program, const Home& home, const std::vector<std::string>& arguments,
                     const MemFile& in, MemFile& out, const UniqueFd& passphrase) {
    MemFile status_lines("gpg-status");
    MemFile errors("gpg-errors");
    in.rewind();
    out.rewind();
    SpawnOptions spawn;
    // The random seed file would make parallel children wait for its lock, 0.25 s and more at a time; the
    // kernel's generator needs no seed.
    spawn.argv = {program,         "--no-options", "--no-random-seed-file", "--batch", "--no-tty", "--quiet",
                  "--trust-model", "always",       "--status-fd",           "3"};
    if (!home.path().empty()) spawn.argv.insert(spawn.argv.end(), {"--homedir", home.path().string()});
    spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
    spawn.environment = {{"LC_ALL", "C"}};  // without it each start opens thirty locale files
    spawn.fds = {{0, in.fd()}, {1, out.fd()}, {2, errors.fd()}, {3, status_lines.fd()}};
    if (passphrase) spawn.fds[4] = passphrase.get();
    Subprocess child(spawn);
    const auto status = child.wait_for(child_limit);
    if (!status) {
        child.terminate();
        throw Error(ErrorKind::timeout,
                    "gpg did not finish within " + format_duration(std::chrono::milliseconds(child_limit)));
    }
    out.map_written();
    status_lines.map_all();
    errors.map_all();
    return {*status, std::string(status_lines.view()), printable_line(last_line(errors.view()), 200)};
}

}  // namespace strongroom::gpg
