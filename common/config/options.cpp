#include "common/config/options.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"
#include "common/config/flat_toml.hpp"

namespace strongroom::config {
namespace {

constexpr std::size_t max_file = 256U << 10U;

std::string known_keys(const CLI::App& app) {
    std::string out;
    for (const CLI::Option* option : app.get_options())
        if (option->get_configurable()) out += (out.empty() ? "" : ", ") + option->get_single_name();
    return out;
}

}  // namespace

// CLI11 asks this for the settings of the file; the file is read here, so that what was checked is what is
// used.
class StrictFile : public CLI::Config {
  public:
    explicit StrictFile(Options& options) : options_(options) {}

    std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

    std::vector<CLI::ConfigItem> from_config(std::istream&) const override {
        const CLI::App& app = options_.app_;
        const auto file = app.get_config_ptr()->as<std::string>();
        require_private_file(file);
        std::vector<CLI::ConfigItem> out;
        for (auto& setting : parse_flat_toml(read_file(file, max_file), file)) {
            const std::string where = file + " line " + std::to_string(setting.line) + ": ";
            const CLI::Option* option = app.get_option_no_throw("--" + setting.key);
            if (option == nullptr || !option->get_configurable())
                throw Error(ErrorKind::config,
                            where + "unknown key \"" + printable_line(setting.key, 60) + "\"",
                            "Known keys: " + known_keys(app) + ".");
            if (setting.is_list && option->get_expected_max() <= 1)
                throw Error(ErrorKind::config, where + "\"" + setting.key + "\" takes one value, not a list");
            options_.file_lines_[option->get_name()] = setting.line;
            if (!option->get_envname().empty() && std::getenv(option->get_envname().c_str()) != nullptr)
                continue;  // the environment goes before the file
            CLI::ConfigItem item;
            item.name = setting.key;
            item.inputs = std::move(setting.values);
            out.push_back(std::move(item));
        }
        options_.file_ = file;
        return out;
    }

  private:
    Options& options_;
};

Options::Options(CLI::App& app, std::string environment_prefix, const std::string& default_file)
    : app_(app), environment_prefix_(std::move(environment_prefix)) {
    app_.set_config("--config", default_file, "Configuration file (closed to other users: mode 0600)");
    app_.get_config_ptr()->type_name("FILE");
    app_.config_formatter(std::make_shared<StrictFile>(*this));
    app_.allow_config_extras(CLI::config_extras_mode::error);
    app_.fallthrough();  // settings may also follow the subcommand's name
    if (app_.get_help_ptr() != nullptr) app_.get_help_ptr()->configurable(false);
    app_.get_config_ptr()->configurable(false);
}

CLI::Option* Options::declare(CLI::Option* option, const std::string& name) {
    std::string variable = environment_prefix_;
    for (const char c : name.substr(2))
        variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    // A list takes one value each time it is given, so that it cannot swallow a command's name.
    if (option->get_expected_max() > 1) option->allow_extra_args(false);
    return option->envname(variable);
}

bool Options::parse(int argc, const char* const* argv) {
    // Options that were declared without setting() are for the command line only.
    for (CLI::Option* option : app_.get_options())
        if (option->get_envname().empty()) option->configurable(false);
    try {
        app_.parse(argc, argv);
        return true;
    } catch (const CLI::Success& answer) {
        app_.exit(answer, std::cout, std::cerr);
        return false;
    } catch (const CLI::FileError&) {
        const std::string file = app_.get_config_ptr()->as<std::string>();
        throw Error(ErrorKind::not_found, "there is no readable configuration file " + file,
                    "Correct --config, or make the file (mode 0600); see the example configuration.");
    } catch (const CLI::ParseError& failure) {
        const std::string text = printable_line(failure.what());
        for (const auto& [option, line] : file_lines_)
            if (text.find(option) != std::string::npos)
                throw Error(ErrorKind::config, file_ + " line " + std::to_string(line) + ": " + text);
        throw Error(ErrorKind::usage, text,
                    "See " + app_.get_name() + (app_.get_name().empty() ? "" : " ") + "--help.");
    }
}

}  // namespace strongroom::config
