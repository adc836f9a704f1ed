#include "common/base/json_fields.hpp"

#include <catch2/catch.hpp>

using namespace strongroom;
using Catch::Matchers::Contains;

namespace {

struct Inner {
    std::int64_t count = 0;
    template <class Fields>
    void fields(Fields& f) {
        f("count", count, Range{0, 9});
    }
};
struct Outer {
    std::string name;
    std::optional<std::string> note;
    std::vector<Inner> inner;
    bool flag = false;
    template <class Fields>
    void fields(Fields& f) {
        f("name", name, Text{5});
        f("note", note, Text{20, nullptr, "text", true});
        f("inner", inner, Many<Nested>{2, {}});
        f("flag", flag);
    }
};

Outer read(const char* json) {
    return from_json<Outer>(parse_json(json, 1000));
}

}  // namespace

TEST_CASE("fields are written and read back the same") {
    const Outer outer{"abc", "two\nlines", {{1}, {9}}, true};
    const Outer again = from_json<Outer>(to_json(outer));
    CHECK(again.name == "abc");
    CHECK(again.note == "two\nlines");
    REQUIRE(again.inner.size() == 2);
    CHECK(again.inner[1].count == 9);
    CHECK(again.flag);
}

TEST_CASE("strict JSON names the field that is wrong") {
    CHECK_NOTHROW(read(R"({"name":"a","inner":[],"flag":false})"));
    CHECK_THROWS_WITH(read(R"({"inner":[],"flag":false})"), Contains("\"name\" is missing"));
    CHECK_THROWS_WITH(read(R"({"name":"abcdef","inner":[],"flag":false})"), Contains("longer than 5"));
    CHECK_THROWS_WITH(read(R"({"name":"a\n","inner":[],"flag":false})"), Contains("not allowed"));
    CHECK_THROWS_WITH(read(R"({"name":"a","inner":[{"count":10}],"flag":false})"),
                      Contains("inner[0].count"));
    CHECK_THROWS_WITH(read(R"({"name":"a","inner":[{"count":1.0}],"flag":false})"), Contains("integer"));
    CHECK_THROWS_WITH(read(R"({"name":"a","inner":[{"count":1},{"count":1},{"count":1}],"flag":false})"),
                      Contains("more than 2"));
    CHECK_THROWS_WITH(read(R"({"name":"a","inner":[],"flag":1})"), Contains("true or false"));
    CHECK_THROWS_WITH(read(R"({"name":"a","inner":[],"flag":false,"x":1})"), Contains("unknown field \"x\""));
    CHECK_THROWS_WITH(read(R"({"name":"a","name":"b","inner":[],"flag":false})"), Contains("twice"));
    CHECK_THROWS_WITH(read(R"({"name":null,"inner":[],"flag":false})"), Contains("must be text"));
    CHECK_THROWS_WITH(read(R"([])"), Contains("not an object"));
    CHECK_THROWS_WITH(read("{\"name\":\"\xff\",\"inner\":[],\"flag\":false}"), Contains("not valid JSON"));
    CHECK_THROWS_WITH(parse_json(R"({"a":1})", 3), Contains("limit"));
    // Not one byte before or after the object that a reader could take for something else.
    CHECK_THROWS_WITH(parse_json(BytesView("{}\0{\"a\":1}", 10), 100), Contains("not valid JSON"));
    CHECK_THROWS_WITH(parse_json("\xEF\xBB\xBF{}", 100), Contains("not valid JSON"));
    CHECK_THROWS_WITH(parse_json("{}{}", 100), Contains("not valid JSON"));
}

TEST_CASE("a value over its limit is not sent either") {
    CHECK_THROWS_AS(to_json(Outer{"toolong", {}, {}, false}), Error);
    CHECK_THROWS_AS(to_json(Outer{"a", {}, {{10}}, false}), Error);
}
