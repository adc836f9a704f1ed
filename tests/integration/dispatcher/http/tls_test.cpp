// TLS of the real program: what it speaks, what it refuses, new certificates without a restart, and peers
// that check whom they talk to.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "common/base/error.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using strongroom::test::DispatcherProcess;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

namespace fs = std::filesystem;

RunResult openssl(std::vector<std::string> arguments, BytesView input = {}) {
    SpawnOptions options;
    options.argv = {"openssl"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return run_program(options, input, 30s);
}

// An authority and a certificate of it for 127.0.0.1, or for another name.
class Pki {
  public:
    explicit Pki(const std::string& name = "IP:127.0.0.1") {
        REQUIRE(openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                         "-keyout", (folder.path() / "ca.key").string(), "-out", authority(), "-subj",
                         "/CN=Test authority", "-days", "2"})
                    .status.ok());
        issue("one", name);
    }
    // Writes chain.pem and key.pem anew.
    void issue(const std::string& common_name, const std::string& name = "IP:127.0.0.1") {
        const std::string request = (folder.path() / "r.csr").string();
        const fs::path extensions = folder.path() / "ext";
        write_file_atomic(extensions, "subjectAltName=" + name + "\n");
        REQUIRE(openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                         key(), "-out", request, "-subj", "/CN=" + common_name})
                    .status.ok());
        REQUIRE(openssl({"x509", "-req", "-in", request, "-CA", authority(), "-CAkey",
                         (folder.path() / "ca.key").string(), "-CAcreateserial", "-days", "2", "-extfile",
                         extensions.string(), "-out", chain()})
                    .status.ok());
        ::chmod(key().c_str(), 0600);
    }
    std::string authority() const { return (folder.path() / "ca.pem").string(); }
    std::string chain() const { return (folder.path() / "chain.pem").string(); }
    std::string key() const { return (folder.path() / "key.pem").string(); }
    std::vector<std::string> options() const { return {"--tls-certificate", chain(), "--tls-key", key()}; }
    TempDir folder;
};

