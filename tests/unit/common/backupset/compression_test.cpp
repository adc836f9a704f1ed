#include "common/backupset/compression.hpp"

#include <zstd.h>

#include <catch2/catch.hpp>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"

using namespace strongroom;
using namespace strongroom::backupset;

namespace {

Bytes compress(const std::string& method, int level, BytesView plain) {
    MemFile out("compressed");
    Compressor(method, level).compress(plain, out);
    return Bytes(out.view());
}
Bytes decompress(const std::string& method, BytesView compressed, std::size_t plain_size) {
    Bytes out(plain_size, '?');
    Decompressor(method).decompress(compressed, out);
    return out;
}
Bytes zstd(BytesView plain) {
    return compress("zstd", 1, plain);
}
std::string refusal(BytesView compressed, std::size_t plain_size) {
    try {
        decompress("zstd", compressed, plain_size);
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::corrupt);
        return error.text();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("compression round trips") {
    for (const Bytes& plain : {Bytes("x"), Bytes(100000, 'a'), random_bytes(200000)})
        for (const char* method : {"zstd", "none"})
            for (const int level : {min_level, 3, max_level})
                CHECK(decompress(method, compress(method, level, plain), plain.size()) == plain);
    CHECK(zstd(Bytes(100000, 'a')).size() < 1000);
    CHECK(zstd(random_bytes(200000)).size() <= max_compressed(200000));
}

TEST_CASE("what was compressed before leaves no trace in the next result") {
    Compressor zstd_of("zstd", 1);
    Compressor none("none", 1);
    Decompressor back("zstd");
    MemFile out("compressed");
    for (const Bytes& plain : {random_bytes(300000), Bytes(50, 'x'), Bytes(400000, 'y'), random_bytes(7)}) {
        none.compress(plain, out);
        CHECK(out.view() == plain);
        zstd_of.compress(plain, out);
        CHECK(out.view() == zstd(plain));
        Bytes again(plain.size(), '?');
        back.decompress(out.view(), again);
        CHECK(again == plain);
        CHECK_THROWS_AS(back.decompress(out.view().substr(1), again), Error);  // and the next one works
    }
}

TEST_CASE("a bomb writes nothing behind the bytes that it was given") {
    const Bytes bomb = zstd(Bytes(1U << 20U, 'b'));
    Bytes room(6000, '?');
    CHECK_THROWS_AS(Decompressor("zstd").decompress(bomb, {room.data(), 5000}), Error);
    CHECK(room.substr(5000) == Bytes(1000, '?'));
}

TEST_CASE("only one whole frame of the expected size is taken") {
    const Bytes plain(5000, 'p');
    const Bytes good = zstd(plain);
    CHECK(refusal(good, 5000) == "accepted");
    CHECK(refusal(good, 4999) != "accepted");
    CHECK(refusal(good, 5001) != "accepted");
    CHECK(refusal(good + "x", 5000).find("behind") != std::string::npos);
    CHECK(refusal(good + good, 5000).find("behind") != std::string::npos);
    CHECK(refusal(good + good, 10000) != "accepted");
    CHECK(refusal(good.substr(0, good.size() - 1), 5000) != "accepted");
    CHECK(refusal("", 5000) != "accepted");
    CHECK(refusal("not zstd at all", 5000) != "accepted");
    const Bytes skippable(
        "\x50\x2A\x4D\x18\x04\x00\x00\x00"
        "abcd",
        12);
    CHECK(refusal(skippable, 4) != "accepted");
    CHECK(refusal(skippable + good, 5000) != "accepted");
    for (std::size_t i = 0; i < good.size(); ++i) {  // no change of a byte gives other plain bytes
        Bytes bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 0x10);
        INFO("byte " << i);
        try {
            const Bytes back = decompress("zstd", bad, plain.size());
            CHECK(back == plain);
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::corrupt);
        }
    }
    CHECK_THROWS_AS(decompress("none", "abc", 4), Error);
}

TEST_CASE("a bomb that claims to be small writes no more than it may") {
    // The frame holds 64 MiB; the manifest says 5000 bytes.
    CHECK(refusal(zstd(Bytes(64U << 20U, '\0')), 5000) != "accepted");
    // A frame whose header lies about its size.
    Bytes liar = zstd(Bytes(1U << 20U, '\0'));
    const Bytes honest = zstd(Bytes(5000, '\0'));
    REQUIRE(ZSTD_getFrameContentSize(honest.data(), honest.size()) == 5000);
    CHECK(refusal(honest.substr(0, 7) + liar.substr(9), 5000) != "accepted");
}
