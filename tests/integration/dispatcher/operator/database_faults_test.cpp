// What goes wrong under the dispatcher's database, with real causes: a clear error, /readyz fails, nothing
// that was acknowledged is lost, and it recovers by itself when the cause is gone.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <thread>

#include "common/base/error.hpp"
#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

using namespace strongroom;
using namespace std::chrono_literals;
using strongroom::test::DispatcherProcess;

namespace {

void expect(const RunResult& result, ErrorKind kind, const std::string& part) {
    INFO(result.err);
    CHECK(result.status.code == exit_code(kind));
    CHECK(result.err.find(part) != std::string::npos);
}

const std::vector<std::string> serve_command{"serve", "--listen", "127.0.0.1:0", "--admin-listen",
                                             "127.0.0.1:0"};

// A small file system of its own. `mounted` is false where this user may not mount.
struct SmallDisk {
    TempDir folder;
    bool mounted = false;
    explicit SmallDisk(const char* options) {
        mounted = ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, options) == 0;
        if (!mounted) WARN("mounting a tmpfs is not allowed here; this case was not tried");
    }
    ~SmallDisk() {
        if (mounted) ::umount2(folder.path().c_str(), MNT_DETACH);
    }
};

// One connection that another process holds.
struct Shell {
    sqlite3* database = nullptr;
    explicit Shell(const std::filesystem::path& path) {
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
        sqlite3_busy_timeout(database, 5000);
    }
    ~Shell() { sqlite3_close(database); }
    void run(const char* sql) {
        INFO(sql);
        REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    }
};

// A dispatcher with a user and a server, and what was acknowledged to them.
struct Room {
    explicit Room(std::filesystem::path state = {}) : dispatcher(std::move(state)) {
        alice = dispatcher.add_user("alice");
        agent = dispatcher.register_agent(*alice);
        order();
    }
    void order() {
        acknowledged.push_back(alice->exchange->ask(proto::JobCreate{agent->server, "backup"}).job);
    }
    bool refused() {
        try {
            order();
        } catch (const Error&) {
            return true;
        }
        return false;
    }
    bool becomes_ready(std::chrono::seconds limit) const {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (std::chrono::steady_clock::now() < end) {
            if (dispatcher.admin("/readyz").status == 200) return true;
            std::this_thread::sleep_for(200ms);
        }
        return false;
    }
    // It fails with this text, then works again after `repair`, and lost nothing.
    void fails_and_recovers(const std::string& text, const std::function<void()>& repair) {
        CHECK(refused());
        const auto answer = dispatcher.admin("/readyz");
        CHECK(answer.status == 503);
        INFO(answer.body);
        CHECK(answer.body.find(text) != std::string::npos);
        CHECK(dispatcher.admin("/healthz").status == 200);  // it lives: no reason to restart it
        CHECK(dispatcher.metric("strongroom_dispatcher_ready") == 0);
        CHECK(dispatcher.metric("strongroom_dispatcher_jobs{state=\"queued\"}") >=
              1);  // and /metrics answers
        repair();
        CHECK(becomes_ready(15s));
        CHECK(dispatcher.metric("strongroom_dispatcher_ready") == 1);
        order();
        keeps_all();
        CHECK(dispatcher.log().find("DISPATCHER_STORE_FAILED") != std::string::npos);
        CHECK(dispatcher.log().find("DISPATCHER_STORE_BACK") != std::string::npos);
    }
    void keeps_all() {
        const auto jobs = alice->exchange->ask(proto::JobList{agent->server, 1000}).jobs;
        for (const auto& id : acknowledged)
            CHECK(std::any_of(jobs.begin(), jobs.end(), [&](const auto& job) { return job.id == id; }));
    }
    std::filesystem::path database() const { return dispatcher.state() / "dispatcher.sqlite"; }

    DispatcherProcess dispatcher;
    std::unique_ptr<DispatcherProcess::Peer> alice;
    std::unique_ptr<DispatcherProcess::Peer> agent;
    std::vector<std::string> acknowledged;
};

}  // namespace

TEST_CASE("a second dispatcher on one database is refused, a crash frees it") {
    DispatcherProcess dispatcher;
    expect(dispatcher.command(serve_command), ErrorKind::busy, "serves");
    CHECK(dispatcher.command({"user", "list"}).status.ok());  // commands run beside it
    dispatcher.kill_hard();
    dispatcher.start();
    CHECK(dispatcher.admin("/readyz").status == 200);
    expect(dispatcher.command(serve_command), ErrorKind::busy, "serves");
}

