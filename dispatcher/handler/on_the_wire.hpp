// Stored records as they stand in messages.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/store/records.hpp"
#include "proto/messages.hpp"

namespace strongroom::dispatcher {

inline std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}
inline std::optional<std::int64_t> unless_zero(std::int64_t number) {
    return number == 0 ? std::nullopt : std::optional(number);
}

proto::Job on_the_wire(const Job& job);
proto::Backup on_the_wire(const Backup& backup);
std::optional<proto::SetProof> proof_on_the_wire(const Backup& backup);
// What was checked when it was stored. nullopt: written by a version with other fields.
std::optional<proto::ServerState> server_state(const ServerStateReport& report);
Backup from_the_wire(const proto::Backup& backup, const std::string& server, const std::string& job,
                     std::int64_t now);

// As many entries from the front as fit in one message.
template <class Entry>
std::vector<Entry> as_many_as_fit(std::vector<Entry> entries) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        bytes += to_json(entries[i]).dump().size() + 1;
        if (bytes > 800'000) {
            entries.resize(i);
            break;
        }
    }
    return entries;
}

}  // namespace strongroom::dispatcher
