// What the user's client is told: by command line, environment (STRONGROOM_...) and client.toml.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/secret.hpp"
#include "common/config/options.hpp"
#include "common/storage/open/store_settings.hpp"

namespace strongroom::client {

struct ClientConfig {
    std::string dispatcher;  // URL
    std::string user;        // full fingerprint of the user's key; empty: the only secret key of the home
    std::string gpg_home;    // empty: gpg's own default
    std::string token_file;  // private file with the user's token
    std::string known_servers;
    std::vector<std::string>
        approvers;        // fingerprints of others' keys whose word counts for a new identity key
    std::string ca_file;  // PEM: the only authorities for the dispatcher's certificate; empty: the system's
    storage::StoreSettings stores;  // of --store
    bool json = false;
    bool quiet = false;
};

// $XDG_CONFIG_HOME/strongroom or ~/.config/strongroom. Throws Error{config} if there is neither variable.
std::filesystem::path config_folder();

// Declares the settings above on `options` and the flags --json and -q on `app`.
void declare(CLI::App& app, config::Options& options, ClientConfig& config);

// The folder of client.toml: known-servers.json lies beside it unless `known-servers` names another file.
std::filesystem::path known_servers_file(const ClientConfig& config, const std::string& config_file);

// dispatcher-keys.json beside it.
std::filesystem::path dispatcher_keys_file(const ClientConfig& config, const std::string& config_file);

// The token of `token_file`. Throws Error{config} if none is configured or it is no token,
// Error{insecure_file} if others can read it.
Secret read_token(const ClientConfig& config);

// A client.toml with these values (only those that are set).
std::string to_toml(const ClientConfig& config);

}  // namespace strongroom::client
