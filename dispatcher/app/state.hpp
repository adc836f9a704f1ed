// Where everything lies in the state folder.
#pragma once

#include <filesystem>
#include <string>

namespace strongroom::dispatcher {

struct State {
    explicit State(const std::filesystem::path& folder_)
        : folder(folder_),
          home(folder_ / "gnupg"),
          peers(folder_ / "peers"),
          database(folder_ / "dispatcher.sqlite"),
          public_key(folder_ / "dispatcher.asc") {}

    std::filesystem::path folder;
    std::filesystem::path home;
    std::filesystem::path peers;
    std::filesystem::path database;
    std::filesystem::path public_key;
};

// The state that init() made; absolute, private. Throws Error{not_found} with what to run,
// Error{insecure_file}.
State open_state(const std::filesystem::path& folder);

// The fingerprint in dispatcher.asc, once its secret key was found in the home. Throws Error{crypto}.
std::string read_own_fingerprint(const State& state);

}  // namespace strongroom::dispatcher
