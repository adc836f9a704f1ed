// A real strongroom-dispatcher on loopback with the development key, and peers that talk to it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/file.hpp"
#include "common/base/subprocess.hpp"
#include "common/base/unique_fd.hpp"
#include "common/gpg/keys.hpp"
#include "common/net/http.hpp"
#include "proto/exchange.hpp"
#include "proto/messages.hpp"

namespace strongroom::test {

class DispatcherProcess {
  public:
    // Initialised and serving. `state`: a folder instead of a fresh one; initialised unless it was before.
    explicit DispatcherProcess(std::filesystem::path state = {});
    explicit DispatcherProcess(const std::vector<std::string>& more);  // with these options of `serve`, too
    DispatcherProcess(std::filesystem::path state, const std::vector<std::string>& more);
    ~DispatcherProcess();

    void start(const std::vector<std::string>& more = {});
    void kill_hard();                                  // SIGKILL
    ExitStatus stop(std::chrono::milliseconds grace);  // SIGTERM

    RunResult command(
        const std::vector<std::string>& arguments) const;  // strongroom-dispatcher --state-dir ...
    net::HttpAnswer get(const std::string& path, const std::string& authorization = {}) const;
    net::HttpAnswer admin(const std::string& path) const;
    net::HttpAnswer post(const std::string& body, const std::string& authorization) const;
    double metric(const std::string& line_start) const;  // 0 if it is not there
    // Minor page faults of ended children: grows whenever a child process was run.
    long faults_of_children() const;
    std::string log() const;
    pid_t pid() const { return process_->pid(); }
    std::size_t memory() const;  // resident, bytes

    std::filesystem::path state() const { return state_.empty() ? folder_.path() / "d" : state_; }
    std::map<std::string, std::string> environment;  // of the next start()
    std::string url() const { return "http://" + address; }
    std::string address;
    std::string admin_address;

    struct Peer {
        gpg::TempHome home;
        gpg::TempHome dispatcher;
        std::string fingerprint;
        std::string public_key;
        std::string token;
        std::string server;
        std::unique_ptr<proto::Exchange> exchange;
    };
    std::unique_ptr<Peer> add_user(const std::string& name);
    std::unique_ptr<Peer> register_agent(Peer& owner);
    // After a restart: the port is another one.
    std::unique_ptr<Peer> reconnect(std::unique_ptr<Peer> peer) const;

  private:
    void connect(Peer& peer) const;

    TempDir folder_;
    std::filesystem::path state_;
    std::optional<Subprocess> process_;
    SystemClock clock_;
};

// A bare connection, for what no HTTP client would send.
class RawConnection {
  public:
    explicit RawConnection(const std::string& address);
    void send(const std::string& bytes);
    // As much as the connection takes at once; throws Error{network} when it is closed.
    void send_without_waiting(const std::string& bytes);
    // Until the peer closes or `limit` passes.
    std::string read_all(std::chrono::milliseconds limit);

  private:
    UniqueFd fd_;
};

}  // namespace strongroom::test
