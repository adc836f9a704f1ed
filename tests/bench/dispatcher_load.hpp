// Many HTTP connections in one thread: what the load generator of the dispatcher's benchmark is made of.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/unique_fd.hpp"

namespace strongroom::bench {

using Steady = std::chrono::steady_clock;

inline double ms_since(Steady::time_point start) {
    return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

// One epoll loop on loopback. Not thread-safe; a second thread makes a second Load.
class Load {
  public:
    // status 0: the connection was refused or lost.
    struct Answer {
        int status = 0;
        std::string body;
    };
    using Done = std::function<void(const Answer&)>;

    // `source` picks the source address 127.0.0.2, 127.0.0.3, ...: one address has 28,000 ports only.
    class Client;

    explicit Load(std::uint16_t port);
    ~Load();
    Load(const Load&) = delete;

    // The dispatcher was started anew, on another port.
    void set_port(std::uint16_t port) { port_ = port; }
    Client& add(int source);
    // One request at a time for a client; it connects if it must and keeps the connection.
    void send(Client& client, std::string request, Done done);
    // Drops the client's connection and what it waits for, without a call.
    void reset(Client& client);
    void after(std::chrono::milliseconds pause, std::function<void()> work);

    // Until `done()` says true (then true), or the time is over (then false).
    bool run(std::chrono::milliseconds limit, const std::function<bool()>& done);

  private:
    void connect(Client& client);
    void on_event(Client& client, unsigned events);
    void read_some(Client& client);
    void write_some(Client& client);
    bool take_answer(Client& client);
    void lost(Client& client);

    std::uint16_t port_;
    UniqueFd epoll_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::multimap<Steady::time_point, std::function<void()>> timers_;
};

std::string get_request(const std::string& path, const std::string& authorization);
std::string post_request(const std::string& body, const std::string& authorization);

// The p-th part (0.99) of the values.
double percentile(std::vector<double> values, double p);

}  // namespace strongroom::bench