// What s_client says: its exit status is 0 only after a handshake.
RunResult handshake(const DispatcherProcess& dispatcher, const Pki& pki, std::vector<std::string> more) {
    std::vector<std::string> arguments{"s_client",   "-connect",      dispatcher.address,
                                       "-CAfile",    pki.authority(), "-verify_return_error",
                                       "-verify_ip", "127.0.0.1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return openssl(arguments, "GET /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

net::HttpAnswer get(const std::string& url) {
    net::HttpRequest request;
    request.method = "GET";
    request.url = url;
    request.limit = 10s;
    return net::http(request);
}

std::string https(const DispatcherProcess& dispatcher, const std::string& host = "127.0.0.1") {
    return "https://" + host + dispatcher.address.substr(dispatcher.address.rfind(':')) + "/v1/x";
}

bool has_event(const DispatcherProcess& dispatcher, const std::string& event) {
    for (int i = 0; i < 100; ++i, std::this_thread::sleep_for(50ms))
        if (dispatcher.log().find(event) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("TLS 1.3, and 1.2 with forward secrecy and authenticated encryption, nothing else") {
    const Pki pki;
    DispatcherProcess dispatcher(pki.options());
    CHECK(handshake(dispatcher, pki, {"-tls1_3"}).status.ok());
    for (const char* cipher : {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
        const auto good = handshake(dispatcher, pki, {"-tls1_2", "-cipher", cipher});
        INFO(good.err);
        CHECK(good.status.ok());
        CHECK(good.out.find(cipher) != std::string::npos);
    }
    // Level 0, so that openssl itself would go along.
    const std::string weak = "ALL:@SECLEVEL=0";
    for (const char* version : {"-tls1", "-tls1_1"}) {
        const auto refused = handshake(dispatcher, pki, {version, "-cipher", weak});
        INFO(version << " " << refused.err);
        CHECK_FALSE(refused.status.ok());
        CHECK(refused.err.find("alert protocol version") != std::string::npos);  // said by the server
    }
    for (const char* cipher :
         {"ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM", "aNULL", "kRSA"}) {
        const auto refused =
            handshake(dispatcher, pki, {"-tls1_2", "-cipher", std::string(cipher) + ":@SECLEVEL=0"});
        INFO(cipher << " " << refused.err);
        CHECK_FALSE(refused.status.ok());
        CHECK(refused.err.find("alert handshake failure") != std::string::npos);
    }
    // Plain HTTP gets nothing out of a TLS port.
    test::RawConnection plain(dispatcher.address);
    plain.send("GET /v1/wait?seconds=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(plain.read_all(15s).find("HTTP/1.1") == std::string::npos);
}

TEST_CASE("TLS: a new certificate is taken on SIGHUP, a broken one keeps the old") {
    Pki pki;
    DispatcherProcess dispatcher(pki.options());
    const auto subject = [&] { return handshake(dispatcher, pki, {}).out; };
    CHECK_THAT(subject(), Contains("CN = one"));
    pki.issue("two");
    CHECK_THAT(subject(), Contains("CN = one"));  // not before it is told
    ::kill(dispatcher.pid(), SIGHUP);
    CHECK(has_event(dispatcher, "DISPATCHER_TLS_RELOADED"));
    CHECK_THAT(subject(), Contains("CN = two"));

    const Bytes good_key = read_file(pki.key(), 10'000);
    const auto kept_after = [&](const char* what) {
        INFO(what);
        std::size_t before = 0;
        const auto count = [&] {
            std::size_t out = 0;
            const std::string log = dispatcher.log();
            for (std::size_t at = 0; (at = log.find("DISPATCHER_TLS_KEPT", at)) != std::string::npos; ++at)
                ++out;
            return out;
        };
        before = count();
        ::kill(dispatcher.pid(), SIGHUP);
        for (int i = 0; i < 100 && count() == before; ++i) std::this_thread::sleep_for(50ms);
        CHECK(count() == before + 1);
        CHECK_THAT(subject(), Contains("CN = two"));
    };
    write_file_atomic(pki.chain(), "this is no certificate\n");
    kept_after("no certificate");
    fs::remove(pki.chain());
    kept_after("no file");
    pki.issue("three");
    write_file_atomic(pki.key(), good_key);
    kept_after("the key of another certificate");
    pki.issue("four");
    ::chmod(pki.key().c_str(), 0644);
    kept_after("a key that others can read");
    ::chmod(pki.key().c_str(), 0600);
    ::kill(dispatcher.pid(), SIGHUP);
    for (int i = 0; i < 100 && subject().find("CN = four") == std::string::npos; ++i)
        std::this_thread::sleep_for(50ms);
    CHECK_THAT(subject(), Contains("CN = four"));
}

TEST_CASE("TLS: a dispatcher without it takes SIGHUP for nothing, and stays on loopback unless it is told") {
    DispatcherProcess dispatcher;
    ::kill(dispatcher.pid(), SIGHUP);
    std::this_thread::sleep_for(200ms);
    CHECK(dispatcher.admin("/healthz").status == 200);
    dispatcher.stop(10s);
    const Pki pki;
    const auto serve = [&](std::vector<std::string> more) {
        std::vector<std::string> arguments{"serve", "--listen", "0.0.0.0:0", "--admin-listen", "127.0.0.1:0"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return dispatcher.command(arguments);
    };
    const auto refused = serve({});
    CHECK(refused.status.code == exit_code(ErrorKind::refused));
    CHECK_THAT(refused.err, Contains("without TLS") && Contains("--behind-tls-proxy"));
    CHECK(serve({"--behind-tls-proxy", "false"}).status.code == exit_code(ErrorKind::refused));
    CHECK(serve({"--tls-certificate", pki.chain()}).status.code == exit_code(ErrorKind::usage));
    CHECK(serve({"--tls-certificate", pki.key(), "--tls-key", pki.key()}).status.code ==
          exit_code(ErrorKind::config));
    ::chmod(pki.key().c_str(), 0640);
    CHECK(serve({"--tls-certificate", pki.chain(), "--tls-key", pki.key()}).status.code ==
          exit_code(ErrorKind::insecure_file));
    // The option is for the main address alone; metrics stay with this host.
    CHECK(dispatcher
              .command({"serve", "--listen", "127.0.0.1:0", "--admin-listen", "0.0.0.0:0",
                        "--behind-tls-proxy", "true"})
              .status.code == exit_code(ErrorKind::refused));
    dispatcher.start({"--listen", "0.0.0.0:0", "--behind-tls-proxy", "true"});
    CHECK(dispatcher.address.starts_with("0.0.0.0:"));
}

TEST_CASE("TLS: agents and users check the certificate and the name in it") {
    const Pki pki;
    const Pki other;
    const Pki wrong_name("DNS:elsewhere.test");
    {
        DispatcherProcess dispatcher(pki.options());
        CHECK_THROWS_WITH(get(https(dispatcher)),
                          Contains("cannot talk to"));  // the system knows no such authority
        net::trust_authorities(other.authority());
        CHECK_THROWS_WITH(get(https(dispatcher)), Contains("cannot talk to"));
        net::trust_authorities(pki.authority());
        CHECK(get(https(dispatcher)).status == 404);
        CHECK_THROWS_WITH(get(https(dispatcher, "localhost")), Contains("cannot talk to"));  // not in it
    }
    {
        DispatcherProcess dispatcher(wrong_name.options());
        net::trust_authorities(wrong_name.authority());
        CHECK_THROWS_WITH(get(https(dispatcher)), Contains("cannot talk to"));
    }
    CHECK_THROWS_WITH(net::trust_authorities("/nowhere/ca.pem"), Contains("/nowhere/ca.pem"));
    net::trust_authorities("");
}

TEST_CASE("TLS: the programs take --ca-file, and refuse a dispatcher that it does not vouch for") {
    const Pki pki;
    const Pki other;
    DispatcherProcess dispatcher(pki.options());
    const auto run = [&](const std::string& program, const Pki& authorities) {
        const TempDir folder;
        const fs::path token = folder.path() / "token";
        write_file_atomic(token, std::string(64, 'a') + "\n");
        const fs::path key = folder.path() / "key.asc";
        gpg::TempHome home;
        const auto fingerprint = gpg::generate_key(home.home(), "u@test.invalid", "ed25519");
        write_file_atomic(key, gpg::export_public(home.home(), fingerprint));
        const std::string url = "https://" + dispatcher.address;
        SpawnOptions options;
        options.argv = {STRONGROOM_BIN_DIR "/" + program, "--ca-file", authorities.authority()};
        if (program == "strongroom")
            options.argv.insert(options.argv.end(),
                                {"--dispatcher", url, "--gpg-home", home.home().path().string(),
                                 "--token-file", token.string(), "server", "list"});
        else
            options.argv.insert(
                options.argv.end(),
                {"--state-dir", (folder.path() / "s").string(), "register", "--dispatcher", url, "--code",
                 "AAAAA-AAAAA-AAAAA-AAAAA", "--recovery-key", key.string(), "--key-type", "ed25519"});
        return run_program(options, {}, 60s);
    };
    for (const char* program : {"strongroom", "strongroom-agent"}) {
        INFO(program);
        const auto trusted = run(program, pki);
        INFO(trusted.err);
        CHECK(trusted.status.code == exit_code(ErrorKind::unauthenticated));  // TLS is good, the token is not
        const auto refused = run(program, other);
        INFO(refused.err);
        CHECK(refused.status.code == exit_code(ErrorKind::network));
    }
}
