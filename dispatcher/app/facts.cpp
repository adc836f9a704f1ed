#include "dispatcher/app/facts.hpp"

#include <sys/statvfs.h>

#include <map>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/gpg/keys.hpp"
#include "dispatcher/handler/on_the_wire.hpp"
#include "dispatcher/handler/recoverable.hpp"
#include "dispatcher/health/key_expiry.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t keys_at_once = 5;

std::map<std::string, std::int64_t> known_key_ends(Transaction& tx) {
    std::map<std::string, std::int64_t> out;
    for (const auto& key : tx.key_expiries()) out[key.fingerprint] = key.expires;
    return out;
}

}  // namespace

std::int64_t service_number(Transaction& tx, const std::string& name) {
    const std::string text = tx.service_value(name);
    return text.empty() ? 0 : std::stoll(text);
}

Disk measure_disk(const State& state) {
    Disk out;
    std::error_code missing;
    for (const char* suffix : {"", "-wal"}) {
        const auto size = std::filesystem::file_size(state.database.string() + suffix, missing);
        if (!missing) out.database += static_cast<std::int64_t>(size);
    }
    struct statvfs info {};
    if (::statvfs(state.folder.c_str(), &info) == 0) {
        out.free = static_cast<std::int64_t>(info.f_bavail * info.f_frsize);
        out.total = static_cast<std::int64_t>(info.f_blocks * info.f_frsize);
    }
    return out;
}

Facts gather_facts(Store& store, const Disk& disk, std::int64_t now, std::int64_t started) {
    Facts out;
    store.read([&](Transaction& tx) {
        out = {};
        out.servers = tx.server_facts();
        out.states = tx.list_server_states();
        for (const auto& report : out.states)
            if (const auto state = server_state(report); state && state->logs)
                out.logs.emplace(report.server, *state->logs);
        out.groups = tx.group_facts();
        out.by_group = servers_by_group(out.servers, out.states, out.groups);
        out.failed_jobs = tx.failed_jobs();
        const auto ends = known_key_ends(tx);
        for (const auto& user : tx.list_users())
            if (const auto end = ends.find(user.fingerprint); end != ends.end())
                out.keys.push_back({user.fingerprint, "user " + user.name, end->second});
        const std::string own = tx.service_value("fingerprint");
        if (const auto end = ends.find(own); end != ends.end())
            out.keys.push_back({own, "the dispatcher", end->second});
        out.own_backup = service_number(tx, "own_backup");
        out.created = service_number(tx, "created");
        out.proof_window = proof_window(tx);
    });
    out.now = now;
    out.started = started;
    out.disk_free = disk.free;
    out.disk_total = disk.total;
    return out;
}

void note_key_expiries(Store& store) {
    std::vector<User> unknown;
    store.read([&](Transaction& tx) {
        unknown.clear();
        const auto ends = known_key_ends(tx);
        for (auto& user : tx.list_users())
            if (!ends.contains(user.fingerprint) && unknown.size() < keys_at_once)
                unknown.push_back(std::move(user));
    });
    for (const auto& user : unknown) {
        KeyExpiry expiry{user.fingerprint, 0};
        try {
            expiry = key_expiry(gpg::inspect_public_key(user.public_key, user.fingerprint));
        } catch (const Error& error) {  // expired since it was taken, as a rule: that is what the rule tells
            log_event(Level::warning, "DISPATCHER_KEY_UNUSABLE", "user {}: {}", user.name, error.text());
            expiry.expires = 1;
        }
        store.transact([&](Transaction& tx) { tx.put_key_expiry(expiry); });
    }
}

}  // namespace strongroom::dispatcher
