// mydumper's place is taken by shell scripts that do what it does, and what it should not do.
#include "agent/source/mydumper_process.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <thread>

#include "common/base/file.hpp"
#include "tests/integration/agent/registered_host.hpp"
#include "tests/support/error_of.hpp"

namespace strongroom::agent {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::error_of;

struct Scripted {
    MydumperProcess::Options options(const std::string& script) const {
        MydumperProcess::Options out;
        out.argv = {"sh", "-c", "cd " + folder.path().string() + "\n" + script};
        out.folder = folder.path();
        out.memory = memory;
        out.stall = stall;
        return out;
    }
    std::int64_t bytes_there() const {
        std::int64_t sum = 0;
        std::error_code gone;  // it may rename one meanwhile
        for (const auto& entry : fs::directory_iterator(folder.path()))
            if (const auto size = entry.file_size(gone); !gone) sum += static_cast<std::int64_t>(size);
        return sum;
    }
    // Names and contents in the order in which they came.
    std::vector<std::pair<std::string, std::string>> all_of(MydumperProcess& process,
                                                            std::chrono::milliseconds pause = 0ms) const {
        std::vector<std::pair<std::string, std::string>> out;
        while (const auto file = process.next()) {
            std::string text(static_cast<std::size_t>(file->size), '\0');
            REQUIRE(::pread(file->fd.get(), text.data(), text.size(), 0) == file->size);
            out.emplace_back(file->name, std::move(text));
            std::this_thread::sleep_for(pause);
            process.release(*file);
        }
        return out;
    }
    void clear() const {
        for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove(entry.path());
    }
    Error failure_of(const std::string& script) const {
        clear();
        return error_of([&] {
            MydumperProcess process(options(script));
            all_of(process);
        });
    }

    TempDir folder;
    std::int64_t memory = 16LL << 20;
    std::chrono::milliseconds stall = 20s;
};

}  // namespace

TEST_CASE("mydumper's files come when they are finished, whatever their names become, metadata last") {
    const Scripted site;
    MydumperProcess process(site.options(
        "echo begun >metadata.partial; echo create >a-schema-create.sql; : >a.empty.sql\n"
        "printf one >a.t.00001.sql; mv a.t.00001.sql a.t.sql; exec 3>a.late.sql; printf 1 >&3\n"
        "sleep 0.2; printf 2 >&3; exec 3>&-; echo more >metadata.partial; mv metadata.partial metadata"));
    const auto files = site.all_of(process);
    std::map<std::string, std::string> by_name(files.begin(), files.end());
    REQUIRE(files.size() == 5);
    CHECK(by_name.at("a-schema-create.sql") == "create\n");
    CHECK(by_name.at("a.empty.sql").empty());
    CHECK(by_name.at("a.late.sql") == "12");
    CHECK((by_name.contains("a.t.sql") ? by_name.at("a.t.sql") : by_name.at("a.t.00001.sql")) == "one");
    CHECK(files.back() == std::pair<std::string, std::string>("metadata", "more\n"));
    CHECK(site.bytes_there() == 0);
}

