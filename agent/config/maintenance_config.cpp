#include "agent/config/maintenance_config.hpp"

#include <string>

#include "common/config/quantity.hpp"

namespace strongroom::agent {
namespace {

constexpr std::int64_t ten_years = 315'360'000;  // seconds

void declare_rules(config::Options& options, maintenance::KeepRules& keep) {
    const auto rule = [&](const char* name, std::int64_t& value, const char* text) {
        options.setting(name, value, text)->check(CLI::Range(0, 100'000));
    };
    rule("--keep-last", keep.last, "Pruning keeps the newest N sets");
    rule("--keep-hourly", keep.hourly, "... the newest of each of N hours that have one (UTC)");
    rule("--keep-daily", keep.daily, "... of N days");
    rule("--keep-weekly", keep.weekly, "... of N weeks, which begin on Monday");
    rule("--keep-monthly", keep.monthly, "... of N months");
    rule("--keep-yearly", keep.yearly, "... of N years");
}

}  // namespace

maintenance::PruneRules MaintenanceConfig::prune_rules() const {
    maintenance::PruneRules out{.keep = keep,
                                .grace = std::chrono::seconds(prune_grace),
                                .verified_within = std::chrono::seconds(verified_within)};
    out.keep.within = std::chrono::seconds(keep_within);
    out.logs_within = std::chrono::seconds(keep_logs_within);
    return out;
}

void declare(config::Options& options, MaintenanceConfig& config) {
    const auto duration = [&](const char* name, std::int64_t& value, const char* text) {
        return options.setting(name, value, text)
            ->transform(config::as_duration())
            ->check(CLI::Range(std::int64_t{0}, ten_years));
    };
    options
        .setting("--maintenance-s3-credentials-file", config.s3_credentials_file,
                 "S3 keys for verify and prune, where those of backups may only put")
        ->type_name("FILE");
    duration("--verify-for", config.verify_for, "A verification begins no further set after so long; 0: all")
        ->default_str("30min");
    options.setting("--verify-read-limit", config.verify_read_limit, "Most bytes a second that it reads")
        ->transform(config::as_rate())
        ->default_str("off");
    duration("--min-verify-interval", config.min_verify_interval,
             "Least time between verifications that a dispatcher orders")
        ->default_str("1h");
    declare_rules(options, config.keep);
    duration("--keep-within", config.keep_within, "... all that are at most so much older than the newest");
    duration("--keep-logs-within", config.keep_logs_within,
             "Pieces of the binary log stay for so long; 0: as long as a set that they go on from");
    duration("--prune-grace", config.prune_grace, "Time between the mark of a set and its removal")
        ->default_str("7d");
    duration("--verified-within", config.verified_within,
             "For pruning a verification counts only if it is not older; 0: for ever");
}

}  // namespace strongroom::agent
