#include "client/command/commands.hpp"

#include <array>

#include "common/base/error.hpp"

namespace strongroom::client {
namespace {

// In the order of --help: the order in which a new user needs them.
constexpr std::array groups{
    &add_login_command,     &add_registration_commands, &add_server_commands,        &add_group_commands,
    &add_schedule_commands, &add_job_commands,          &add_backup_commands,        &add_keys_command,
    &add_prove_command,     &add_recovery_key_commands, &add_recovery_sheet_command, &add_recover_command,
    &add_restore_command,   &add_logs_commands,         &add_verify_command,         &add_rewrap_command,
    &add_prune_command,     &add_audit_commands,        &add_store_commands,
};

}  // namespace

void declare_commands(Commands& commands) {
    for (const auto& add : groups) add(commands);
}

CLI::App* Commands::group(const std::string& name, const std::string& description) {
    CLI::App* out = app_.add_subcommand(name, description);
    out->require_subcommand(1);
    out->fallthrough();
    return out;
}

CLI::App* Commands::add(CLI::App* parent, const std::string& name, const std::string& description,
                        const std::string& example, std::function<void(Context&)> run) {
    CLI::App* out = parent->add_subcommand(name, description);
    out->footer("Example:\n  " + example);
    out->fallthrough();
    commands_.emplace_back(out, std::move(run));
    return out;
}

void Commands::run(Context& context) const {
    for (const auto& [command, run] : commands_)
        if (command->parsed()) return run(context);
    throw Error(ErrorKind::usage, "no command was given", "See strongroom --help.");
}

}  // namespace strongroom::client
