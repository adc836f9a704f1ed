// An HTTP server on loopback that answers as a test says, byte for byte: lies, breaks off, hangs. One thread
// for each connection; requests are read whole first (100-continue is answered).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.hpp"

namespace strongroom::test {

struct ScriptedRequest {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    int number = 0;  // from 1, over all connections
};

struct ScriptedAnswer {
    std::string bytes;                   // status line, headers, body
    std::chrono::milliseconds delay{0};  // before; the server's destructor cuts it short
    bool reset = false;                  // the connection breaks off with RST behind the bytes
    bool close = false;                  // ... or is closed in order
};

// A complete answer with its length.
ScriptedAnswer answer(int status, const std::string& body = {}, const std::string& headers = {});
// An S3 error document.
ScriptedAnswer s3_refusal(int status, const std::string& code);

class ScriptedHttpServer {
  public:
    using Script = std::function<ScriptedAnswer(const ScriptedRequest&)>;
    explicit ScriptedHttpServer(Script script);  // called in any thread, one at a time
    ~ScriptedHttpServer();
    ScriptedHttpServer(const ScriptedHttpServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    int requests() const { return requests_; }
    int connections() const { return connections_; }

  private:
    void accept_all(const std::stop_token& stop);
    void serve(const std::stop_token& stop, const UniqueFd& peer);
    bool read_request(const std::stop_token& stop, const UniqueFd& peer, std::string& buffer,
                      ScriptedRequest& out);

    Script script_;
    std::mutex script_mutex_;
    UniqueFd listener_;
    int port_ = 0;
    std::atomic<int> requests_ = 0;
    std::atomic<int> connections_ = 0;
    std::mutex threads_mutex_;
    std::vector<std::jthread> threads_;
    std::jthread acceptor_;  // last: it ends first
};

}  // namespace strongroom::test