TEST_CASE("a database that a newer version wrote is refused by every command") {
    DispatcherProcess dispatcher;
    REQUIRE(dispatcher.stop(10s).ok());
    Shell(dispatcher.state() / "dispatcher.sqlite").run("PRAGMA user_version = 99");
    expect(dispatcher.command(serve_command), ErrorKind::refused, "schema version 99");
    expect(dispatcher.command({"user", "list"}), ErrorKind::refused, "newer strongroom-dispatcher");
    expect(dispatcher.command({"audit", "verify"}), ErrorKind::refused, "schema version 99");
}

TEST_CASE("a database, key or folder that others can use is refused") {
    DispatcherProcess dispatcher;
    REQUIRE(dispatcher.stop(10s).ok());
    const auto database = dispatcher.state() / "dispatcher.sqlite";
    const auto home = dispatcher.state() / "gnupg";
    const auto refused_with_mode = [&](const std::filesystem::path& path, mode_t wrong, mode_t right) {
        INFO(path << " " << std::oct << wrong);
        REQUIRE(::chmod(path.c_str(), wrong) == 0);
        expect(dispatcher.command(serve_command), ErrorKind::insecure_file, "chmod 0");
        expect(dispatcher.command({"user", "list"}), ErrorKind::insecure_file, "chmod 0");
        REQUIRE(::chmod(path.c_str(), right) == 0);
    };
    for (const mode_t mode : {0640, 0604, 0620, 0602}) refused_with_mode(database, mode, 0600);
    for (const mode_t mode : {0750, 0705, 0711}) refused_with_mode(dispatcher.state(), mode, 0700);
    refused_with_mode(home, 0750, 0700);
    if (::geteuid() == 0) {
        for (const auto& path : {database, dispatcher.state()}) {
            REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
            expect(dispatcher.command(serve_command), ErrorKind::insecure_file, "user");
            REQUIRE(::chown(path.c_str(), 0, 0) == 0);
        }
    }
    CHECK(dispatcher.command({"user", "list"}).status.ok());
}

TEST_CASE("disk full") {
    const SmallDisk disk("size=6m,mode=0700");
    if (!disk.mounted) return;
    Room room(disk.folder.path() / "d");
    const auto filler = disk.folder.path() / "filler";
    Shell(room.database()).run("PRAGMA wal_checkpoint(TRUNCATE)");  // no old pages of the log to write over
    {
        const UniqueFd fd(::open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        const std::string block(4096, 'x');
        while (::write(fd.get(), block.data(), block.size()) > 0) {
        }
        REQUIRE(errno == ENOSPC);
    }
    room.fails_and_recovers("the disk is full", [&] { std::filesystem::remove(filler); });
}

TEST_CASE("fsync fails with an I/O error") {
    const TempDir folder;
    const auto trigger = folder.path() / "fail";
    Room room;
    REQUIRE(room.dispatcher.stop(10s).ok());
    room.dispatcher.environment = {{"LD_PRELOAD", STRONGROOM_SYNC_FAULT}, {"SYNC_FAULT", trigger.string()}};
    room.dispatcher.start();
    room.alice = room.dispatcher.reconnect(std::move(room.alice));
    room.order();
    write_file_atomic(trigger, "");
    room.fails_and_recovers("fsync of the database failed: disk I/O error",
                            [&] { std::filesystem::remove(trigger); });
}

TEST_CASE("the database is locked by another process") {
    Room room;
    Shell shell(room.database());
    SECTION("for writing") {
        shell.run("BEGIN IMMEDIATE");
    }
    SECTION("after a write that it does not end") {
        shell.run("BEGIN EXCLUSIVE; UPDATE users SET name = name");
    }
    const auto start = std::chrono::steady_clock::now();
    room.fails_and_recovers("locked by another program", [&] { shell.run("ROLLBACK"); });
    CHECK(std::chrono::steady_clock::now() - start < 40s);  // nobody waits for ever
}

TEST_CASE("the database becomes read-only") {
    Room room;
    const auto change = [&](const char* attribute) {
        for (const char* suffix : {"", "-wal"}) {
            SpawnOptions options;
            options.argv = {"chattr", attribute, room.database().string() + suffix};
            if (!run_program(options).status.ok()) return false;
        }
        return true;
    };
    if (!change("+i")) {
        WARN("chattr +i is not possible here; this case was not tried");
        change("-i");
        return;
    }
    room.fails_and_recovers("the database is read-only", [&] { REQUIRE(change("-i")); });
    REQUIRE(room.dispatcher.stop(10s).ok());
    // And at the start.
    SpawnOptions options;
    options.argv = {"chattr", "+i", room.database().string()};
    REQUIRE(run_program(options).status.ok());
    expect(room.dispatcher.command(serve_command), ErrorKind::storage, "read-only");
    options.argv[1] = "-i";
    REQUIRE(run_program(options).status.ok());
}
