// A backup and a restore over a link that limits each connection: as many connections as the store's setting
// says work side by side, and bytes come through unchanged.
#include "tests/support/slow_link.hpp"

#include <catch2/catch.hpp>

#include "common/base/ids.hpp"
#include "common/storage/open/open_store.hpp"
#include "tests/support/s3_server.hpp"
#include "tests/support/set_bench.hpp"

using namespace strongroom;
using namespace std::chrono_literals;

namespace {

double seconds_of(const std::function<void()>& function) {
    const auto start = std::chrono::steady_clock::now();
    function();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("connections that are slow one by one are used side by side") {
    test::SetBench bench;
    test::S3Server s3;
    const std::string url = s3.make_bucket();
    const int port = std::stoi(s3.endpoint(false).substr(std::string("http://127.0.0.1:").size()));
    const Bytes plain = random_bytes(1'000'000);
    auto options = bench.options(125'000);
    options.workers = 1;

    struct Run {
        double seal;
        double open;
        int most;
    };
    const auto run = [&](std::int64_t connections) {
        const test::SlowLink link(port, {.delay = 10ms, .rate = 500'000});
        auto settings = s3.settings(false);
        settings.s3.endpoint = "http://127.0.0.1:" + std::to_string(link.port());
        settings.s3.connections = connections;
        const auto store = storage::open_store(url, false, settings);
        const std::string set = bench.next_set();
        Run out{};
        out.seal = seconds_of([&] {
            test::BufferSource source(plain);
            backupset::seal(options, set, source, *store, bench.home(), bench.clock);
        });
        const auto manifest =
            backupset::read_manifest(*store, bench.server, set, bench.home(), bench.identity);
        test::CollectingTarget target;
        out.open =
            seconds_of([&] { backupset::open_set({.workers = 1}, manifest, *store, bench.home(), target); });
        CHECK(target.bytes == plain);
        out.most = link.most_connections();
        return out;
    };
    const Run one = run(1);
    const Run four = run(0);
    CAPTURE(one.seal, one.open, four.seal, four.open);
    CHECK(one.most <= 2);  // the envelope travels beside the segments
    CHECK(four.most >= 4);
    CHECK(four.most <= 5);
    CHECK(one.open > 1.9);  // a megabyte at half a megabyte a second
    CHECK(four.open < one.open / 1.5);
    CHECK(four.seal < one.seal / 1.5);
}
