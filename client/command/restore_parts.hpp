// Options of `strongroom restore` for tables and databases, and for targets that take SQL text.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "client/command/context.hpp"
#include "client/restore/restore.hpp"

namespace strongroom::client {

struct PartArguments {
    std::vector<std::string> tables;
    std::vector<std::string> databases;
    std::string output;
    bool into_server = false;
    std::string defaults_file;
    bool overwrite = false;
    std::string into_database;
    bool skip_triggers = false;
    std::string scratch;
    std::string tablespaces;
    std::string dump_folder;

    bool selects() const { return !tables.empty() || !databases.empty(); }
    // Whether restore_part_of() is the one to do the work.
    bool apply(const backupset::Manifest& manifest) const {
        return selects() || targets() > 0 || manifest.stream == "tar";
    }
    int targets() const {
        return (into_server ? 1 : 0) + (output.empty() ? 0 : 1) + (tablespaces.empty() ? 0 : 1) +
               (dump_folder.empty() ? 0 : 1);
    }
};

void add_part_options(CLI::App& command, PartArguments& arguments);

// Throws Error{usage} for options that do not go together, and for names that no server could have.
void require_part_options(const PartArguments& arguments, bool to_datadir, bool one_pass);

// `command`: of --pipe; empty: standard output, if no other target is named.
void restore_part_of(Context& context, const RestoreFrom& from, const backupset::Manifest& manifest,
                     const PartArguments& arguments, const std::vector<std::string>& command);

}  // namespace strongroom::client
