#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/large_buffer.hpp"
#include "common/base/mem_file.hpp"

using namespace strongroom;

namespace {

void write_here(const MemFile& file, BytesView bytes) {
    REQUIRE(::write(file.fd(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

}  // namespace

TEST_CASE("a memory file keeps its bytes when it grows, and loses what is cut") {
    MemFile file("test", 5000);
    const Bytes bytes = random_bytes(5000);
    std::memcpy(file.data(), bytes.data(), bytes.size());
    file.resize(300000);
    CHECK(file.view() == bytes + Bytes(295000, '\0'));
    file.resize(1000);
    CHECK(file.view() == bytes.substr(0, 1000));
    file.resize(5000);
    CHECK(file.view() == bytes.substr(0, 1000) + Bytes(4000, '\0'));
    file.resize(0);
    CHECK(file.view().empty());
    MemFile other = std::move(file);
    other.resize(10);
    CHECK(other.view() == Bytes(10, '\0'));
}

TEST_CASE("a used memory file holds what was written last and nothing of the former use") {
    MemFile file("test");
    for (const std::size_t size : {std::size_t{200000}, std::size_t{3}, std::size_t{0}, std::size_t{90000}}) {
        const Bytes bytes = size == 0 ? Bytes() : random_bytes(size);
        file.rewind();
        write_here(file, bytes);
        file.map_written();
        CHECK(file.view() == bytes);
    }
    file.rewind();
    file.map_written();  // nobody wrote
    CHECK(file.size() == 0);
}

TEST_CASE("a large buffer has the room that was asked for, at the start of a huge page") {
    CHECK(LargeBuffer().capacity() == 0);
    CHECK(LargeBuffer(0).capacity() == 0);
    LargeBuffer buffer((5U << 20U) + 1);
    REQUIRE(buffer.capacity() >= (5U << 20U) + 1);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % (2U << 20U) == 0);
    std::memset(buffer.data(), 'x', buffer.capacity());
    char* const where = buffer.data();
    LargeBuffer moved = std::move(buffer);
    CHECK(moved.data() == where);
    CHECK(moved.data()[moved.capacity() - 1] == 'x');
    CHECK_THROWS_AS(LargeBuffer(std::size_t{1} << 60U), Error);
}
