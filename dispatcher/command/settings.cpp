#include "dispatcher/command/settings.hpp"

namespace strongroom::dispatcher {

void declare(config::Options& options, Settings& settings) {
    options.setting("--state-dir", settings.state, "Private folder with key, database and peers")
        ->capture_default_str();
    options.setting("--listen", settings.listen, "Address for agents and users")->capture_default_str();
    options.setting("--admin-listen", settings.admin, "Address of /healthz, /readyz, /metrics")
        ->capture_default_str();
    options.setting("--tls-certificate", settings.certificate,
                    "PEM file with the certificate chain; SIGHUP reads it again");
    options.setting("--tls-key", settings.key, "Private PEM file with the certificate's key");
    options
        .setting("--behind-tls-proxy", settings.behind_proxy,
                 "true: a proxy ends TLS before --listen, which may then be plain on any address")
        ->capture_default_str();
    options.setting("--max-connections", settings.max_connections, "Connections at once; more are refused")
        ->check(CLI::Range(std::size_t{16}, std::size_t{1'000'000}))
        ->capture_default_str();
    options.setting("--lease", settings.lease, "Seconds that a job stays with an agent that falls silent")
        ->check(CLI::Range(5, 3600))
        ->capture_default_str();

    options
        .setting("--escrow-fetches-of-user", settings.fetches_of_user,
                 "Most requests of one user for escrow records in an hour")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    options
        .setting("--escrow-fetches-of-server", settings.fetches_of_server,
                 "Most requests for one server's escrow records in an hour")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();

    options.setting("--alert-webhook", settings.webhook, "Address that alerts are posted to as JSON")
        ->type_name("URL");
    options
        .setting("--alert-webhook-token", settings.webhook_token,
                 "Private file with the webhook's bearer token")
        ->type_name("FILE");
    options.setting("--alert-command", settings.command,
                    "Program for alerts, and its arguments: JSON on stdin (repeat for each word)");
    const auto seconds = [&](const char* name, int& value, const char* description, int least) {
        options.setting(name, value, description)
            ->check(CLI::Range(least, 366 * 24 * 3600))
            ->capture_default_str();
    };
    seconds("--alert-interval", settings.alert_interval, "Seconds between two looks at the alert rules", 1);
    seconds("--alert-reminder", settings.alert_reminder, "Seconds until an open alert is told again", 60);
    seconds("--alert-missing-after", settings.missing_after,
            "Seconds after a due slot and its splay until its backup counts as missing", 0);
    seconds("--alert-log-after", settings.log_after,
            "Seconds that a streamed binary log may be behind in the store", 60);
    seconds("--alert-silent-after", settings.silent_after, "Seconds until an agent counts as silent", 1);
    seconds("--alert-escrow-after", settings.escrow_after,
            "Seconds from registration until a missing escrow is an alert", 0);
    options
        .setting("--alert-proof-days", settings.proof_days,
                 "Days for which a proof of recovery counts (strongroom prove); 0: no alert without one")
        ->check(CLI::Range(0, 3660))
        ->capture_default_str();
    options
        .setting("--alert-rotation-days", settings.rotation_days,
                 "Days until a decryption key that no schedule rotates is called old; 0: never")
        ->check(CLI::Range(0, 3660))
        ->capture_default_str();
    options.setting("--alert-key-days", settings.key_notice_days, "Days of notice before a key expires")
        ->check(CLI::Range(1, 366))
        ->capture_default_str();
    options
        .setting("--alert-disk-percent", settings.disk_free_percent, "Least free part of the database's disk")
        ->check(CLI::Range(0, 90))
        ->capture_default_str();
    seconds("--alert-own-backup-after", settings.own_backup_after,
            "Seconds until the dispatcher's last backup of itself is too old; 0: never", 0);

    options
        .setting("--backup-recipient", settings.backup_recipient,
                 "File with the operator's OpenPGP public key, for the dispatcher's own backup")
        ->type_name("FILE");
    options
        .setting("--backup-recipient-fingerprint", settings.backup_recipient_fingerprint,
                 "Refuse another key in that file")
        ->type_name("FPR");
}

AlertOptions Settings::alerts() const {
    using std::chrono::seconds;
    AlertOptions out;
    out.channels.webhook = webhook;
    out.channels.webhook_token = webhook_token;
    out.channels.command = command;
    out.interval = seconds(alert_interval);
    out.reminder = seconds(alert_reminder);
    out.limits.missing_after = seconds(missing_after);
    out.limits.log_after = seconds(log_after);
    out.limits.silent_after = seconds(silent_after);
    out.limits.escrow_after = seconds(escrow_after);
    out.limits.proof_after = std::chrono::hours(24 * proof_days);
    out.limits.rotation_after = std::chrono::hours(24 * rotation_days);
    out.limits.key_notice = std::chrono::hours(24 * key_notice_days);
    out.limits.disk_free_percent = disk_free_percent;
    out.limits.own_backup_after = seconds(own_backup_after);
    return out;
}

}  // namespace strongroom::dispatcher
