// A gpg that never ends, in every operation of GPGME and in signing.
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <sstream>
#include <thread>

#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "tests/fault/common/backupset/flaky_gpg.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

namespace {

struct Peer {
    Peer() {
        gpg::initialise();
        fingerprint = gpg::generate_key(own.home(), "peer <peer@test.invalid>", "ed25519");
        public_key = gpg::export_public(own.home(), fingerprint);
        inner = gpg::sign(own.home(), fingerprint, "hello");
        sealed = gpg::encrypt_signed(own.home(), {fingerprint}, inner);
        signature = gpg::sign_detached(own.home(), fingerprint, "hello");
    }
    ~Peer() { gpg::set_time_limit(5min); }
    gpg::TempHome own;
    std::string fingerprint;
    std::string public_key;
    Bytes inner;
    Bytes sealed;
    Bytes signature;
};

struct Hang {
    const char* what;
    std::string kind;  // in gpg's arguments
    std::function<void()> work;
};

std::vector<Hang> hangs(const Peer& peer) {
    const gpg::Home home = peer.own.home();
    return {
        {"decrypt", "--decrypt", [&peer, home] { gpg::decrypt_signed(home, peer.sealed, 1000); }},
        {"decrypt a secret", "--decrypt", [&peer, home] { gpg::decrypt(home, peer.sealed, 1000); }},
        {"verify", "--output", [&peer, home] { gpg::verify(home, peer.fingerprint, peer.inner, 1000); }},
        {"verify apart", "--verify",
         [&peer, home] { gpg::verify_detached(home, peer.fingerprint, peer.signature, "hello"); }},
        {"encrypt", "--encrypt", [&peer, home] { gpg::encrypt(home, {peer.fingerprint}, "hello"); }},
        {"wrap", "--encrypt", [&peer, home] { gpg::encrypt_signed(home, {peer.fingerprint}, peer.inner); }},
        {"sign", "--sign", [&peer, home] { gpg::sign(home, peer.fingerprint, "hello"); }},
        {"import", "--import", [&peer] { gpg::inspect_public_key(peer.public_key); }},
        {"list", "--list-keys", [home] { gpg::list_keys(home); }},
        {"find", "--list-keys", [&peer, home] { gpg::find_key(home, peer.fingerprint); }},
        {"export", "--export", [&peer, home] { gpg::export_public(home, peer.fingerprint); }},
    };
}

bool lives(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/stat");
    std::string stat;
    std::getline(file, stat);
    const auto end = stat.rfind(") ");
    return end != std::string::npos && stat[end + 2] != 'Z';
}

// The processes that wrote their ids there are gone, or soon are.
void check_gone(const std::filesystem::path& pids, std::size_t count) {
    std::istringstream lines(read_file(pids, 1000));
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    CHECK(all.size() == count);
    for (const auto& pid : all) {
        for (int i = 0; i < 200 && lives(pid); ++i) std::this_thread::sleep_for(20ms);
        CHECK_FALSE(lives(pid));
    }
}

}  // namespace

TEST_CASE("a gpg that hangs holds nobody for ever, and is killed") {
    const Peer peer;
    const TempDir dir;
    const auto pids = dir.path() / "pids";
    // One process that ignores what can be ignored; or two that hold the pipes.
    const std::string one = "echo $$ >" + pids.string() + "; trap '' TERM HUP PIPE INT; exec sleep 1000";
    const std::string two =
        "sleep 1000 & echo $! >" + pids.string() + "; echo $$ >>" + pids.string() + "; wait; sleep 1000";
    test::FlakyGpg gpg;
    gpg::set_time_limit(1500ms);
    for (const auto& hang : hangs(peer)) {
        for (const std::size_t processes : {1U, 2U}) {
            if (processes == 2 && hang.kind == "--sign") continue;  // not GPGME's: one process
            INFO(hang.what << ", " << processes << " process(es)");
            gpg.fail(hang.kind, 1, processes == 1 ? one : two);
            const auto start = Steady::now();
            try {
                hang.work();
                FAIL("it ended well");
            } catch (const Error& error) {
                INFO(error.text());
                CHECK(error.kind() == ErrorKind::timeout);
            }
            CHECK(gpg.was_reached(1));
            CHECK(Steady::now() - start > 1s);
            CHECK(Steady::now() - start < 8s);
            check_gone(pids, processes);
        }
    }
    gpg.behave();
    for (const auto& hang : hangs(peer)) CHECK_NOTHROW(hang.work());
}

TEST_CASE("one operation that hangs does not end the others") {
    const Peer peer;
    test::FlakyGpg gpg;
    gpg::set_time_limit(4s);
    gpg.fail("--output", 1, "exec sleep 1000");
    std::thread hanging([&] {
        try {
            gpg::verify(peer.own.home(), peer.fingerprint, peer.inner, 1000);
        } catch (const Error&) {
            // The other test looks at it.
        }
    });
    for (int i = 0; i < 200 && !gpg.was_reached(1); ++i) std::this_thread::sleep_for(20ms);
    int good = 0;
    int bad = 0;
    for (const auto start = Steady::now(); Steady::now() - start < 7s;) {
        try {
            gpg::decrypt_signed(peer.own.home(), peer.sealed, 1000);
            ++good;
        } catch (const Error&) {
            ++bad;
        }
    }
    hanging.join();
    CHECK(good > 10);
    CHECK(bad == 0);
}
