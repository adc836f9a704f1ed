#include "client/known_servers/known_servers.hpp"

#include <algorithm>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"

namespace strongroom::client {
namespace {

constexpr std::size_t max_file = 16U << 20U;
constexpr std::int64_t file_version = 1;

struct Entry {
    std::string server;
    std::string identity;
    std::string first_seen;
    std::optional<std::vector<std::string>> former;  // identity keys before it, oldest first
    std::optional<std::string> changed;              // when the last change was followed
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("identity", identity, fingerprint_text);
        f("first_seen", first_seen, Text{32});
        f("former", former, Many<Text>{1000, fingerprint_text});
        f("changed", changed, Text{32});
    }
};

struct Document {
    std::int64_t version = file_version;
    std::vector<Entry> servers;
    template <class Fields>
    void fields(Fields& f) {
        f("version", version, Range{file_version, file_version});
        f("servers", servers, Many<Nested>{100'000, {}});
    }
};

}  // namespace

KnownServers::KnownServers(std::filesystem::path file) : file_(std::move(file)) {
    if (!std::filesystem::exists(std::filesystem::symlink_status(file_))) return;
    require_private_file(file_);
    try {
        for (const auto& entry :
             from_json<Document>(parse_json(read_file(file_, max_file), max_file)).servers)
            if (!known_
                     .try_emplace(entry.server, Known{entry.identity, entry.first_seen,
                                                      entry.former.value_or(std::vector<std::string>{}),
                                                      entry.changed.value_or("")})
                     .second)
                throw Error(ErrorKind::protocol, "server " + entry.server + " stands in it twice");
    } catch (const Error& error) {
        throw Error(
            ErrorKind::config,
            "the list of known servers is damaged: " + file_.string() + ": " + error.text(),
            "Restore the file from a backup. Without it, compare the fingerprints with those that the hosts "
            "show (strongroom-agent status) before you trust them again.");
    }
}

std::optional<std::string> KnownServers::identity_of(const std::string& server) const {
    const auto found = known_.find(server);
    if (found == known_.end()) return std::nullopt;
    return found->second.identity;
}

void KnownServers::check(const std::string& server, const std::string& identity) const {
    const auto known = identity_of(server);
    if (!known || *known == identity) return;
    throw Error(
        ErrorKind::refused,
        "server " + server + " shows the identity key " + group_fingerprint(identity) + ", but is known by " +
            group_fingerprint(*known),
        "Somebody may be answering for this server. Ask its host (strongroom-agent status); only if the key "
        "was changed on purpose, remove the server from " +
            file_.string() + ".");
}

bool KnownServers::had(const std::string& server, const std::string& identity) const {
    const auto found = known_.find(server);
    return found != known_.end() &&
           std::ranges::find(found->second.former, identity) != found->second.former.end();
}

void KnownServers::follow(const std::string& server, const std::vector<std::string>& path, UtcTime now) {
    auto& known = known_.at(server);
    const Known before = known;
    if (path.size() < 2 || path.front() != known.identity)
        throw Error(ErrorKind::internal, "no way from the known identity key");
    known.former.insert(known.former.end(), path.begin(), path.end() - 1);
    known.identity = path.back();
    known.changed = format_utc(now);
    try {
        save();
    } catch (...) {
        known = before;
        throw;
    }
}

bool KnownServers::pin(const std::string& server, const std::string& identity, UtcTime now) {
    check(server, identity);
    if (!known_.try_emplace(server, Known{identity, format_utc(now), {}, {}}).second) return false;
    try {
        save();
    } catch (...) {
        known_.erase(server);
        throw;
    }
    return true;
}

void KnownServers::save() const {
    Document document;
    for (const auto& [server, known] : known_) {
        document.servers.push_back({server, known.identity, known.first_seen, {}, {}});
        if (known.former.empty()) continue;
        document.servers.back().former = known.former;
        document.servers.back().changed = known.changed;
    }
    make_private_dir(file_.parent_path());
    write_file_atomic(file_, to_json(document).dump(2) + "\n");
}

}  // namespace strongroom::client
