#include "common/restore/preparation.hpp"

#include <chrono>
#include <optional>
#include <sstream>

#include "common/base/error.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::restore {
namespace {

// What the tool complained of last, and its very last line: often only that files are left open.
std::string last_words(BytesView text) {
    std::istringstream lines{std::string(text)};
    std::string complaint;
    std::string last;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        if (line.find("ERROR") != std::string::npos || line.find("rror:") != std::string::npos)
            complaint = line;
        last = line;
    }
    return printable_line(complaint.empty() || complaint == last ? last : complaint + " ... " + last, 600);
}

}  // namespace

void prepare(const PhysicalTools& tools, const Preparation& work, const std::function<void()>& idle) {
    MemFile log("prepare-log");
    std::vector<std::string> argv{tools.prepare, "--no-defaults", "--prepare",
                                  "--target-dir=" + work.folder.string()};
    if (work.more_follow && tools.prepare == "xtrabackup") argv.emplace_back("--apply-log-only");
    if (!work.increment.empty()) argv.push_back("--incremental-dir=" + work.increment.string());
    Subprocess child(
        {.argv = std::move(argv), .fds = {{1, log.fd()}, {2, log.fd()}}, .environment = {}, .directory = {}});
    std::optional<ExitStatus> status;
    while (!(status = child.wait_for(std::chrono::milliseconds(200))))
        if (idle) idle();
    log.map_all();
    // The tool has ended with 0 after failures: only its own last word counts.
    if (!status->ok() || log.view().find("completed OK!") == BytesView::npos)
        throw Error(
            ErrorKind::storage,
            tools.prepare + " --prepare failed, " + status->describe() + ": " + last_words(log.view()),
            "Nothing was left under the target name. Without --prepare the raw files are restored.");
}

}  // namespace strongroom::restore
