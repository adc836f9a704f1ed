// Signed statements (PROTOCOL.md section 6): what opens, and everything near it that does not.
#include "proto/statement.hpp"

#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using Catch::Matchers::Contains;

namespace {

const std::filesystem::path statement_vectors =
    std::filesystem::path(STRONGROOM_SOURCE_DIR) / "tests/vectors";

struct Promise {
    static constexpr const char* format = "strongroom-test-promise";
    static constexpr std::int64_t version = 1;
    static constexpr std::size_t max_json = 2000;
    std::string text;
    template <class Fields>
    void fields(Fields& f) {
        f("text", text, Text{3000});
    }
};

struct OtherPromise : Promise {
    static constexpr const char* format = "strongroom-other-promise";
};
struct NewerPromise : Promise {
    static constexpr std::int64_t version = 2;
};

// One signer, and a reader who holds the signer's public key in a home of its own.
struct Parties {
    Parties() {
        gpg::initialise();
        signer = gpg::import_secret_key(own.home(), Secret(secret_key("dispatcher")));
        gpg::import_public_key(reader.home(), gpg::export_public(own.home(), signer));
        stranger = gpg::import_secret_key(own.home(), Secret(secret_key("agent")));
    }
    static Bytes secret_key(const std::string& name) {
        return read_file(statement_vectors / "keys" / (name + ".secret.asc"), 65536);
    }
    Promise open(const Bytes& statement) const {
        return proto::open_statement<Promise>(statement, {reader.home(), signer});
    }
    Error refused(const Bytes& statement) const {
        return test::error_of([&] { open(statement); });
    }
    Bytes signed_text(const std::string& json) const { return gpg::sign(own.home(), signer, json); }
    // What gpg makes of it with these options, in the home that has both secret keys.
    Bytes by_gpg(const std::vector<std::string>& options, const Bytes& json) const {
        std::vector<std::string> argv{gpg::engine_path().string(), "--batch", "--quiet", "--homedir",
                                      own.home().path().string()};
        argv.insert(argv.end(), options.begin(), options.end());
        const auto result = run_program({.argv = argv, .fds = {}, .environment = {}, .directory = {}}, json,
                                        std::chrono::seconds(60), 1U << 20U);
        REQUIRE(result.status.ok());
        return result.out;
    }
    gpg::TempHome own, reader;
    std::string signer, stranger;
};

constexpr const char* json = R"({"format":"strongroom-test-promise","text":"hello","version":1})";

}  // namespace

TEST_CASE("a statement opens with its signer's public key, and is what stock gpg makes") {
    const Parties parties;
    Promise promise;
    promise.text = "hello";
    const Bytes statement = proto::sign_statement(parties.own.home(), parties.signer, promise);
    CHECK(parties.open(statement).text == "hello");
    CHECK(gpg::read_unverified(statement, 2000) == std::string(json) + "\n");
    CHECK(parties.open(parties.by_gpg({"-z", "0", "--local-user", parties.signer, "--sign"}, json)).text ==
          "hello");
}

TEST_CASE("a statement of another signer or shape is refused") {
    const Parties parties;
    const Bytes good = parties.signed_text(json);
    const auto refuse = [&](const char* what, const Bytes& statement, const char* text) {
        CAPTURE(what);
        const Error error = parties.refused(statement);
        CHECK(name(error.kind()) == "unauthenticated");
        CHECK_THAT(error.text(), Contains(text));
    };
    refuse("another key", gpg::sign(parties.own.home(), parties.stranger, json), "signed by another key");
    refuse("two signatures",
           parties.by_gpg(
               {"-z", "0", "--local-user", parties.signer, "--local-user", parties.stranger, "--sign"}, json),
           "more than one signature");
    refuse("compressed",
           parties.by_gpg({"--compress-algo", "zip", "--local-user", parties.signer, "--sign"}, json),
           "compressed");
    refuse("unsigned", parties.by_gpg({"-z", "0", "--store"}, json), "not signed");
    refuse("plain JSON", json, "not a binary OpenPGP message");
    refuse("armored", parties.by_gpg({"-z", "0", "--armor", "--local-user", parties.signer, "--sign"}, json),
           "not a binary OpenPGP message");
    refuse("trailing bytes", good + "\n", "");
    refuse("two of them", good + good, "more than one signature");
    refuse("cut", good.substr(0, good.size() - 1), "");
    refuse("nothing", {}, "not signed");
    Bytes changed = good;
    changed[good.find("hello")] = 'j';
    refuse("changed", changed, "signature is not good");
    refuse("too long", parties.signed_text(std::string(3000, ' ')), "size limit");
    refuse("far too long", std::string(100'000, 'x'), "size limit");
}

TEST_CASE("a statement of another kind, version or with other fields is refused") {
    const Parties parties;
    const auto refuse = [&](const std::string& text, const char* why) {
        CAPTURE(text);
        const Error error = parties.refused(parties.signed_text(text));
        CHECK(name(error.kind()) == "protocol");
        CHECK_THAT(error.text(), Contains(why));
    };
    refuse(R"({"format":"strongroom-test-promise","text":"a","version":1,"more":1})", "unknown field");
    refuse(R"({"format":"strongroom-test-promise","version":1})", "\"text\" is missing");
    refuse(R"({"format":"strongroom-test-promise","text":"a","text":"b","version":1})", "appears twice");
    refuse(R"({"format":"strongroom-test-promise","text":"a"})", "\"version\" is missing");
    refuse(R"({"text":"a","version":1})", "\"format\" is missing");
    refuse(R"({"format":7,"text":"a","version":1})", "not text");
    refuse(R"({"format":"strongroom-test-promise","text":"a","version":"1"})", "not an integer");
    refuse(R"({"format":"strongroom-test-promise","text":"a","version":1}{})", "");
    refuse("[]", "");

    Promise promise;
    promise.text = "hello";
    const Bytes statement = proto::sign_statement(parties.own.home(), parties.signer, promise);
    const proto::Party signer{parties.reader.home(), parties.signer};
    CHECK_THROWS_WITH(proto::open_statement<OtherPromise>(statement, signer),
                      Contains("it is a \"strongroom-test-promise\", not a \"strongroom-other-promise\""));
    CHECK_THROWS_WITH(proto::open_statement<NewerPromise>(statement, signer), Contains("has version 1"));

    promise.text = std::string(2500, 'a');
    CHECK_THROWS_WITH(proto::sign_statement(parties.own.home(), parties.signer, promise),
                      Contains("at most 2000"));
}
