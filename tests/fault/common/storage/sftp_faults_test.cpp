// The SFTP store against a real sshd: host keys, logins, folders that may not be written, servers that die.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/storage/open/open_store.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/sftp_server.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using test::error_of;

TEST_CASE("an SFTP server whose host key is unknown or changed is refused, and told apart") {
    test::SftpServer server;
    auto settings = server.settings();
    const auto put = [&] { storage::open_store(server.url("a"), false, settings)->put("k", "x"); };
    CHECK_NOTHROW(put());
    write_file_atomic(server.folder() / "empty", "");
    settings.sftp.known_hosts = server.folder() / "empty";
    const Error unknown = error_of(put);
    CHECK(unknown.kind() == ErrorKind::unauthenticated);
    CHECK(unknown.text().find("is not in") != std::string::npos);
    settings = server.settings();
    server.change_host_key();
    const Error changed = error_of(put);
    CHECK(changed.kind() == ErrorKind::unauthenticated);
    CHECK(changed.text().find("is another than") != std::string::npos);
    CHECK(read_file(server.files() / "a" / "k", 10) == "x");
}

TEST_CASE("SFTP: a key that the server does not know, a server that is away, and one that comes back") {
    test::SftpServer server;
    auto settings = server.settings();
    settings.sftp.key_file = server.folder() / "host_key";  // a key, but no user's
    CHECK(error_of([&] { storage::open_store(server.url("a"), false, settings)->put("k", "x"); }).kind() ==
          ErrorKind::forbidden);
    settings = server.settings();
    const auto store = storage::open_store(server.url("a"), false, settings);
    store->put("k", "x");
    server.stop();
    const auto away = storage::open_store(server.url("a"), false, settings);
    CHECK(error_of([&] { away->put("k", "y"); }).kind() == ErrorKind::network);
    server.start();
    CHECK(store->get("k", 10).view() == "x");
    store->put("k", "y");  // also over a connection that broke meanwhile
    CHECK(store->get("k", 10).view() == "y");
}

TEST_CASE(
    "SFTP: what a killed writer left is not an object, and the former object shows until the new one is "
    "there") {
    test::SftpServer server;
    const auto store = storage::open_store(server.url("a"), false, server.settings());
    const auto folder = server.files() / "a" / "s";
    store->put("s/k", "first");
    // Killed after the former object was moved away.
    std::filesystem::rename(folder / "k", folder / ".former-k");
    CHECK(store->get("s/k", 10).view() == "first");
    CHECK(store->stat("s/k")->size == 5);
    CHECK(store->list("").size() == 1);
    store->put("s/k", "second");
    CHECK(store->get("s/k", 10).view() == "second");
    // Killed before the former object was removed.
    std::ofstream(folder / ".former-k") << "first";
    CHECK(store->get("s/k", 10).view() == "second");
    store->put("s/k", "third");
    CHECK(store->get("s/k", 10).view() == "third");
    // Killed during uploads, long ago and now.
    std::ofstream(folder / ".upload-20200101T000000Z-aabbcc") << "par";
    std::ofstream(folder / ".upload-29990101T000000Z-aabbcc") << "par";
    CHECK(store->list("").size() == 1);
    CHECK(store->remove_unfinished("") == 1);
    CHECK_FALSE(std::filesystem::exists(folder / ".upload-20200101T000000Z-aabbcc"));
    CHECK(std::filesystem::exists(folder / ".upload-29990101T000000Z-aabbcc"));
    store->remove("s/k");
    CHECK_FALSE(store->stat("s/k"));
}
