// Who knows which of the dispatcher's keys, by what each sender's last messages said.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/auth/own_keys.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

// A server or user, and what it knows.
struct KeyPeer {
    bool is_server = false;
    std::string id;    // UUID of a server, fingerprint of a user
    std::string name;  // foreign text
    std::int64_t last_seen = 0;
    std::string newest;      // key that it has pinned; empty: it never said
    std::string addressed;   // key that its messages are for
    std::int64_t since = 0;  // of what it said last
};

struct KeyWatch {
    OwnKeys keys;
    std::vector<KeyChange> changes;
    std::size_t servers = 0;  // not retired
    std::size_t users = 0;
    std::vector<KeyPeer> without_next;    // servers and users that have not pinned the next key
    std::vector<KeyPeer> before_current;  // ... whose messages are not for the current key yet
};

// `root`: the current key while there was no change.
KeyWatch watch_keys(Store& store, const std::string& root);

std::vector<KeyPeer> servers_of(const std::vector<KeyPeer>& peers);
// The first ones, for a sentence.
std::string named(const std::vector<KeyPeer>& peers);

}  // namespace strongroom::dispatcher
