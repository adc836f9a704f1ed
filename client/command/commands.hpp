// The table of commands. A command is added by a function in its group's file, which declares the subcommand
// with CLI11 and hands over what to run; commands.cpp lists the groups.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client/command/context.hpp"

namespace strongroom::client {

class Commands {
  public:
    explicit Commands(CLI::App& app) : app_(app) {}
    Commands(const Commands&) = delete;

    // A group ("server") that needs one of its subcommands.
    CLI::App* group(const std::string& name, const std::string& description);
    // A command in a group, or of the program itself. `example` is shown by its --help.
    CLI::App* add(CLI::App* parent, const std::string& name, const std::string& description,
                  const std::string& example, std::function<void(Context&)> run);
    CLI::App* program() { return &app_; }

    // Runs the command that was given. Throws Error{usage} if there was none.
    void run(Context& context) const;

  private:
    CLI::App& app_;
    std::vector<std::pair<CLI::App*, std::function<void(Context&)>>> commands_;
};

// Declares every command of the program.
void declare_commands(Commands& commands);

// The groups, one file each.
void add_login_command(Commands& commands);
void add_server_commands(Commands& commands);
void add_server_identity_command(Commands& commands, CLI::App* group);  // server identity
void add_registration_commands(Commands& commands);
void add_group_commands(Commands& commands);
void add_schedule_commands(Commands& commands);
void add_job_commands(Commands& commands);
void add_backup_commands(Commands& commands);
void add_recover_command(Commands& commands);
void add_keys_command(Commands& commands);
void add_rewrap_command(Commands& commands);
void add_prove_command(Commands& commands);
void add_recovery_key_commands(Commands& commands);
void add_recovery_sheet_command(Commands& commands);
void add_restore_command(Commands& commands);
void add_logs_commands(Commands& commands);
void add_verify_command(Commands& commands);
void add_prune_command(Commands& commands);
void add_audit_commands(Commands& commands);
void add_store_commands(Commands& commands);
void add_store_index_command(Commands& commands, CLI::App* group);  // of that group

}  // namespace strongroom::client
