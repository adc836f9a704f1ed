// Proof of recovery: the dispatcher's challenge, encrypted to the server's decryption subkeys, comes back
// opened by the user, who has nothing but the escrow records (PROTOCOL.md section 4).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/message_parts.hpp"

namespace strongroom::proto {

inline constexpr std::size_t max_challenges = 16;  // subkeys of one proof

// What stands in a challenge, before it is encrypted: exactly these lines. The client answers nothing else,
// so that a dispatcher cannot have a set's envelope opened under the name of a challenge.
struct ChallengeText {
    std::string server;
    std::string subkey;
    std::string user;
    std::string challenge;  // UUID
    std::string nonce;      // 64 hexadecimal digits
    std::string text() const {
        return "strongroom proof of recovery\nserver " + server + "\nsubkey " + subkey + "\nuser " + user +
               "\nchallenge " + challenge + "\nnonce " + nonce + "\n";
    }
};

struct EscrowChallenge {
    static constexpr const char* type = "escrow.challenge";
    std::string server;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
    }
    struct Item {
        std::string subkey;
        std::string message;  // base64 of the OpenPGP message that holds ChallengeText
        std::string sha256;   // of the escrow record that the dispatcher holds for this subkey
        template <class Fields>
        void fields(Fields& f) {
            f("subkey", subkey, fingerprint_text);
            f("message", message, Text{8192});
            f("sha256", sha256, sha256_text);
        }
    };
    struct Reply {
        std::string challenge;
        std::int64_t expires = 0;
        std::vector<Item> items;
        template <class Fields>
        void fields(Fields& f) {
            f("challenge", challenge, uuid_text);
            f("expires", expires, any_time);
            f("items", items, Many<Nested>{max_challenges, {}});
        }
    };
};

struct EscrowProve {
    static constexpr const char* type = "escrow.prove";
    struct Answer {
        std::string subkey;
        std::string sha256;  // of the escrow record whose key opened the challenge
        std::string answer;  // SHA-256 of the challenge's text
        template <class Fields>
        void fields(Fields& f) {
            f("subkey", subkey, fingerprint_text);
            f("sha256", sha256, sha256_text);
            f("answer", answer, sha256_text);
        }
    };
    std::string server;
    std::string challenge;
    std::vector<Answer> answers;
    template <class Fields>
    void fields(Fields& f) {
        f("server", server, uuid_text);
        f("challenge", challenge, uuid_text);
        f("answers", answers, Many<Nested>{max_challenges, {}});
    }
    struct Reply {
        std::int64_t proven = 0;
        template <class Fields>
        void fields(Fields& f) {
            f("proven", proven, any_time);
        }
    };
};

}  // namespace strongroom::proto
