// What the dispatcher's benchmark drives: a state folder, peers with real keys, and the dispatcher's process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/home.hpp"
#include "dispatcher/store/store.hpp"
#include "proto/messages.hpp"
#include "proto/sealed.hpp"
#include "tests/bench/dispatcher_load.hpp"

namespace strongroom::bench {

// A real peer. All secret keys stand in one home of the generator's.
struct Peer {
    std::string uuid;  // of an agent
    std::string fingerprint;
    std::string subkey;
    std::string public_key;
    std::string token;
    std::string code;  // registration code in plain, for agents

    std::string authorization() const { return "Bearer " + token; }
};

class Site {
  public:
    // `program`: strongroom-dispatcher. Keys are made in `folder` (short path) unless it holds them already.
    Site(std::filesystem::path folder, std::string program, int keys);
    ~Site();

    // A new state: own key, the user, one registration code for each agent.
    void make_state();
    // Servers that exist in the database only: they have tokens and can wait. `upto`: number of all of them.
    void add_plain_servers(std::size_t upto, bool with_homes);
    void start();
    void kill_hard();
    // Seconds that an orderly stop took. Throws unless it ended with exit code 0.
    double stop();

    std::uint16_t port() const { return port_; }
    double metric(const std::string& line_start) const;
    long cpu_ticks() const;  // of the process itself
    double rss_mib() const;
    long faults_of_children() const;  // changes when any child process ran

    // A sealed request of this peer, as HTTP, good for ten minutes.
    template <class Request>
    std::string sealed(const Peer& from, const Request& body, const std::string& authorization = {}) const {
        return sealed(from, Request::type, to_json(body), authorization);
    }
    std::string sealed(const Peer& from, const char* type, Json body, const std::string& authorization) const;
    // Throws unless `answer` is this dispatcher's sealed reply without an error.
    void require_reply(const Peer& to, const Load::Answer& answer) const;

    const Peer& user() const { return user_; }
    const std::vector<Peer>& agents() const { return agents_; }
    const std::vector<Peer>& plain_servers() const { return plain_; }
    std::filesystem::path state() const { return folder_ / "s"; }
    std::string fingerprint() const { return fingerprint_; }  // the dispatcher's

  private:
    void make_keys(int keys);
    std::string process_file(const char* name) const;

    std::filesystem::path folder_;
    std::string program_;
    gpg::Home secrets_;
    std::optional<gpg::Home> dispatcher_home_;  // its public key, as peers hold it
    std::string fingerprint_;
    Peer user_;
    std::vector<Peer> agents_;
    std::vector<Peer> plain_;
    std::optional<Subprocess> process_;
    std::uint16_t port_ = 0;
    std::string admin_;
    SystemClock clock_;
};

void row(const std::string& name, double value, const char* unit, int digits = 2);
void note(const std::string& text);

}  // namespace strongroom::bench
