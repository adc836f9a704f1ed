// What a user's client found in a store, for an operator who fills an empty dispatcher with it: a signed
// statement (proto/statement.hpp, PROTOCOL.md section 6).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/message_parts.hpp"

namespace strongroom::proto {

struct StoreIndex {
    static constexpr const char* format = "strongroom-store-index";
    static constexpr std::int64_t version = 1;
    static constexpr std::size_t max_json = 64U << 20U;
    struct Escrow {
        std::string subkey;
        std::string record;  // base64
        template <class Fields>
        void fields(Fields& f) {
            f("subkey", subkey, fingerprint_text);
            f("record", record, record_text);
        }
    };
    struct Server {
        std::string server;
        std::string identity;
        std::string public_key;
        std::vector<Escrow> escrow;
        std::vector<Backup> backups;  // whose manifests the identity key signed
        template <class Fields>
        void fields(Fields& f) {
            f("server", server, uuid_text);
            f("identity", identity, fingerprint_text);
            f("public_key", public_key, key_text);
            f("escrow", escrow, Many<Nested>{100, {}});
            f("backups", backups, Many<Nested>{100'000, {}});
        }
    };
    std::string user;  // who made and signed it: the file is of use for this user only
    std::int64_t made = 0;
    std::string store;  // what a person sees
    std::vector<Server> servers;
    template <class Fields>
    void fields(Fields& f) {
        f("user", user, fingerprint_text);
        f("made", made, any_time);
        f("store", store, short_text);
        f("servers", servers, Many<Nested>{10'000, {}});
    }
};

}  // namespace strongroom::proto
