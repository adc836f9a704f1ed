#include "common/base/temporary_owner.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "common/base/file.hpp"
#include "common/base/unique_fd.hpp"

using namespace strongroom;
namespace fs = std::filesystem;

TEST_CASE("what nobody holds is removed, what somebody holds stays, links are not followed") {
    const TempDir dir;
    const auto make = [&](const char* name) {
        fs::create_directories(dir.path() / name / "below");
        write_file_atomic(dir.path() / name / "below" / "file", "x");
        return dir.path() / name;
    };
    const auto left = make("left");
    const auto held = make("held");
    const UniqueFd fd(::open(held.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(hold_temporary(fd.get()));
    CHECK_FALSE(remove_if_abandoned(held));
    CHECK(fs::exists(held / "below" / "file"));
    bool told = false;
    CHECK(remove_if_abandoned(left, [&] { told = true; }));
    CHECK(told);
    CHECK_FALSE(fs::exists(left));
    CHECK_FALSE(remove_if_abandoned(left));

    const auto other = make("other");
    fs::create_directory_symlink(other, dir.path() / "link");
    CHECK_FALSE(remove_if_abandoned(dir.path() / "link"));
    CHECK(fs::exists(other / "below" / "file"));
    ::mkfifo((dir.path() / "pipe").c_str(), 0600);
    CHECK_FALSE(remove_if_abandoned(dir.path() / "pipe"));
}

TEST_CASE("what a sweep takes in the moment of its making is not taken for held") {
    const TempDir dir;
    const auto folder = dir.path() / "folder";
    fs::create_directory(folder);
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(remove_if_abandoned(folder));
    CHECK_FALSE(hold_temporary(fd.get()));
    const UniqueFd file(::open((dir.path() / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(remove_if_abandoned(dir.path() / "file"));
    CHECK_FALSE(hold_temporary(file.get()));
}

TEST_CASE("the kernel lets go of what a killed process held") {
    const TempDir dir;
    const auto path = dir.path() / "file";
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const char answer = hold_temporary(fd) ? 'y' : 'n';
        if (::write(ready[1], &answer, 1) == 1) ::pause();
        ::_exit(1);
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    CHECK_FALSE(remove_if_abandoned(path));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(remove_if_abandoned(path));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("a new file takes away what a killed writer left of it, and nothing else") {
    const TempDir dir;
    const auto path = dir.path() / "out.sql";
    const auto files = [&] {
        return std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator());
    };
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const NewFile file(path);
        if (::write(ready[1], "y", 1) == 1) ::pause();
        ::_exit(1);
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    write_file_atomic(dir.path() / ".other.sql.0123456789ab.tmp", "of another file");
    {
        const NewFile file(path);
        CHECK(files() == 3);  // the child lives
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(files() == 2);
    {
        NewFile file(path);
        file.commit();
    }
    CHECK(files() == 2);
    CHECK(fs::exists(path));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("only names of temporary files are swept") {
    const TempDir dir;
    fs::create_directories(dir.path() / "a" / "b");
    for (const char* name : {".object.0123456789ab.tmp", "a/b/.000000.gpg.ffffffffffff.tmp"})
        write_file_atomic(dir.path() / name, "left");
    for (const char* name : {"object.0123456789ab.tmp", ".object.0123456789aB.tmp", ".object.0123456789.tmp",
                             ".0123456789ab.tmp", ".object.0123456789ab.tmp.gpg", ".hidden", "a/b/file"})
        write_file_atomic(dir.path() / name, "kept");
    CHECK(remove_abandoned_temporaries(dir.path()) == 2);
    CHECK(remove_abandoned_temporaries(dir.path()) == 0);
    std::size_t kept = 0;
    for (const auto& entry : fs::recursive_directory_iterator(dir.path()))
        if (entry.is_regular_file()) ++kept;
    CHECK(kept == 7);
    CHECK(remove_abandoned_temporaries(dir.path() / "nowhere") == 0);
}
