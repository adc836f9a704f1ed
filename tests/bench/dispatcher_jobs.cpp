// Due jobs made and handed out: store, scheduler and the handler of job.next, without gpg and sockets.
#include <atomic>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"
#include "dispatcher/api/routes.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "tests/bench/dispatcher_phases.hpp"

namespace strongroom::bench {

using namespace strongroom::dispatcher;

void measure_jobs(const std::filesystem::path& folder, const Sizes& sizes) {
    note("jobs: making " + std::to_string(sizes.jobs) + " servers with a schedule that is due");
    const SystemClock clock;
    const std::int64_t now = to_millis(clock.now());
    for (const char* suffix : {"", "-wal", "-shm"})
        std::filesystem::remove((folder / "jobs.sqlite").string() + suffix);
    const auto store = SqliteStore::create(folder / "jobs.sqlite");
    std::vector<Server> servers;
    store->transact([&](Transaction& tx) {
        User user{std::string(40, 'A'), "user", "key", sha256_hex("token"), now};
        tx.add_user(user);
        for (int i = 0; i < sizes.jobs; ++i) {
            Server server;
            server.uuid = random_uuid();
            server.owner = user.fingerprint;
            server.identity = to_hex(random_bytes(20));
            server.public_key = std::string(700, 'k');
            server.token_hash = sha256_hex(server.uuid);
            server.recovery = {user.fingerprint};
            tx.add_server(server);
            tx.put_schedule({random_uuid(), server.uuid, "backup", "0 * * * *", 0, 1, now, now - 60'000});
            tx.schedules_told(server.uuid);  // by an earlier job.next
            servers.push_back(server);
        }
    });

    Scheduler scheduler(*store, clock);
    const auto start = Steady::now();
    std::size_t made = 0;
    while (made < servers.size()) {
        const auto tick = scheduler.tick();
        if (tick.created == 0) throw Error(ErrorKind::internal, "due slots made no jobs");
        made += tick.created;
    }
    const double making = ms_since(start) / 1000;

    // As the dispatcher answers job.next, for agents that ask at the same time.
    const Route* route = find_route("job.next");
    std::atomic<std::size_t> next = 0;
    std::atomic<std::size_t> handed = 0;
    const auto hand_out = [&] {
        for (std::size_t at = next++; at < servers.size(); at = next++) {
            const Server& server = servers[at];
            const std::string id = random_uuid();
            const std::string digest = sha256_hex(id);
            bool got = false;
            store->transact([&](Transaction& tx) {
                Admission caller;
                if (tx.find_reply(server.identity, id)) return;
                caller.role = Role::agent;
                caller.server = tx.find_server(server.uuid);
                std::vector<std::string> wake;
                const Context context{tx, caller, nullptr, clock.now(), std::chrono::seconds(60), wake};
                const Json reply = route->run(context, Json{{"version", ""}});
                got = reply.contains("job");
                tx.add_reply(server.identity, id, context.now_ms(), {digest, reply.dump()});
            });
            if (got) ++handed;
        }
    };
    const auto second = Steady::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < sizes.callers; ++i) threads.emplace_back(hand_out);
    for (auto& thread : threads) thread.join();
    const double handing = ms_since(second) / 1000;
    if (handed != servers.size()) throw Error(ErrorKind::internal, "not every job was handed out");
    const auto count = static_cast<double>(servers.size());
    row("jobs_made_per_s", count / making, "jobs/s", 0);
    row("jobs_handed_out_per_s", count / handing, "jobs/s", 0);
    row("jobs_per_s", count / (making + handing), "jobs/s", 0);
}

}  // namespace strongroom::bench
