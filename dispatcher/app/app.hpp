// strongroom-dispatcher: what its commands do. The one place that constructs the dispatcher's parts.
#pragma once

#include <filesystem>
#include <string>

#include "dispatcher/http/server.hpp"

namespace strongroom::dispatcher {

// The state folder (private): dispatcher.sqlite, gnupg/ (our secret key), peers/<FPR>/, dispatcher.asc.
struct InitOptions {
    std::filesystem::path state;
    std::filesystem::path import_key;  // empty: a new key is made
    std::string domain = "localhost";  // of the new key's user id
    bool json = false;
};
// Makes key, dispatcher.asc and database, all or nothing. Throws Error{exists} if any of them is there.
void init(const InitOptions& options);

struct ServeOptions {
    std::filesystem::path state;
    HttpOptions http;
    std::filesystem::path port_file;  // both addresses, one a line, written once it listens; empty: none
    std::chrono::seconds lease{60};   // how long a job stays with an agent that falls silent
};
// Serves until SIGTERM or SIGINT.
void serve(const ServeOptions& options);

struct UserAddOptions {
    std::filesystem::path state;
    std::string name;
    std::filesystem::path key;         // OpenPGP public key
    std::filesystem::path token_file;  // empty: the token is printed, once
    bool json = false;
};
void add_user(const UserAddOptions& options);

void list_users(const std::filesystem::path& state, bool json);

}  // namespace strongroom::dispatcher
