#include "dispatcher/auth/kept_reply.hpp"

#include <catch2/catch.hpp>

#include "common/base/error.hpp"

using namespace strongroom;
using strongroom::dispatcher::ReplyKey;

TEST_CASE("a kept reply opens with the same credential and the same request only") {
    const ReplyKey key("token");
    const Bytes reply("{\"code\":\"SECRET\"}");
    const Bytes kept = key.encrypt("digest", reply);
    CHECK(kept.find("SECRET") == Bytes::npos);
    CHECK(key.encrypt("digest", reply) != kept);  // a fresh nonce
    CHECK(ReplyKey("token").decrypt("digest", kept) == reply);
    CHECK(key.decrypt("digest", key.encrypt("digest", "")).empty());

    CHECK_THROWS_AS(ReplyKey("token2").decrypt("digest", kept), Error);
    CHECK_THROWS_AS(key.decrypt("other", kept), Error);
    CHECK_THROWS_AS(key.decrypt("digest", kept.substr(0, 20)), Error);
    for (std::size_t at = 0; at < kept.size(); ++at) {
        Bytes changed = kept;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        CHECK_THROWS_AS(key.decrypt("digest", changed), Error);
    }
    CHECK_THROWS_AS(ReplyKey().encrypt("digest", reply), Error);
}
