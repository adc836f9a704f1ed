// Which agents are there, noticed by their long polls. Kept in memory and written to the store in batches, so
// that thousands of waiting agents cost a small transaction now and then.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace strongroom::dispatcher {

class Presence {
  public:
    // Any thread; a lookup under a lock. Times are UTC milliseconds.
    void seen(const std::string& server, std::int64_t now);

    // Servers seen since they were last returned, but none again within two minutes.
    std::vector<std::string> take(std::int64_t now);

  private:
    struct Sign {
        std::int64_t seen = 0;
        std::int64_t written = 0;
    };
    std::mutex mutex_;
    std::unordered_map<std::string, Sign> signs_;
};

}  // namespace strongroom::dispatcher
