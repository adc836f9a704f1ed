#include "common/backupset/manifest.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <sstream>

#include "common/base/error.hpp"

using namespace strongroom;
using namespace strongroom::backupset;

namespace {

Manifest sample() {
    Manifest m;
    m.server = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    m.set = "20261122T013700Z-3f9a2c1b";
    m.kind = "full";
    m.created = "2026-11-22T01:37:00Z";
    m.finished = "2026-11-22T01:39:00Z";
    m.stream = "xbstream";
    m.source_tool = "mariadb-backup";
    m.source_version = "mariadb-backup based on MariaDB server 10.11 \"quoted\"";
    m.server_version = "10.11.6-MariaDB";
    m.position.lsn_from = 0;
    m.position.lsn_to = 123456789;
    m.position.binlog_file = "binlog.000003";
    m.position.binlog_position = 4;
    m.compression = "zstd";
    m.segment_size = 1000;
    m.segments = {{0, 1000, 600, std::string(64, 'a')},
                  {1, 1000, 700, std::string(64, 'b')},
                  {2, 1, 90, std::string(64, 'c')}};
    m.plain_total = 2001;
    m.stored_total = 1390;
    return m;
}

std::string refusal(const Json& json) {
    try {
        decode_manifest(json.dump());
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::corrupt);
        return error.text();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("a manifest survives encoding") {
    const Bytes text = encode_manifest(sample());
    const Manifest back = decode_manifest(text);
    CHECK(encode_manifest(back) == text);
    CHECK(back.segments.size() == 3);
    CHECK(back.segments[1].sha256 == std::string(64, 'b'));
    CHECK(back.position.lsn_to == 123456789);
    CHECK_FALSE(back.position.gtid);
    CHECK_FALSE(back.parent);
    CHECK(back.source_version == sample().source_version);
}

TEST_CASE("a manifest has one field and one segment a line, for sed and sha256sum") {
    std::istringstream lines(encode_manifest(sample()));
    std::vector<std::string> segments;
    bool server_line = false;
    bool version_line = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("{\"index\":")) segments.push_back(line);
        server_line = server_line || line == "\"server\": \"6f9619ff-8b86-4011-b42d-00c04fc964ff\",";
        version_line = version_line || line == "\"version\": 1";
    }
    CHECK(server_line);
    CHECK(version_line);
    REQUIRE(segments.size() == 3);
    CHECK(segments[0] ==
          R"({"index":0,"plain_size":1000,"sha256":")" + std::string(64, 'a') + R"(","stored_size":600},)");
    CHECK(segments[2].back() == '}');
}

