#include "common/storage/open/open_store.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using strongroom::test::error_of;
using namespace strongroom::storage;

TEST_CASE("a store URL is a scheme this program knows and an absolute path") {
    const TempDir dir;
    const std::string url = "file://" + dir.path().string();
    CHECK(open_store(url, false)->label() == url);
    CHECK(open_store(url + "/", false)->label() == url);
    CHECK(open_store(url + "/new", true)->label() == url + "/new");
    const Error missing = error_of([&] { open_store(url + "/none", false); });
    CHECK(missing.kind() == ErrorKind::not_found);
    CHECK(missing.text().find("/none") != std::string::npos);
    CHECK_FALSE(missing.hint().empty());
    for (const char* wrong : {"", "/srv/backups", "file://srv/backups", "file:/srv", "ftp://host/x",
                              "file://", "file:///srv/../etc"}) {
        INFO(wrong);
        CHECK(error_of([&] { open_store(wrong, false); }).kind() == ErrorKind::config);
    }
    std::ofstream(dir.path() / "file") << "x";
    CHECK(error_of([&] { open_store(url + "/file", true); }).kind() == ErrorKind::storage);
}
