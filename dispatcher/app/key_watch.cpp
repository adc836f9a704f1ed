#include "dispatcher/app/key_watch.hpp"

#include <algorithm>
#include <iostream>
#include <map>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/base/json_fields.hpp"
#include "common/base/printable.hpp"
#include "common/term/table.hpp"
#include "dispatcher/app/app.hpp"
#include "dispatcher/app/state.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::size_t most_named = 10;

// Where a key stands in the chain; unknown ones stand before it.
int place_of(const std::vector<KeyChange>& changes, const std::string& key, const std::string& root) {
    for (std::size_t i = changes.size(); i > 0; --i)
        if (changes[i - 1].next == key) return static_cast<int>(i);
    return key == (changes.empty() ? root : changes.front().current) ? 0 : -1;
}

std::string when(std::int64_t millis) {
    return millis == 0 ? "never" : format_utc(from_millis(millis));
}

Json to_json(const KeyPeer& peer) {
    Json out{{peer.is_server ? "server" : "user", peer.id}, {"name", peer.name}};
    if (peer.is_server && peer.last_seen != 0) out["last_seen"] = when(peer.last_seen);
    if (!peer.newest.empty()) {
        out["pinned"] = peer.newest;
        out["writes_to"] = peer.addressed;
        out["since"] = when(peer.since);
    }
    return out;
}

Json to_json(const std::vector<KeyPeer>& peers) {
    Json out = Json::array();
    for (const auto& peer : peers) out.push_back(to_json(peer));
    return out;
}

void print_watch(const KeyWatch& watch) {
    Json chain = Json::array();
    for (const auto& change : watch.changes) {
        Json link{{"sequence", change.sequence},
                  {"current", change.current},
                  {"next", change.next},
                  {"made", when(change.made)}};
        if (change.switched != 0) link["switched"] = when(change.switched);
        if (change.retired != 0) link["retired"] = when(change.retired);
        chain.push_back(std::move(link));
    }
    Json out{{"current", watch.keys.current}, {"former", watch.keys.former},
             {"chain", std::move(chain)},     {"servers", watch.servers},
             {"users", watch.users},          {"not_on_current", to_json(watch.before_current)}};
    if (!watch.keys.next.empty()) {
        out["next"] = watch.keys.next;
        out["next_not_pinned"] = to_json(watch.without_next);
    }
    std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
}

std::string share(const KeyWatch& watch, const std::vector<KeyPeer>& behind) {
    const std::size_t servers = servers_of(behind).size();
    return std::to_string(watch.servers - servers) + " of " + std::to_string(watch.servers) + " servers, " +
           std::to_string(watch.users - (behind.size() - servers)) + " of " + std::to_string(watch.users) +
           " users";
}

void print_peers(const std::string& title, const std::vector<KeyPeer>& peers) {
    if (peers.empty()) return;
    std::cout << "\n" << title << "\n";
    term::Table table({{"WHO"}, {"NAME"}, {"LAST SEEN"}, {"HAS PINNED"}, {"SINCE"}});
    for (const auto& peer : peers)
        table.add({(peer.is_server ? "server " : "user ") + peer.id, peer.name,
                   peer.is_server ? when(peer.last_seen) : "-", peer.newest.empty() ? "?" : peer.newest,
                   when(peer.since)});
    table.print(std::cout, "");
}

}  // namespace

KeyWatch watch_keys(Store& store, const std::string& root) {
    KeyWatch out;
    store.read([&](Transaction& tx) {
        out = {};
        out.changes = tx.list_key_changes();
        out.keys = own_keys(out.changes, root);
        std::map<std::string, KeyPin> pins;
        for (auto& pin : tx.list_key_pins()) pins[pin.peer] = pin;
        std::vector<std::pair<std::string, KeyPeer>> peers;  // with its fingerprint
        for (const auto& server : tx.server_facts())
            peers.push_back(
                {server.identity, {true, server.uuid, server.label, server.last_seen, {}, {}, 0}});
        out.servers = peers.size();
        for (const auto& user : tx.list_users())
            peers.push_back({user.fingerprint, {false, user.fingerprint, user.name, 0, {}, {}, 0}});
        out.users = peers.size() - out.servers;
        const auto place = [&](const std::string& key) { return place_of(out.changes, key, root); };
        for (auto& [fingerprint, peer] : peers) {
            if (const auto pin = pins.find(fingerprint); pin != pins.end()) {
                peer.newest = pin->second.newest;
                peer.addressed = pin->second.addressed;
                peer.since = std::max(pin->second.newest_since, pin->second.addressed_since);
            }
            if (!out.keys.next.empty() && place(peer.newest) < place(out.keys.next))
                out.without_next.push_back(peer);
            if (place(peer.addressed) < place(out.keys.current)) out.before_current.push_back(peer);
        }
    });
    return out;
}

std::vector<KeyPeer> servers_of(const std::vector<KeyPeer>& peers) {
    std::vector<KeyPeer> out;
    std::ranges::copy_if(peers, std::back_inserter(out), &KeyPeer::is_server);
    return out;
}

std::string named(const std::vector<KeyPeer>& peers) {
    std::string out;
    for (std::size_t i = 0; i < std::min(peers.size(), most_named); ++i)
        out += (i == 0 ? "" : ", ") + peers[i].id + " (" + printable_line(peers[i].name, 60) + ")";
    return out + (peers.size() > most_named ? ", ..." : "");
}

void list_keys(const std::filesystem::path& folder, bool json) {
    const State state = open_state(folder);
    const auto store = open_store(state);
    read_own_keys(state, *store);
    const KeyWatch watch = watch_keys(*store, read_own_fingerprint(state));
    if (json) return print_watch(watch);
    std::vector<std::pair<std::string, std::string>> fields{
        {"current key", group_fingerprint(watch.keys.current)},
        {"written to by", share(watch, watch.before_current)}};
    if (!watch.keys.next.empty()) {
        fields.emplace_back("next key", group_fingerprint(watch.keys.next));
        fields.emplace_back("pinned by", share(watch, watch.without_next));
    }
    for (const auto& former : watch.keys.former)
        fields.emplace_back("former key", group_fingerprint(former) + ", still decrypts");
    term::print_fields(std::cout, fields);
    if (!watch.changes.empty()) {
        std::cout << "\n";
        term::Table chain({{"NUMBER", term::Align::right},
                           {"SIGNED BY"},
                           {"NEXT"},
                           {"MADE"},
                           {"SWITCHED"},
                           {"FORMER ONE RETIRED"}});
        for (const auto& change : watch.changes)
            chain.add({std::to_string(change.sequence), change.current, change.next, when(change.made),
                       change.switched == 0 ? "not yet" : when(change.switched),
                       change.retired == 0 ? "not yet" : when(change.retired)});
        chain.print(std::cout, "");
    }
    print_peers("Have not pinned the next key:", watch.without_next);
    if (watch.changes.empty()) return;
    print_peers("Do not write to the current key yet:", watch.before_current);
}

}  // namespace strongroom::dispatcher
