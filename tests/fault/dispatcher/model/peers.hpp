// What a random history deals with: agents, and requests that may be sent again.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"
#include "common/base/cron.hpp"
#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/store/store.hpp"
#include "proto/messages.hpp"

namespace strongroom::test {

// A history that broke a promise.
struct Broken {
    std::string what;
};
inline void hold(bool good, const std::string& what) {
    if (!good) throw Broken{what};
}

struct Request {
    std::string authorization;
    Bytes json;
    std::string type;
    UtcTime made;  // true time
};

struct Agent {
    std::string uuid = random_uuid();
    std::string fingerprint;
    std::string subkey;
    std::string token = to_hex(random_bytes(32));
    std::string owner;
    bool retired = false;
    std::optional<std::pair<std::string, std::int64_t>> holds;  // job, attempt
};

// What an agent says of its database server: in which group it is ("": none), and how far behind.
inline proto::AgentReport report_of(const std::string& group, bool replica, std::int64_t behind) {
    proto::AgentReport out;
    out.version = out.label = out.source = out.store = "1";
    out.state.emplace();
    if (!group.empty()) out.state->group = group;
    out.state->role = replica ? "replica" : "primary";
    if (!replica) return out;
    proto::ReplicationSource source;
    source.io = source.sql = "Yes";
    source.behind_s = behind;
    out.state->sources = {source};
    return out;
}

// Who began a group's job, and when the dispatcher last told it that the job is still its own.
class BegunJobs {
  public:
    void ends(const std::string& job, const std::string& agent) { heard_[job].erase(agent); }
    void note(dispatcher::Transaction& tx, const std::string& job, const std::string& agent, UtcTime now) {
        for (const auto& [other, heard] : heard_[job])
            hold(other == agent || tx.find_server(other)->retired != 0 ||
                     now - heard >= std::chrono::minutes(59),
                 "no two members make one slot's backup");
        heard_[job][agent] = now;
    }

  private:
    std::map<std::string, std::map<std::string, UtcTime>> heard_;
};

// The last slot in (from, until].
inline std::optional<UtcTime> newest_slot(const std::string& text, UtcTime from, UtcTime until) {
    const Cron cron = Cron::parse(text);
    std::optional<UtcTime> out;
    for (UtcTime slot = cron.next_after(from); slot <= until; slot = cron.next_after(slot)) out = slot;
    return out;
}

inline std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace strongroom::test
