#include "client/config/client_config.hpp"

#include <cstdlib>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"

namespace strongroom::client {
namespace {

constexpr std::size_t max_token_file = 4096;

std::string quoted(const std::string& value) {
    std::string out = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

}  // namespace

std::filesystem::path config_folder() {
    if (const char* folder = std::getenv("XDG_CONFIG_HOME"); folder != nullptr && *folder == '/')
        return std::filesystem::path(folder) / "strongroom";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return std::filesystem::path(home) / ".config" / "strongroom";
    throw Error(ErrorKind::config, "neither HOME nor XDG_CONFIG_HOME is set",
                "Name the configuration with --config.");
}

void declare(CLI::App& app, config::Options& options, ClientConfig& config) {
    options.setting("--dispatcher", config.dispatcher, "Address of the dispatcher")->type_name("URL");
    options.setting("--user", config.user, "Full fingerprint of your key (default: the only secret key)")
        ->type_name("FPR");
    options.setting("--gpg-home", config.gpg_home, "Your GnuPG home (default: gpg's own)")->type_name("DIR");
    options.setting("--token-file", config.token_file, "Private file with your token")->type_name("FILE");
    options
        .setting("--known-servers", config.known_servers,
                 "Where servers' keys are remembered (default: beside client.toml)")
        ->type_name("FILE");
    options
        .setting("--approver", config.approvers,
                 "Also follow a change of a server's identity key that this recovery key approved (repeat "
                 "for more; your own keys always count)")
        ->type_name("FPR")
        ->allow_extra_args(false);
    options
        .setting("--ca-file", config.ca_file,
                 "PEM file of the only authorities for the dispatcher's certificate (default: the system's)")
        ->type_name("FILE");
    storage::declare(options, config.stores);
    app.add_flag("--json", config.json, "Print JSON for programs");
    app.add_flag("-q,--quiet", config.quiet, "Print results only: no progress, no remarks");
}

std::filesystem::path known_servers_file(const ClientConfig& config, const std::string& config_file) {
    if (!config.known_servers.empty()) return std::filesystem::absolute(config.known_servers);
    const auto folder =
        config_file.empty() ? config_folder() : std::filesystem::absolute(config_file).parent_path();
    return folder / "known-servers.json";
}

std::filesystem::path dispatcher_keys_file(const ClientConfig& config, const std::string& config_file) {
    return known_servers_file(config, config_file).parent_path() / "dispatcher-keys.json";
}

Secret read_token(const ClientConfig& config) {
    if (config.token_file.empty())
        throw Error(
            ErrorKind::config, "no token is configured",
            "Run `strongroom login`, or name the file with --token-file. The operator gets a token from "
            "`strongroom-dispatcher user add`.");
    require_private_file(config.token_file);
    std::string text = read_file(config.token_file, max_token_file);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    if (!is_sha256_hex(text)) {  // a token has the same shape: 64 lower-case hexadecimal digits
        Secret::wipe(text);
        throw Error(ErrorKind::config, config.token_file + " does not hold a token",
                    "It must hold the 64 hexadecimal digits that `strongroom-dispatcher user add` printed.");
    }
    return Secret(std::move(text));
}

std::string to_toml(const ClientConfig& config) {
    std::string out =
        "# Configuration of the strongroom client. Must be closed to other users (mode 0600).\n";
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty()) out += std::string(key) + " = " + quoted(value) + "\n";
    };
    add("dispatcher", config.dispatcher);
    add("user", config.user);
    add("gpg-home", config.gpg_home);
    add("token-file", config.token_file);
    add("known-servers", config.known_servers);
    add("ca-file", config.ca_file);
    return out;
}

}  // namespace strongroom::client
