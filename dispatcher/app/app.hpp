// strongroom-dispatcher: what its commands do. The one place that constructs the dispatcher's parts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dispatcher/alert/channel.hpp"
#include "dispatcher/alert/rules.hpp"
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

struct AlertOptions {
    AlertLimits limits;
    ChannelOptions channels;
    std::chrono::seconds interval{60};                       // between two evaluations of the rules
    std::chrono::seconds reminder = std::chrono::hours(24);  // while an alert stays open
};

struct ServeOptions {
    std::filesystem::path state;
    HttpOptions http;
    std::filesystem::path port_file;  // both addresses, one a line, written once it listens; empty: none
    std::chrono::seconds lease{60};   // how long a job stays with an agent that falls silent
    AlertOptions alerts;
    // How often escrow records are given out in an hour.
    std::int64_t fetches_of_user = 100;
    std::int64_t fetches_of_server = 20;
};
// Serves until SIGTERM or SIGINT. Throws Error{busy} if another process serves this state.
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

// The dispatcher's key and its successors (docs/operator-guide.md).
struct KeyNextOptions {
    std::filesystem::path state;
    std::filesystem::path import_key;  // private file with a secret key; empty: one is made
    bool json = false;
};
// Makes the next key and the statement about it. Throws Error{exists} if there is a next key already.
void make_next_key(const KeyNextOptions& options);

struct KeyStepOptions {
    std::filesystem::path state;
    bool force = false;  // although some servers would have to follow the chain
    bool json = false;
};
// The next key becomes the current one. Throws Error{refused} unless every active server has pinned it.
void switch_key(const KeyStepOptions& options);
// Removes the secrets of former keys. Throws Error{refused} unless every active server writes to the current
// one.
void retire_keys(const KeyStepOptions& options);

// Current and next key, the chain, and who knows which.
void list_keys(const std::filesystem::path& state, bool json);

struct ImportOptions {
    std::filesystem::path state;
    std::filesystem::path file;  // made by `strongroom store index --output`, signed by the owner
    std::string owner;           // name or fingerprint of a user
    std::vector<std::filesystem::path> recovery_keys;  // public keys that escrow records may be for, too
    bool json = false;
};
// Servers with their escrow records and backups, from a store's index: all that are not known yet, or none.
// What exists is never changed. Throws Error{unauthenticated} unless the owner signed the file,
// Error{refused} for a server whose escrow record is for other keys.
void import_index(const ImportOptions& options);

struct AuditShowOptions {
    std::filesystem::path state;
    std::string since;  // "2026-11-22" or "2026-11-22T01:37:00Z"; empty: from the beginning
    bool json = false;
};
void show_audit(const AuditShowOptions& options);

struct AuditVerifyOptions {
    std::filesystem::path state;
    std::vector<std::string> heads;  // digests that were kept elsewhere
    bool json = false;
};
// Prints count, head and what is wrong. Throws Error{corrupt} if the chain is broken or misses a head.
void verify_audit(const AuditVerifyOptions& options);

struct AlertListOptions {
    std::filesystem::path state;
    bool all = false;  // resolved ones too
    bool json = false;
};
void list_alerts(const AlertListOptions& options);

struct AlertTestOptions {
    std::filesystem::path state;
    ChannelOptions channels;
    bool json = false;
};
// Sends a test through every channel, at once. Throws the first failure, after all were tried.
void test_alerts(const AlertTestOptions& options);

struct StatusOptions {
    std::filesystem::path state;
    AlertLimits limits;
    bool json = false;
};
// What the operator wants to know first. True if all is well: it serves, can write, and no alert is open.
bool show_status(const StatusOptions& options);

struct BackupOptions {
    std::filesystem::path state;
    std::filesystem::path to;
    std::filesystem::path recipient;    // file with the operator's OpenPGP public key
    std::string recipient_fingerprint;  // empty: whatever key is in the file
    bool json = false;
};
// Database, secret key and dispatcher.asc as one file, encrypted to the recipient, while the dispatcher
// serves. Complete or missing. Throws Error{exists} if `to` is there.
void back_up(const BackupOptions& options);

struct RestoreOptions {
    std::filesystem::path from;
    std::filesystem::path to;        // the new state folder; must not be there, or empty
    std::filesystem::path gpg_home;  // of the operator; empty: gpg's own
    std::string fingerprint;         // of the dispatcher that made it; empty: shown, to be compared
    bool json = false;
};
// All checked before anything stands under the name `to`; nothing is left behind otherwise.
void restore(const RestoreOptions& options);

}  // namespace strongroom::dispatcher
