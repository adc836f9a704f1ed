#include "common/base/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "common/base/error.hpp"

using namespace strongroom;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a file is written complete or not at all") {
    const TempDir dir;
    const auto path = dir.path() / "state";
    write_file_atomic(path, "one");
    write_file_atomic(path, "two");
    CHECK(read_file(path, 100) == "two");
    CHECK(entries(dir.path()) == 1);
    CHECK((fs::status(path).permissions() & fs::perms(077)) == fs::perms::none);

    // The target cannot be replaced: a folder stands there. Nothing is left behind.
    fs::create_directory(dir.path() / "folder");
    fs::create_directory(dir.path() / "folder" / "x");
    CHECK_THROWS_AS(write_file_atomic(dir.path() / "folder", "three"), Error);
    CHECK(entries(dir.path()) == 2);
}

TEST_CASE("reading is bounded and only of regular files") {
    const TempDir dir;
    write_file_atomic(dir.path() / "f", "12345");
    CHECK(read_file(dir.path() / "f", 5) == "12345");
    CHECK_THROWS_WITH(read_file(dir.path() / "f", 4), Contains("longer than the limit"));
    CHECK_THROWS_WITH(read_file(dir.path() / "none", 5), Contains("No such file"));
    REQUIRE(::mkfifo((dir.path() / "fifo").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(read_file(dir.path() / "fifo", 5), Contains("not a regular file"));
}

TEST_CASE("a secret file that others can read is refused, with the command that mends it") {
    const TempDir dir;
    const auto path = dir.path() / "token";
    write_file_atomic(path, "x");
    CHECK_NOTHROW(require_private_file(path));
    for (const unsigned mode : {0640U, 0604U, 0620U, 0602U}) {
        ::chmod(path.c_str(), mode);
        try {
            require_private_file(path);
            FAIL_CHECK("accepted");
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::insecure_file);
            CHECK_THAT(error.hint(), Contains("chmod 0600"));
        }
    }
}

TEST_CASE("a private folder that others can enter is refused") {
    const TempDir dir;
    make_private_dir(dir.path() / "a" / "b");
    CHECK((fs::status(dir.path() / "a" / "b").permissions() & fs::perms(077)) == fs::perms::none);
    ::chmod((dir.path() / "a" / "b").c_str(), 0755);
    CHECK_THROWS_AS(make_private_dir(dir.path() / "a" / "b"), Error);
    fs::create_symlink(dir.path() / "a", dir.path() / "link");
    CHECK_THROWS_AS(make_private_dir(dir.path() / "link"), Error);
}
