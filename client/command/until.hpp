// Point in time on the command line: --until and its like.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "client/command/context.hpp"
#include "client/command/patient_store.hpp"
#include "client/restore/restore_until.hpp"

namespace strongroom::client {

struct UntilArguments {
    std::string time;  // or "latest"
    std::string gtid;
    std::string position;
    bool allow_load_data = false;

    bool given() const { return !time.empty() || !gtid.empty() || !position.empty(); }
    // Throws Error{usage} for more than one of them, or for none.
    restore::TargetPoint target() const;
};

void add_until_options(CLI::App& command, UntilArguments& arguments);

// The command's options beside those.
struct UntilTarget {
    std::string set;  // its id, or "latest": the newest that leads there
    std::string datadir;
    std::function<void()> done;  // called before the result is shown
};

// Restores and shows what was reached, also as JSON.
void restore_and_show_until(Context& context, const RestoreFrom& from, const UntilArguments& arguments,
                            const UntilTarget& where, PatientStore& store);

}  // namespace strongroom::client
