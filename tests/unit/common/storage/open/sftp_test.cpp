#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/storage/open/open_store.hpp"
#include "common/storage/sftp/sftp_client.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using strongroom::test::error_of;
using namespace strongroom::storage;

TEST_CASE("an SFTP URL is a user, a host and an absolute folder") {
    const auto address = parse_sftp_url("sftp://backup@host.example.org:2222/srv/store_1/");
    CHECK(address.user == "backup");
    CHECK(address.server == "sftp://host.example.org:2222");
    CHECK(address.root == "/srv/store_1");
    CHECK(address.label() == "sftp://backup@host.example.org:2222/srv/store_1");
    CHECK(parse_sftp_url("sftp://u@[::1]:22/x").server == "sftp://[::1]:22");
    for (const char* wrong : {"sftp://host/x", "sftp://u:secret@host/x", "sftp://u@host", "sftp://u@host/",
                              "sftp://u@/x", "sftp://u@host/a/../b", "sftp://u@host/a b",
                              "sftp://u@host/a\"b", "sftp://u@host:0/x", "sftp://u@host:99999/x",
                              "sftp://u@host:2x/x", "sftp://u@host/./a", "sftp://u@host//a", "sftp://"}) {
        INFO(wrong);
        CHECK(error_of([&] { parse_sftp_url(wrong); }).kind() == ErrorKind::config);
    }
}

TEST_CASE("a line of an SFTP list is a file or a folder of ours, or nothing") {
    SftpEntry entry;
    REQUIRE(parse_sftp_line("-rw-------    1 root     root         1234 Nov 22 09:09 object.gpg", entry));
    CHECK(entry.name == "object.gpg");
    CHECK(entry.size == 1234);
    CHECK_FALSE(entry.folder);
    REQUIRE(parse_sftp_line("drwx------ 2 a b 4096 Nov 22  2025 data", entry));
    CHECK(entry.folder);
    for (const char* other :
         {"", "total 8", "lrwxrwxrwx 1 a b 4 Nov 22 2025 link -> /etc", "-rw------- 1 a b x Nov 22 2025 name",
          "-rw------- 1 a b 5 Nov 22 2025 two words", "-rw------- 1 a b 5 Nov 22 2025",
          "prw 1 a b 5 Nov 22 2025 pipe", "-rw------- 1 a b 5 Nov 22 2025 a/b",
          "-rw------- 1 a b -5 Nov 22 2025 name"}) {
        INFO(other);
        CHECK_FALSE(parse_sftp_line(other, entry));
    }
}

TEST_CASE("an SFTP store needs a private key file and known hosts") {
    const TempDir dir;
    const auto open = [&](const SftpSettings& sftp) {
        StoreSettings settings;
        settings.sftp = sftp;
        return error_of([&] { open_store("sftp://u@127.0.0.1/x", false, settings); });
    };
    write_file_atomic(dir.path() / "key", "key");
    write_file_atomic(dir.path() / "open", "key", 0644);
    CHECK(open({}).kind() == ErrorKind::config);
    CHECK(open({.key_file = dir.path() / "key", .known_hosts = {}}).text().find("host key") !=
          std::string::npos);
    CHECK(open({.key_file = dir.path() / "open", .known_hosts = dir.path() / "key"}).kind() ==
          ErrorKind::insecure_file);
    CHECK(open({.key_file = dir.path() / "key", .known_hosts = dir.path() / "none"}).kind() ==
          ErrorKind::config);
}
