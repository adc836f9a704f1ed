#include "agent/config/log_config.hpp"

#include "common/config/quantity.hpp"

namespace strongroom::agent {

void declare(config::Options& options, LogConfig& config) {
    options.setting("--log-stream", config.stream,
                    "Store the server's binary log as it is written, for restore --until");
    options
        .setting("--log-interval", config.interval,
                 "What was committed is in the store at the latest after this time")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}))
        ->default_str("60s");
    options.setting("--log-piece-size", config.piece_size, "... and at once after so many bytes of log")
        ->transform(config::as_size())
        ->check(CLI::Range(std::int64_t{1} << 12, std::int64_t{1} << 30))
        ->default_str("16MiB");
    options
        .setting("--log-space-limit", config.space_limit,
                 "Most bytes of log that wait in the state folder for the store")
        ->transform(config::as_size())
        ->default_str("4GiB");
}

}  // namespace strongroom::agent
