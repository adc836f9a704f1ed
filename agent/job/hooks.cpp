#include "agent/job/hooks.hpp"

#include <map>
#include <vector>

#include "common/base/log.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"

namespace strongroom::agent {
namespace {

constexpr std::size_t max_output = 1U << 20U;

std::string last_words(const RunResult& result) {
    for (const auto* text : {&result.err, &result.out})
        if (const auto line = last_line(*text); !line.empty()) return printable_line(line, 300);
    return "it said nothing";
}

void run(const std::string& name, const std::vector<std::string>& argv, std::chrono::seconds limit,
         std::map<std::string, std::string> environment) {
    if (argv.empty()) return;
    SpawnOptions options;
    options.argv = argv;
    options.environment = std::move(environment);
    const RunResult result = run_program(options, {}, limit, max_output);
    if (result.status.ok()) return;
    throw Error(ErrorKind::source, name + " failed, " + result.status.describe() + ": " + last_words(result),
                "See " + name + " in the agent's configuration.");
}

}  // namespace

void run_hook_before(const AgentConfig& config, bool incremental) {
    run("hook-before", config.hook_before, std::chrono::seconds(config.hook_timeout),
        {{"STRONGROOM_BACKUP", incremental ? "incremental" : "full"}});
}

void run_hook_after(const AgentConfig& config, const proto::Backup* made) noexcept {
    try {
        std::map<std::string, std::string> environment{
            {"STRONGROOM_RESULT", made == nullptr ? "failed" : "succeeded"}};
        if (made != nullptr) environment["STRONGROOM_SET"] = made->set;
        run("hook-after", config.hook_after, std::chrono::seconds(config.hook_timeout),
            std::move(environment));
    } catch (const std::exception& error) {
        log_event(Level::error, "AGENT_HOOK_FAILED", "{}", error.what());
    }
}

}  // namespace strongroom::agent
