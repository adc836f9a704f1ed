#include "tests/support/slow_link.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <deque>
#include <string>
#include <thread>

namespace strongroom::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Steady = std::chrono::steady_clock;
using Failure = boost::system::error_code;

constexpr std::size_t most_queued = 64U << 20U;  // bytes on their way in one direction

// Both sockets of one connection; it ends when both pumps have let go of it.
struct Connection {
    Connection(asio::io_context& io, std::atomic<int>& open) : client(io), server(io), count(open) {
        ++count;
    }
    ~Connection() { --count; }
    Connection(const Connection&) = delete;
    void break_off() {
        Failure ignored;
        client.close(ignored);
        server.close(ignored);
    }
    tcp::socket client;
    tcp::socket server;
    std::atomic<int>& count;
};

// One direction. A chunk leaves when the rate has let its last byte through, and arrives a delay later.
class Pump : public std::enable_shared_from_this<Pump> {
  public:
    Pump(std::shared_ptr<Connection> connection, tcp::socket& from, tcp::socket& to, LinkLimits limits)
        : connection_(std::move(connection)),
          from_(from),
          to_(to),
          limits_(limits),
          buffer_(limits.rate > 0 ? 16U << 10U : 256U << 10U, '\0'),
          pace_(from.get_executor()),
          due_(from.get_executor()) {}

    void read() {
        from_.async_read_some(asio::buffer(buffer_),
                              [self = shared_from_this()](const Failure& failure, std::size_t size) {
                                  self->on_read(failure, size);
                              });
    }

  private:
    struct Chunk {
        Steady::time_point arrives;
        std::string bytes;  // empty: the end
    };

    void on_read(const Failure& failure, std::size_t size) {
        if (failure && failure != asio::error::eof) return connection_->break_off();
        left_ = std::max(left_, Steady::now());
        if (limits_.rate > 0)
            left_ += std::chrono::nanoseconds(static_cast<std::int64_t>(size) * 1'000'000'000 / limits_.rate);
        queued_ += size;
        queue_.push_back({left_ + limits_.delay, buffer_.substr(0, size)});
        if (queue_.size() == 1) deliver();
        if (failure) return;
        waiting_for_room_ = queued_ > most_queued;
        if (!waiting_for_room_) read_when_left();
    }

    void read_when_left() {
        pace_.expires_at(left_);
        pace_.async_wait([self = shared_from_this()](const Failure& failure) {
            if (!failure) self->read();
        });
    }

    void deliver() {
        due_.expires_at(queue_.front().arrives);
        due_.async_wait([self = shared_from_this()](const Failure& failure) {
            if (!failure) self->write();
        });
    }

    void write() {
        if (queue_.front().bytes.empty()) {
            Failure ignored;
            to_.shutdown(tcp::socket::shutdown_send, ignored);
            return;
        }
        asio::async_write(to_, asio::buffer(queue_.front().bytes),
                          [self = shared_from_this()](const Failure& failure, std::size_t size) {
                              self->on_written(failure, size);
                          });
    }

    void on_written(const Failure& failure, std::size_t size) {
        if (failure) return connection_->break_off();
        queued_ -= size;
        queue_.pop_front();
        if (!queue_.empty()) deliver();
        if (waiting_for_room_ && queued_ <= most_queued) {
            waiting_for_room_ = false;
            read_when_left();
        }
    }

    const std::shared_ptr<Connection> connection_;
    tcp::socket& from_;
    tcp::socket& to_;
    const LinkLimits limits_;
    std::string buffer_;
    asio::steady_timer pace_;
    asio::steady_timer due_;
    std::deque<Chunk> queue_;
    std::size_t queued_ = 0;
    bool waiting_for_room_ = false;
    Steady::time_point left_{};
};

}  // namespace

class SlowLink::Relay {
  public:
    Relay(int target_port, LinkLimits limits)
        : target_(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(target_port)),
          limits_(limits),
          acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
        accept();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~Relay() {
        io_.stop();
        thread_.join();
    }
    Relay(const Relay&) = delete;

    int port() const { return acceptor_.local_endpoint().port(); }
    int most() const { return most_; }

  private:
    void accept() {
        auto connection = std::make_shared<Connection>(io_, open_);
        tcp::socket& client = connection->client;
        acceptor_.async_accept(client, [this, connection](const Failure& failure) {
            if (failure) return;
            most_ = std::max(most_.load(), open_.load());
            connect(connection);
            accept();
        });
    }

    void connect(const std::shared_ptr<Connection>& connection) {
        connection->server.async_connect(target_, [this, connection](const Failure& failure) {
            if (failure) return connection->break_off();
            connection->client.set_option(tcp::no_delay(true));
            connection->server.set_option(tcp::no_delay(true));
            std::make_shared<Pump>(connection, connection->client, connection->server, limits_)->read();
            std::make_shared<Pump>(connection, connection->server, connection->client, limits_)->read();
        });
    }

    std::atomic<int> open_ = 0;  // connections; one more than there are waits to be accepted
    std::atomic<int> most_ = 0;
    asio::io_context io_;
    const tcp::endpoint target_;
    const LinkLimits limits_;
    tcp::acceptor acceptor_;
    std::thread thread_;
};

SlowLink::SlowLink(int target_port, LinkLimits limits)
    : relay_(std::make_unique<Relay>(target_port, limits)) {}
SlowLink::~SlowLink() = default;
int SlowLink::port() const {
    return relay_->port();
}
int SlowLink::most_connections() const {
    return relay_->most();
}

}  // namespace strongroom::test
