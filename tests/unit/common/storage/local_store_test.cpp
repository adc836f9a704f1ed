#include "common/storage/local_store.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/memory_store.hpp"

using namespace strongroom;
using strongroom::test::error_of;
using namespace strongroom::storage;
namespace fs = std::filesystem;

namespace {

std::size_t files_below(const fs::path& path) {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path)) count += entry.is_regular_file() ? 1 : 0;
    return count;
}

unsigned mode_of(const fs::path& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777U;
}

}  // namespace

TEST_CASE("objects and folders of a local store are private") {
    const TempDir dir;
    LocalStore store(dir.path() / "new", true);
    store.put("server/sets/object", "x");
    CHECK(mode_of(dir.path() / "new") == 0700);
    CHECK(mode_of(dir.path() / "new/server/sets") == 0700);
    CHECK(mode_of(dir.path() / "new/server/sets/object") == 0600);
}

TEST_CASE("a put that fails leaves the former object and no temporary file") {
    const TempDir dir;
    LocalStore store(dir.path(), false);
    store.put("a/object", "former");
    // The name is taken by a folder, so the rename at the end fails.
    fs::create_directories(dir.path() / "a/folder/inner");
    const Error error = error_of([&] { store.put("a/folder", "x"); });
    CHECK(error.kind() == ErrorKind::storage);
    CHECK(error.text().find("a/folder") != std::string::npos);
    CHECK(files_below(dir.path()) == 1);
    CHECK(store.get("a/object", 100).view() == "former");
}

TEST_CASE("a write that the system cuts short is an error that names the object and leaves nothing") {
    const TempDir dir;
    LocalStore store(dir.path(), false);
    store.put("a/object", "former");
    // A limit on file sizes fails like a full disk, and needs no file system of its own.
    rlimit former{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &former) == 0);
    const rlimit small{1U << 20U, former.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const Error error = error_of([&] { store.put("a/object", Bytes(3U << 20U, 'x')); });
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &former) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK(error.kind() == ErrorKind::storage);
    CHECK(error.text().find("a/object") != std::string::npos);
    CHECK(error.hint().find("disk") != std::string::npos);
    CHECK(files_below(dir.path()) == 1);
    CHECK(store.get("a/object", 100).view() == "former");
}

TEST_CASE("hidden names, links and special files are not objects") {
    const TempDir dir;
    LocalStore store(dir.path(), false);
    fs::create_directories(dir.path() / "a");
    std::ofstream(dir.path() / "a/.object.123.tmp") << "half written before a crash";
    std::ofstream(dir.path() / "outside") << "secret";
    fs::create_symlink(dir.path() / "outside", dir.path() / "a/link");
    CHECK(store.list("a/").empty());
    CHECK(store.list_folders("").empty());
    CHECK_FALSE(store.stat("a/link"));
    CHECK(error_of([&] { store.get("a/link", 100); }).kind() == ErrorKind::storage);
    REQUIRE(::mkfifo((dir.path() / "a/fifo").c_str(), 0600) == 0);
    CHECK(error_of([&] { store.get("a/fifo", 100); }).kind() == ErrorKind::storage);
}

TEST_CASE("the writable probe tells a store that cannot be written") {
    test::MemoryStore memory;
    test::FaultyStore faulty(memory);
    faulty.fail_put = 1;
    const Error error = error_of([&] { faulty.check_writable("server/"); });
    CHECK(error.kind() == ErrorKind::storage);
    CHECK(error.text().find("memory:") != std::string::npos);
    CHECK_FALSE(error.hint().empty());
    CHECK(memory.objects().empty());
}
