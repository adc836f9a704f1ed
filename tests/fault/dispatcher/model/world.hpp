// Users and agents that write to the dispatcher while time passes: messages and replies are lost, the
// dispatcher dies, and its clock is wrong.
#pragma once

#include <random>
#include <vector>

#include "tests/fault/dispatcher/model/peers.hpp"
#include "tests/fault/dispatcher/model/site.hpp"

namespace strongroom::test {

class World {
  public:
    explicit World(std::uint64_t seed);  // two users, who are known, and no agent

    int deaths() const { return site_.deaths; }
    std::size_t repeated() const { return repeated_; }

  protected:
    int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
    bool chance(int one_in) { return pick(one_in) == 0; }
    std::string fingerprint();
    Agent* some_agent();

    template <class Message>
    Request make(const std::string& authorization, const std::string& from, const Message& body) {
        proto::Header header{Message::type, from, std::string(40, 'D'), random_uuid(), true_time_, {}};
        return {authorization, proto::encode(header, to_json(body)).json, Message::type, true_time_};
    }
    template <class Message>
    Request as_user(const std::string& user, const Message& body) {
        return make("Bearer " + tokens_[user], user, body);
    }
    template <class Message>
    Request as_agent(const Agent& agent, const Message& body) {
        return make("Bearer " + agent.token, agent.fingerprint, body);
    }

    // The reply's body, if it reached the sender: messages and replies are lost, and senders give up. An
    // answer that carries an error is an answer, too: `refused`.
    template <class Message>
    std::optional<typename Message::Reply> ask(Request& request, bool* refused = nullptr) {
        for (int attempt = 0; attempt < 3; ++attempt) {
            if (chance(12)) {  // lost before it arrived
                pass(pick(20));
                continue;
            }
            const auto reply = site_.post(request.authorization, request.json);
            if (!reply || chance(10)) {  // refused, dead, or the reply was lost
                pass(pick(20));
                continue;
            }
            if (chance(4)) repeat(request, *reply);
            answered_.emplace_back(request, *reply);
            if (answered_.size() > 30) answered_.erase(answered_.begin());
            const proto::Message message = proto::decode(*reply);
            hold(message.header.re && message.header.re->digest == sha256_hex(request.json),
                 "a reply names its request");
            if (message.header.type == "error") {
                if (refused != nullptr) *refused = true;
                return std::nullopt;
            }
            return from_json<typename Message::Reply>(message.body);
        }
        return std::nullopt;
    }

    // An earlier message, sent again.
    void repeat_some();

    // True time goes on; the dispatcher ticks every second, as far as that matters.
    void pass(int seconds);
    void set_clock();    // to a wrong time, or to the right one
    void right_clock();  // without a tick

    Site site_;
    UtcTime true_time_ = parse_utc("2026-11-22T01:37:00Z");
    std::vector<std::string> users_;
    std::vector<Agent> agents_;

  private:
    void repeat(const Request& request, const Bytes& first);
    std::string state();
    void show_clock() { site_.clock.set(true_time_ + offset_); }
    void tick(bool look);
    void see_slots();

    std::mt19937_64 random_;
    std::chrono::milliseconds offset_{0};
    std::map<std::string, std::string> tokens_;
    std::vector<std::pair<Request, Bytes>> answered_;
    std::size_t repeated_ = 0;
};

}  // namespace strongroom::test