TEST_CASE("a manifest that is not exactly right is refused with the reason") {
    struct Row {
        const char* name;
        std::function<void(Json&)> change;
        const char* reason;
    };
    const std::vector<Row> rows{
        {"other format", [](Json& j) { j["format"] = "zip"; }, "not of a Strongroom"},
        {"no format", [](Json& j) { j.erase("format"); }, "not of a Strongroom"},
        {"no version", [](Json& j) { j.erase("version"); }, "no version"},
        {"newer version", [](Json& j) { j["version"] = 2; }, "version 2"},
        {"version zero", [](Json& j) { j["version"] = 0; }, "version 0"},
        {"text version", [](Json& j) { j["version"] = "1"; }, "no version"},
        {"unknown field", [](Json& j) { j["extra"] = 1; }, "unknown field"},
        {"unknown segment field", [](Json& j) { j["segments"][0]["x"] = 1; }, "unknown field"},
        {"missing field", [](Json& j) { j.erase("compression"); }, "\"compression\" is missing"},
        {"server no UUID", [](Json& j) { j["server"] = "../../etc"; }, "\"server\" is not a UUID"},
        {"set no id", [](Json& j) { j["set"] = "latest"; }, "\"set\""},
        {"unknown kind", [](Json& j) { j["kind"] = "differential"; }, "unknown kind"},
        {"unknown stream", [](Json& j) { j["stream"] = "cpio"; }, "unknown stream"},
        {"unknown compression", [](Json& j) { j["compression"] = "lz4"; }, "unknown compression"},
        {"full with parent", [](Json& j) { j["parent"] = "20261121T013700Z-3f9a2c1b"; }, "parent"},
        {"incremental without parent", [](Json& j) { j["kind"] = "incremental"; }, "parent"},
        {"its own parent",
         [](Json& j) {
             j["kind"] = "incremental";
             j["parent"] = j["set"];
         },
         "parent"},
        {"created no time", [](Json& j) { j["created"] = "yesterday"; }, "not valid"},
        {"finished no time", [](Json& j) { j["finished"] = "2026-13-01T00:00:00Z"; }, "not valid"},
        {"no segments", [](Json& j) { j["segments"] = Json::array(); }, "no segment"},
        {"segment missing", [](Json& j) { j["segments"].erase(1); }, "where segment 1 belongs"},
        {"segments swapped", [](Json& j) { std::swap(j["segments"][0], j["segments"][1]); },
         "where segment 0 belongs"},
        {"segment twice", [](Json& j) { j["segments"][1] = j["segments"][0]; }, "where segment 1 belongs"},
        {"short middle segment", [](Json& j) { j["segments"][1]["plain_size"] = 999; }, "wrong size"},
        {"long last segment", [](Json& j) { j["segments"][2]["plain_size"] = 1001; }, "wrong size"},
        {"empty last segment", [](Json& j) { j["segments"][2]["plain_size"] = 0; }, "plain_size"},
        {"negative size", [](Json& j) { j["segments"][0]["stored_size"] = -1; }, "stored_size"},
        {"size not an integer", [](Json& j) { j["segments"][0]["stored_size"] = 600.5; }, "integer"},
        {"huge stored size", [](Json& j) { j["segments"][0]["stored_size"] = INT64_C(1) << 40; },
         "stored_size"},
        {"huge segment size", [](Json& j) { j["segment_size"] = INT64_C(1) << 40; }, "segment_size"},
        {"digest too short", [](Json& j) { j["segments"][0]["sha256"] = "abc"; }, "SHA-256"},
        {"digest in upper case", [](Json& j) { j["segments"][0]["sha256"] = std::string(64, 'A'); },
         "SHA-256"},
        {"wrong plain total", [](Json& j) { j["plain_total"] = 2002; }, "totals"},
        {"wrong stored total", [](Json& j) { j["stored_total"] = 1; }, "totals"},
        {"control characters", [](Json& j) { j["source_version"] = "\x1b[31m"; }, "not allowed"},
    };
    for (const Row& row : rows) {
        Json json = Json::parse(encode_manifest(sample()));
        row.change(json);
        const std::string text = refusal(json);
        INFO(row.name << ": " << text);
        CHECK(text.find(row.reason) != std::string::npos);
    }
    CHECK(refusal(Json::parse(encode_manifest(sample()))) == "accepted");
}

TEST_CASE("bytes that are no manifest are refused") {
    const Bytes good = encode_manifest(sample());
    for (const Bytes& bytes :
         {Bytes(), Bytes("{}"), Bytes("[]"), good.substr(0, good.size() / 2), good + "{}", Bytes("\"kind\"")})
        CHECK_THROWS_AS(decode_manifest(bytes), Error);
    Bytes twice = good;
    twice.insert(2, "\"kind\": \"full\",\n");
    CHECK_THROWS_AS(decode_manifest(twice), Error);
    try {
        Json json = Json::parse(good);
        json["version"] = 2;
        decode_manifest(json.dump());
        FAIL("accepted");
    } catch (const Error& error) {
        CHECK(error.hint().find("newer") != std::string::npos);
    }
}

TEST_CASE("the list of the most segments that are allowed fits into a manifest") {
    const std::string longest = R"({"index":399999,"plain_size":268435456,"sha256":")" +
                                std::string(64, 'a') + R"(","stored_size":536870912},)";
    CHECK((longest.size() + 1) * static_cast<std::size_t>(max_segments) + 65536 < max_manifest);
}
