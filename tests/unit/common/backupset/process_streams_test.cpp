#include "common/backupset/process_streams.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <thread>

#include "common/backupset/file_streams.hpp"
#include "common/base/file.hpp"
#include "tests/support/error_of.hpp"

using namespace strongroom;
using strongroom::test::error_of;
using namespace strongroom::backupset;

namespace {

SpawnOptions shell(const std::string& script) {
    SpawnOptions out;
    out.argv = {"sh", "-c", script};
    return out;
}
ProcessSource::Options shell_source(const std::string& script) {
    return {"the tool", shell(script), std::chrono::seconds(20)};
}
ProcessTarget::Options shell_target(const std::string& script) {
    return {"the consumer", shell(script)};
}
std::string read_whole(Source& source) {
    std::string out(1 << 20, '\0');
    out.resize(source.read(out.data(), out.size()));
    return out;
}
// Says what a real tool would: succeeds only if its last line is right.
class OkSource : public ProcessSource {
    using ProcessSource::ProcessSource;
    Facts check(const Diagnostics& said) override {
        if (said.last_line() != "completed OK!") throw Error(ErrorKind::source, "not completed");
        Facts facts;
        facts.server_version = "10.11";
        return facts;
    }
};

}  // namespace

TEST_CASE("a process source gives the child's output and succeeds only with exit status 0") {
    ProcessSource good(shell_source("printf hello; printf ' world'"));
    CHECK(read_whole(good) == "hello world");
    CHECK(read_whole(good).empty());
    CHECK_NOTHROW(good.finish());

    ProcessSource bad(shell_source("printf hello; echo 'first' >&2; echo 'disk \033[1mfull' >&2; exit 3"));
    CHECK(read_whole(bad) == "hello");
    const Error error = error_of([&] { bad.finish(); });
    CHECK(error.kind() == ErrorKind::source);
    CHECK(error.text() == "the tool failed: exit code 3; it said: disk \\x1b[1mfull");

    ProcessSource killed(shell_source("printf hello; kill -9 $$"));
    CHECK(read_whole(killed) == "hello");
    CHECK(error_of([&] { killed.finish(); }).text().find("signal 9") != std::string::npos);
}

TEST_CASE("a process source asks its tool's own check, too") {
    OkSource good(shell_source("printf x; echo 'completed OK!' >&2"));
    CHECK(read_whole(good) == "x");
    CHECK(good.finish().server_version == "10.11");
    OkSource bad(shell_source("printf x; echo 'oops' >&2"));
    CHECK(read_whole(bad) == "x");
    CHECK(error_of([&] { bad.finish(); }).text() == "not completed");
}

TEST_CASE("a process source bounds what it keeps of standard error and does not block on it") {
    OkSource source(
        shell_source("i=0; while [ $i -lt 30000 ]; do echo line number $i >&2; i=$((i+1)); done; printf x; "
                     "echo 'completed OK!' >&2"));
    CHECK(read_whole(source) == "x");
    CHECK_NOTHROW(source.finish());

    Diagnostics said;
    for (int i = 0; i < 100000; ++i) said.add("line " + std::to_string(i) + "\n");
    CHECK(said.head.size() == Diagnostics::max_head);
    CHECK(said.head.starts_with("line 0\n"));
    CHECK(said.tail.size() == Diagnostics::max_tail);
    CHECK(said.last_line() == "line 99999");
    CHECK(Diagnostics{}.last_line().empty());
}

TEST_CASE("a silent tool is given up after the stall time") {
    auto options = shell_source("printf x; sleep 60");
    options.stall = std::chrono::milliseconds(300);
    ProcessSource source(options);
    const auto start = std::chrono::steady_clock::now();
    CHECK(error_of([&] { read_whole(source); }).kind() == ErrorKind::timeout);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("abort() from another thread unblocks a read, and the set cannot be finished") {
    ProcessSource source(shell_source("sleep 60"));
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        source.abort();
        source.abort();
    });
    const auto start = std::chrono::steady_clock::now();
    const Error error = error_of([&] { read_whole(source); });
    other.join();
    CHECK(error.kind() == ErrorKind::interrupted);
    CHECK(error_of([&] { source.finish(); }).kind() == ErrorKind::interrupted);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("a missing tool is named") {
    auto options = shell_source("");
    options.spawn.argv = {"no-such-dump-tool"};
    const Error error = error_of([&] { ProcessSource source(options); });
    CHECK(error.kind() == ErrorKind::tool_missing);
    CHECK(error.text().find("no-such-dump-tool") != std::string::npos);
}

TEST_CASE("a process target feeds its child and waits for its success") {
    const TempDir dir;
    const std::string out = (dir.path() / "out").string();
    {
        ProcessTarget target(shell_target("cat > '" + out + "'"));
        const std::string block(3 << 20, 'b');
        target.write(block.data(), block.size());
        target.write("end", 3);
        target.commit();
        CHECK(read_file(out, 8 << 20) == block + "end");
    }
    ProcessTarget failing(shell_target("cat > /dev/null; echo 'No space left' >&2; exit 4"));
    failing.write("x", 1);
    CHECK(error_of([&] { failing.commit(); }).text() ==
          "the consumer failed: exit code 4; it said: No space left");
}

TEST_CASE("a consumer that stops reading is an error, not a signal") {
    ProcessTarget target(shell_target("exec <&-; echo 'bad header' >&2; exit 1"));
    const std::string block(4 << 20, 'b');
    const Error error = error_of([&] {
        for (int i = 0; i < 10; ++i) target.write(block.data(), block.size());
    });
    CHECK(error.text() == "the consumer failed: exit code 1; it said: bad header");

    ProcessTarget early(shell_target("head -c 1 > /dev/null"));
    CHECK(error_of([&] {
              for (int i = 0; i < 10; ++i) early.write(block.data(), block.size());
          }).text() == "the consumer ended before it had read everything");
}

TEST_CASE("without commit the consumer never sees an orderly end") {
    const TempDir dir;
    const auto marker = dir.path() / "complete";
    {
        ProcessTarget target(shell_target("cat > /dev/null; touch '" + marker.string() + "'"));
        target.write("half", 4);
    }
    CHECK_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("a descriptor target reports a reader that went away") {
    Pipe pipe = make_pipe();
    FdTarget target(pipe.write.get(), "standard output");
    target.write("abc", 3);
    char got[3];
    CHECK(read_full(pipe.read.get(), got, 3, ErrorKind::internal, "read") == 3);
    CHECK_NOTHROW(target.commit());
    pipe.read.reset();
    const Error error = error_of([&] { target.write("abc", 3); });
    CHECK(error.kind() == ErrorKind::storage);
    CHECK(error.text().find("standard output") != std::string::npos);
}