TEST_CASE("mydumper is held while too much of its files waits") {
    Scripted site;
    site.memory = 4LL << 20;
    const std::string write = "head -c 1048576 /dev/zero >a.t.0000$i.sql";
    MydumperProcess process(site.options("for i in 1 2 3 4 5 6 7 8 9; do " + write + "; done\n" +
                                         "for i in 01 02 03 04 05 06 07 08 09; do " + write +
                                         "; done; echo all >metadata"));
    std::this_thread::sleep_for(1s);
    const auto waiting = site.bytes_there();
    CHECK(waiting > site.memory);              // the limit was reached,
    CHECK(waiting < site.memory + (8 << 20));  // and it stopped soon
    std::this_thread::sleep_for(500ms);
    CHECK(site.bytes_there() == waiting);
    std::int64_t sum = 0;
    for (const auto& [name, text] : site.all_of(process, 10ms)) sum += std::ssize(text);
    CHECK(sum == (18LL << 20) + 4);

    // What is longer than the memory comes, too; and a held one ends at once.
    site.clear();
    MydumperProcess large(
        site.options("echo x >a.s.sql; head -c 12000000 /dev/zero >a.t.sql; echo all >metadata"));
    CHECK(site.all_of(large, 50ms).size() == 3);
    site.clear();
    const auto begun = std::chrono::steady_clock::now();
    {
        MydumperProcess held(
            site.options("head -c 6000000 /dev/zero >a.t.sql; sleep 0.3; echo $$ >a.pid.sql; sleep 60"));
        std::this_thread::sleep_for(1s);
        CHECK_FALSE(fs::exists(site.folder.path() / "a.pid.sql"));
        held.abort();
        CHECK(error_of([&] { held.next(); }).kind() == ErrorKind::interrupted);
    }
    CHECK(std::chrono::steady_clock::now() - begun < 5s);
}

TEST_CASE("only mydumper's success counts, and nothing that it writes is lost") {
    Scripted site;
    auto error = site.failure_of(
        "echo x >a.t.sql; echo '** (mydumper:1): CRITICAL **: 06:42:35.343: no lock' >&2\n"
        "echo '** (mydumper:1): CRITICAL **: 06:42:36.000: and more' >&2; exit 1");
    CHECK(error.kind() == ErrorKind::source);
    CHECK(error.text().find("exit code 1; it said: no lock") != std::string::npos);
    error = site.failure_of("kill -9 $$");
    CHECK(error.text().find("signal 9") != std::string::npos);

    // It goes on with a file that it has closed: before that was read, and after.
    error =
        site.failure_of("echo one >a.t.sql; sleep 0.5; echo two >>a.t.sql; sleep 0.1; echo all >metadata");
    CHECK(error.kind() == ErrorKind::source);
    CHECK(error.text().find("a.t.sql after it had closed it") != std::string::npos);

    site.stall = 400ms;
    error = site.failure_of("echo x >b.t.sql; sleep 30");
    CHECK(error.kind() == ErrorKind::timeout);
    CHECK(error.text().find("wrote nothing") != std::string::npos);
    error = error_of([&] {
        auto options = site.options("");
        options.argv = {"/nowhere/mydumper"};
        MydumperProcess missing(options);
        missing.next();
    });
    CHECK(error.text().find("mydumper") != std::string::npos);
}

TEST_CASE("a mydumper that waits for itself is told from one that waits for the database") {
    const Scripted site;
    int asked = 0;
    auto options = site.options("echo x >a-schema-create.sql; sleep 0.5; echo y >a.t.sql; sleep 30");
    options.quiet = 200ms;
    options.asks_something = [&] { return ++asked < 3; };
    MydumperProcess process(options);
    const auto begun = std::chrono::steady_clock::now();
    const auto error = error_of([&] { site.all_of(process); });
    CHECK(error.kind() == ErrorKind::source);
    CHECK(error.text().find("mydumper hangs") != std::string::npos);
    CHECK(asked >= 4);
    const auto took = std::chrono::steady_clock::now() - begun;
    CHECK(took > 800ms);  // it went on after the first looks
    CHECK(took < 10s);
}

TEST_CASE("a mydumper whose agent is killed ends, also one that is held") {
    Scripted site;
    site.memory = 1LL << 20;
    const auto pid_file = site.folder.path() / "pid";
    REQUIRE(test::killed_in_child([&] {
        const MydumperProcess process(
            site.options("echo $$ >pid; head -c 6000000 /dev/zero >a.t.sql; sleep 60"));
        std::this_thread::sleep_for(700ms);
        ::raise(SIGKILL);
    }));
    const auto pid = static_cast<pid_t>(std::stol(read_file(pid_file, 100)));
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (::kill(pid, 0) == 0 && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(20ms);
    CHECK(::kill(pid, 0) != 0);
}

}  // namespace strongroom::agent
