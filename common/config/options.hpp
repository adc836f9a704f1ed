// One declaration of an option serves the command line, the environment and the configuration file, in this
// order of precedence. On top of CLI11:
//
//   CLI::App app("...");
//   config::Options options(app, "STRONGROOM_AGENT_", "/etc/strongroom/agent.toml");
//   options.setting("--store", config.store, "Where backup sets go");     // also store = "..." in the file,
//                                                                         // STRONGROOM_AGENT_STORE
//   CLI::App* run = app.add_subcommand("run", "...");                     // its own options: command line
//   only if (!options.parse(argc, argv)) return 0;                             // --help or --version was
//   answered
//
// The file must be private (S26) and may hold only settings: an unknown key is an error that names key, file
// and line. A missing file is an error only if --config names it.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace strongroom::config {

class Options {
  public:
    // Adds --config and makes `app` strict. `app` must outlive this.
    Options(CLI::App& app, std::string environment_prefix, const std::string& default_file);
    Options(const Options&) = delete;

    // An option of `app` that can also be set by environment and file. `name` is one long name,
    // "--min-interval". The environment variable is prefix + MIN_INTERVAL. Lists: repeat the option; one
    // value in the environment.
    template <class T>
    CLI::Option* setting(const std::string& name, T& value, const std::string& description) {
        return declare(app_.add_option(name, value, description), name);
    }

    // False if --help or --version was asked for and printed. Throws Error{usage} for the command line,
    // Error{config}, Error{insecure_file} or Error{not_found} for the file.
    bool parse(int argc, const char* const* argv);

    // The file that was read, or empty.
    const std::string& file() const { return file_; }

  private:
    friend class StrictFile;
    CLI::Option* declare(CLI::Option* option, const std::string& name);

    CLI::App& app_;
    std::string environment_prefix_;
    std::string file_;
    std::map<std::string, int> file_lines_;  // option name as CLI11 prints it -> line in the file
};

}  // namespace strongroom::config
