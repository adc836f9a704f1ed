#include <iostream>

#include "agent/commands.hpp"
#include "agent/job/limits.hpp"
#include "agent/state/state_dir.hpp"
#include "common/base/error.hpp"
#include "common/config/quantity.hpp"
#include "common/term/table.hpp"
#include "common/term/text.hpp"

namespace strongroom::agent {
namespace {

// "default" takes the override away.
void set(std::optional<std::int64_t>& limit, const std::string& text) {
    if (text.empty()) return;
    if (text == "default")
        limit.reset();
    else
        limit = config::parse_rate(text);
}

std::string shown_rate(std::int64_t rate) {
    return term::format_bytes(rate) + "/s";
}

std::string shown(std::int64_t limit, bool by_throttle, const std::optional<std::int64_t>& now) {
    return (limit == 0 ? "no limit" : shown_rate(limit)) +
           (by_throttle ? " (set by throttle)" : " (configuration)") +
           (now ? "; now " + shown_rate(*now) : std::string());
}

}  // namespace

int throttle_command(const CommandLine& line, const Clock&) {
    const auto& asked = line.throttle;
    if (!asked.both.empty() && !(asked.read.empty() && asked.write.empty()))
        throw Error(ErrorKind::usage, "give one rate for both, or --read and --write");
    const StateDir state(line.config.state_dir);
    (void)state.agent();  // says what to do on a host that is not registered
    Throttle throttle = state.throttle();
    const Throttle before = throttle;
    set(throttle.read_limit, asked.both);
    set(throttle.write_limit, asked.both);
    set(throttle.read_limit, asked.read);
    set(throttle.write_limit, asked.write);
    if (!(throttle == before)) state.save(throttle);

    const Limits limits = limits_in_force(line.config, throttle);
    const auto running = state.progress();
    if (line.json) {
        Json out{{"read_limit", limits.read},
                 {"write_limit", limits.write},
                 {"read_set_by", throttle.read_limit ? "throttle" : "configuration"},
                 {"write_set_by", throttle.write_limit ? "throttle" : "configuration"}};
        if (running) out["running"] = to_json(*running);
        std::cout << out.dump() << "\n";
        return 0;
    }
    const auto rate = [&](std::int64_t BackupProgress::*member) {
        return running ? std::optional((*running).*member) : std::nullopt;
    };
    term::print_fields(
        std::cout,
        {{"read", shown(limits.read, throttle.read_limit.has_value(), rate(&BackupProgress::read_rate))},
         {"write", shown(limits.write, throttle.write_limit.has_value(), rate(&BackupProgress::write_rate))},
         {"backup", running ? "running: " + running->set : "not running"}});
    return 0;
}

}  // namespace strongroom::agent
