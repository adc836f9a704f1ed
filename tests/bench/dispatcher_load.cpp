#include "tests/bench/dispatcher_load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/error.hpp"

namespace strongroom::bench {

class Load::Client {
  public:
    explicit Client(int source_) : source(source_) {}
    int source;
    UniqueFd fd;
    bool connected = false;
    std::string out;
    std::size_t sent = 0;
    std::string in;
    Done done;
    Steady::time_point used;
};

Load::Load(std::uint16_t port) : port_(port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

Load::~Load() = default;

Load::Client& Load::add(int source) {
    clients_.push_back(std::make_unique<Client>(source));
    return *clients_.back();
}

void Load::connect(Client& client) {
    client.fd = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!client.fd) throw system_error(ErrorKind::network, "socket", errno);
    const int on = 1;
    ::setsockopt(client.fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    ::setsockopt(client.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<unsigned>(client.source));
    if (::bind(client.fd.get(), reinterpret_cast<sockaddr*>(&from), sizeof from) != 0)
        throw system_error(ErrorKind::network, "bind", errno);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client.connected = false;
    client.in.clear();
    const int result = ::connect(client.fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
    event.data.ptr = &client;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event);
    if (result != 0 && errno != EINPROGRESS) lost(client);
}

void Load::send(Client& client, std::string request, Done done) {
    client.out = std::move(request);
    client.sent = 0;
    client.done = std::move(done);
    // The dispatcher closes a connection that was idle for ten seconds.
    if (client.fd && ms_since(client.used) > 5000) client.fd = UniqueFd();
    if (client.fd)
        write_some(client);
    else
        connect(client);
}

void Load::reset(Client& client) {
    client.done = nullptr;
    client.fd = UniqueFd();
}

void Load::after(std::chrono::milliseconds pause, std::function<void()> work) {
    timers_.emplace(Steady::now() + pause, std::move(work));
}

void Load::lost(Client& client) {
    client.fd = UniqueFd();
    if (!client.done) return;
    const Done done = std::exchange(client.done, nullptr);
    // Not at once: whoever tries again at once would starve the loop.
    after(std::chrono::milliseconds(0), [done] { done({}); });
}

void Load::on_event(Client& client, unsigned events) {
    if (!client.fd) return;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0) {
        lost(client);
        return;
    }
    if (!client.connected && (events & EPOLLOUT) != 0) {
        client.connected = true;
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDHUP;
        event.data.ptr = &client;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.fd.get(), &event);
        write_some(client);
    }
    if (client.fd && (events & (EPOLLIN | EPOLLRDHUP)) != 0) read_some(client);
}

void Load::write_some(Client& client) {
    while (client.fd && client.sent < client.out.size()) {
        const ssize_t done = ::send(client.fd.get(), client.out.data() + client.sent,
                                    client.out.size() - client.sent, MSG_NOSIGNAL);
        if (done <= 0) {
            if (done < 0 && errno == EAGAIN) {  // a request larger than the socket's buffer
                after(std::chrono::milliseconds(1), [this, &client] { write_some(client); });
                return;
            }
            lost(client);
            return;
        }
        client.sent += static_cast<std::size_t>(done);
    }
}

void Load::read_some(Client& client) {
    std::array<char, 16384> buffer{};
    while (client.fd) {
        const ssize_t got = ::recv(client.fd.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            lost(client);
            return;
        }
        client.in.append(buffer.data(), static_cast<std::size_t>(got));
        if (take_answer(client)) return;
    }
}

// Answers have a Content-Length, or no body (204).
bool Load::take_answer(Client& client) {
    const auto end = client.in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    std::string head = client.in.substr(0, end);
    std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
    std::size_t length = 0;
    const auto at = head.find("content-length: ");
    if (at != std::string::npos) length = std::stoul(head.substr(at + 16));
    if (client.in.size() < end + 4 + length) return false;
    Answer answer{std::stoi(head.substr(9, 3)), client.in.substr(end + 4, length)};
    client.in.clear();
    client.used = Steady::now();
    if (head.find("connection: close") != std::string::npos) client.fd = UniqueFd();
    if (const Done done = std::exchange(client.done, nullptr)) done(answer);
    return true;
}

bool Load::run(std::chrono::milliseconds limit, const std::function<bool()>& done) {
    const auto deadline = Steady::now() + limit;
    std::array<epoll_event, 512> events{};
    while (!done()) {
        const auto now = Steady::now();
        if (now >= deadline) return false;
        auto until = std::min(deadline, now + std::chrono::milliseconds(50));
        if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
        const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(),
                                       static_cast<int>(std::max<long long>(0, wait)));
        for (int i = 0; i < count; ++i)
            on_event(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr),
                     events[static_cast<std::size_t>(i)].events);
        for (const auto moment = Steady::now(); !timers_.empty() && timers_.begin()->first <= moment;) {
            const auto work = std::move(timers_.begin()->second);
            timers_.erase(timers_.begin());
            work();
        }
    }
    return true;
}

std::string get_request(const std::string& path, const std::string& authorization) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + authorization + "\r\n\r\n";
}

std::string post_request(const std::string& body, const std::string& authorization) {
    return "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + authorization +
           "\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

double percentile(std::vector<double> values, double p) {
    if (values.empty()) throw Error(ErrorKind::internal, "no values were measured");
    std::sort(values.begin(), values.end());
    const auto at = static_cast<std::size_t>(p * static_cast<double>(values.size()));
    return values[std::min(at, values.size() - 1)];
}

}  // namespace strongroom::bench
