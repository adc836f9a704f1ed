#include "agent/job/metrics_file.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace strongroom;
using namespace strongroom::agent;

TEST_CASE("what was asked of stores shows as counters, each operation from the start") {
    storage::StoreMeter meter;
    const auto lines = [&] {
        std::set<std::string> out;
        std::istringstream text(metrics_text({}, {}, meter.figures()));
        for (std::string line; std::getline(text, line);) out.insert(line);
        return out;
    };
    auto before = lines();
    CHECK(before.contains("# TYPE strongroom_agent_store_operations_total counter"));
    for (const char* operation : {"put", "get", "list", "stat", "remove"})
        CHECK(before.contains("strongroom_agent_store_operations_total{operation=\"" +
                              std::string(operation) + "\"} 0"));
    CHECK(before.contains("strongroom_agent_store_retries_total 0"));

    meter.add(storage::Operation::put, 33'554'432'000, 1.5);
    meter.add(storage::Operation::put, 1, 0.25);
    meter.add_error(storage::Operation::put, ErrorKind::network, 2);
    meter.add_error(storage::Operation::stat, ErrorKind::forbidden, 0);
    meter.add_retry();
    const auto after = lines();
    for (const char* line : {"strongroom_agent_store_operations_total{operation=\"put\"} 3",
                             "strongroom_agent_store_bytes_total{operation=\"put\"} 33554432001",
                             "strongroom_agent_store_seconds_total{operation=\"put\"} 3.75",
                             "strongroom_agent_store_errors_total{operation=\"put\",code=\"network\"} 1",
                             "strongroom_agent_store_errors_total{operation=\"stat\",code=\"forbidden\"} 1",
                             "strongroom_agent_store_retries_total 1"}) {
        CAPTURE(line);
        CHECK(after.contains(line));
    }
}
