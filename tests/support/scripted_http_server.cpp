#include "tests/support/scripted_http_server.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "common/base/error.hpp"
#include "common/base/steady_time.hpp"

namespace strongroom::test {
namespace {

// False at a request to stop.
bool wait_readable(const std::stop_token& stop, int fd) {
    while (!stop.stop_requested()) {
        pollfd entry{fd, POLLIN, 0};
        if (::poll(&entry, 1, 20) > 0) return true;
    }
    return false;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

}  // namespace

ScriptedAnswer answer(int status, const std::string& body, const std::string& headers) {
    return {"HTTP/1.1 " + std::to_string(status) +
            " Scripted\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body};
}

ScriptedAnswer s3_refusal(int status, const std::string& code) {
    return answer(status, "<Error><Code>" + code + "</Code><Message>scripted</Message></Error>");
}

ScriptedHttpServer::ScriptedHttpServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), raw, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), raw, &size) != 0)
        throw system_error(ErrorKind::internal, "cannot listen", errno);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

ScriptedHttpServer::~ScriptedHttpServer() {
    acceptor_.request_stop();
    acceptor_.join();
    const std::lock_guard lock(threads_mutex_);
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
}

void ScriptedHttpServer::accept_all(const std::stop_token& stop) {
    while (wait_readable(stop, listener_.get())) {
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        ++connections_;
        const std::lock_guard lock(threads_mutex_);
        threads_.emplace_back([this, fd](const std::stop_token& ending) {
            const UniqueFd peer(fd);
            serve(ending, peer);
        });
    }
}

bool ScriptedHttpServer::read_request(const std::stop_token& stop, const UniqueFd& peer, std::string& buffer,
                                      ScriptedRequest& out) {
    const auto more = [&] {
        char piece[65536];
        if (!wait_readable(stop, peer.get())) return false;
        const auto got = ::recv(peer.get(), piece, sizeof(piece), 0);
        if (got > 0) buffer.append(piece, static_cast<std::size_t>(got));
        return got > 0;
    };
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
        if (!more()) return false;
    const std::string head = buffer.substr(0, end + 2);
    buffer.erase(0, end + 4);
    const auto first = head.find("\r\n");
    const auto space = head.find(' ');
    out.method = head.substr(0, space);
    out.target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    for (std::size_t at = first + 2; at < head.size();) {
        const auto line_end = head.find("\r\n", at);
        const auto colon = head.find(": ", at);
        out.headers[lower(head.substr(at, colon - at))] = head.substr(colon + 2, line_end - colon - 2);
        at = line_end + 2;
    }
    if (out.headers.contains("expect") && !send_all(peer.get(), "HTTP/1.1 100 Continue\r\n\r\n"))
        return false;
    const std::size_t length =
        out.headers.contains("content-length") ? std::stoul(out.headers["content-length"]) : 0;
    while (buffer.size() < length)
        if (!more()) return false;
    out.body = buffer.substr(0, length);
    buffer.erase(0, length);
    return true;
}

void ScriptedHttpServer::serve(const std::stop_token& stop, const UniqueFd& peer) {
    std::string buffer;
    for (ScriptedRequest request; read_request(stop, peer, buffer, request); request = {}) {
        request.number = ++requests_;
        ScriptedAnswer reply;
        {
            const std::lock_guard lock(script_mutex_);
            reply = script_(request);
        }
        if (reply.delay.count() > 0 && !steady_time().sleep(reply.delay, stop)) return;
        const bool sent = send_all(peer.get(), reply.bytes);
        if (reply.reset) {
            const linger now{1, 0};
            ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        }
        if (!sent || reply.reset || reply.close) return;
    }
}

}  // namespace strongroom::test
