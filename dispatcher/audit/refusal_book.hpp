// How many refusals of one identity get an entry of their own in the audit trail: a peer that is refused
// again and again must not fill the disk. What is over the limit is counted, and the count is written down as
// one entry when the hour is over.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace strongroom::dispatcher {

class RefusalBook {
  public:
    static constexpr std::int64_t entries_an_hour = 20;

    // True if this refusal of `actor` gets its own entry. Times are UTC milliseconds. Any thread.
    bool admit(const std::string& actor, const std::string& owner, std::int64_t now);

    struct Suppressed {
        std::string actor;
        std::string owner;  // whose audit log it belongs to
        std::int64_t count = 0;
    };
    // The counts of the hours that are over; each is returned once.
    std::vector<Suppressed> take_ended(std::int64_t now);
    // Those of all hours, over or not: before the program ends.
    std::vector<Suppressed> take_all();

  private:
    struct Hour {
        std::string owner;
        std::int64_t start = 0;
        std::int64_t admitted = 0;
        std::int64_t suppressed = 0;
    };
    std::mutex mutex_;
    std::map<std::string, Hour> hours_;  // by actor: only identities that passed the gate, each once
};

}  // namespace strongroom::dispatcher
