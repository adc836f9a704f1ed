// One connection's conversation, and what all of them share. Only this folder's files include this.
//
// Everything here runs on the one thread of HttpServer::run(), so that nothing needs a lock.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "dispatcher/http/server.hpp"
#include "dispatcher/http/token_buckets.hpp"
#include "dispatcher/http/work_pool.hpp"

namespace strongroom::dispatcher {

// Agents in a long poll.
class Waiters {
  public:
    struct Waiter {
        boost::asio::steady_timer timer;
        bool woken = false;
    };

    void add(const std::string& server, Waiter& waiter) { waiting_.emplace(server, &waiter); }
    void remove(const std::string& server, const Waiter& waiter) {
        const auto [first, last] = waiting_.equal_range(server);
        for (auto at = first; at != last; ++at) {
            if (at->second != &waiter) continue;
            waiting_.erase(at);
            return;
        }
    }
    void wake(const std::string& server) {
        ++wakes_;
        const auto [first, last] = waiting_.equal_range(server);
        for (auto at = first; at != last; ++at) wake(*at->second);
    }
    // How often somebody was woken.
    std::uint64_t wakes() const { return wakes_; }
    void wake_all() {
        for (auto& [server, waiter] : waiting_) wake(*waiter);
    }

  private:
    static void wake(Waiter& waiter) {
        waiter.woken = true;
        waiter.timer.cancel();
    }
    std::unordered_multimap<std::string, Waiter*> waiting_;
    std::uint64_t wakes_ = 0;
};

struct Shared {
    Api& api;
    Metrics& metrics;
    HttpLimits limits;
    WorkPool& pool;       // gpg and SQL
    WorkPool& gate_pool;  // one look into the database, never gpg: nobody waits behind a message
    Waiters waiters;
    bool draining = false;
    std::set<boost::beast::tcp_stream*> open;  // all connections
    std::set<boost::beast::tcp_stream*> idle;  // those between two requests
    boost::asio::steady_timer& drain_timer;
    TokenBuckets strangers{limits.strangers_per_second, limits.strangers_burst, 50'000};  // by address
    TokenBuckets senders{limits.messages_per_second, limits.messages_burst, 50'000};      // by identity
    std::map<std::string, std::size_t> in_flight{};                                       // by identity
    std::size_t delayed = 0;
    // Connections that have shown no valid token yet, oldest first.
    std::map<std::uint64_t, boost::beast::tcp_stream*> unknown{};
    std::uint64_t next_number = 0;
    std::chrono::steady_clock::time_point full_logged{};

    // At the cap: the oldest connection without a token is cut for the next comer, so that holding
    // connections open keeps nobody out. False if all have shown one.
    bool make_room();
};

enum class Door { agents_and_users, admin };

// Serves one accepted connection to its end. Errors of the connection end it silently. Takes the socket by
// value.
boost::asio::awaitable<void> serve_plain(Shared& shared, Door door, boost::asio::ip::tcp::socket socket);
boost::asio::awaitable<void> serve_tls(Shared& shared, Door door, boost::asio::ip::tcp::socket socket,
                                       std::shared_ptr<boost::asio::ssl::context> tls);

}  // namespace strongroom::dispatcher
