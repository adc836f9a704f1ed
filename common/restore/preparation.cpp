#include "common/restore/preparation.hpp"

#include <chrono>
#include <optional>

#include "common/base/error.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::restore {
namespace {

std::string last_lines(BytesView text) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    std::size_t start = text.size();
    for (int lines = 0; lines < 3 && start != 0 && start != BytesView::npos; ++lines)
        start = text.rfind('\n', start == 0 ? 0 : start - 1);
    return printable(start == BytesView::npos ? text : text.substr(start));
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
            tools.prepare + " --prepare failed, " + status->describe() + ": " + last_lines(log.view()),
            "Nothing was left under the target name. Without --prepare the raw files are restored.");
}

}  // namespace strongroom::restore
