// What the configuration file, the environment and the command line can set, for all commands.
#pragma once

#include <string>
#include <vector>

#include "common/config/options.hpp"
#include "dispatcher/app/app.hpp"

namespace strongroom::dispatcher {

struct Settings {
    std::string state = "/var/lib/strongroom-dispatcher";
    std::string listen = "127.0.0.1:8420";
    std::string admin = "127.0.0.1:8421";
    std::string certificate;
    std::string key;
    bool behind_proxy = false;
    std::size_t max_connections = HttpLimits{}.max_connections;
    int lease = static_cast<int>(ServeOptions{}.lease.count());
    int fetches_of_user = static_cast<int>(ServeOptions{}.fetches_of_user);
    int fetches_of_server = static_cast<int>(ServeOptions{}.fetches_of_server);
    // Alerts; times in seconds, proofs, rotations and the notice of keys in days.
    std::string webhook;
    std::string webhook_token;
    std::vector<std::string> command;
    int alert_interval = 60;
    int alert_reminder = 24 * 3600;
    int missing_after = 4 * 3600;
    int silent_after = 15 * 60;
    int log_after = 30 * 60;
    int escrow_after = 3600;
    int proof_days = 90;
    int rotation_days = 365;
    int key_notice_days = 30;
    int disk_free_percent = 5;
    int own_backup_after = 0;
    // The dispatcher's own backup.
    std::string backup_recipient;
    std::string backup_recipient_fingerprint;

    AlertOptions alerts() const;
};

void declare(config::Options& options, Settings& settings);

}  // namespace strongroom::dispatcher
