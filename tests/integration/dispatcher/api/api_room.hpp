// The dispatcher without a socket: real store, real keys, real sealed messages.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "common/base/file.hpp"
#include "dispatcher/api/message_api.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "proto/messages.hpp"
#include "tests/support/fake_clock.hpp"

namespace strongroom::test {

// A user or agent: own home with its secret key, and what it shows to the gate.
struct Peer {
    gpg::TempHome home;
    std::string fingerprint;
    std::string subkey;
    std::string public_key;
    std::string token;
    std::string server;  // an agent's UUID

    std::string authorization() const { return "Bearer " + token; }
};

class ApiRoom {
  public:
    ApiRoom();
    ~ApiRoom();

    dispatcher::Store& store() { return *store_; }
    dispatcher::MessageApi& api() { return *api_; }
    FakeClock clock;
    std::filesystem::path database() const { return folder_.path() / "d.sqlite"; }
    std::filesystem::path peer_home(const Peer& peer) const {
        return folder_.path() / "p" / peer.fingerprint;
    }

    std::unique_ptr<Peer> make_peer(const std::string& user_id);
    std::unique_ptr<Peer> add_user(const std::string& name);
    std::unique_ptr<Peer> add_agent(const Peer& owner);

    proto::Message request(const Peer& from, const std::string& type, Json body) const;
    // Seals, passes the gate, opens the answer. Throws what the answer carries: the sealed error, or the
    // plain refusal as Error of its "error" field with the text "plain: ...".
    Json send(const Peer& from, const proto::Message& message, const std::string& authorization = {});
    // The same for a sender that passed the gate some time ago.
    Json send_past_gate(const Peer& from, const proto::Message& message,
                        const dispatcher::Admission& admission);
    Json ask(const Peer& from, const std::string& type, Json body) {
        return send(from, request(from, type, body));
    }
    template <class Request>
    typename Request::Reply ask(const Peer& from, const Request& body) {
        return from_json<typename Request::Reply>(ask(from, Request::type, to_json(body)));
    }
    // "ok" or the kind of the error.
    std::string outcome(const Peer& from, const std::string& type, const Json& body);

    dispatcher::Answer last_answer;
    proto::Message last_reply;       // opened; an error, too
    std::vector<std::string> woken;  // servers whose agents were told of work

    std::function<void()> at_work = [] {};  // runs then, too

  private:
    proto::Party party_of(const Peer& peer) const { return {peer.home.home(), peer.fingerprint}; }

    TempDir folder_;
    gpg::TempHome own_;
    gpg::TempHome public_;  // the dispatcher's public key, as peers have it
    std::string fingerprint_;
    std::unique_ptr<dispatcher::Store> store_;
    std::unique_ptr<dispatcher::Authenticator> authenticator_;
    dispatcher::Metrics metrics_;
    std::unique_ptr<dispatcher::MessageApi> api_;
};

// Of the error that `work` must throw; its text must hold `part_of_text`.
ErrorKind kind_of(const std::function<void()>& work, const std::string& part_of_text = {});

}  // namespace strongroom::test
