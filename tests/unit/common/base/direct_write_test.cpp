#include "common/base/direct_write.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/base/mem_file.hpp"
#include "common/base/unique_fd.hpp"

using namespace strongroom;
namespace fs = std::filesystem;

namespace {

MemFile aligned(BytesView bytes) {
    MemFile out("test", bytes.size());
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
}

Bytes after_write(const fs::path& path, BytesView bytes) {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    REQUIRE(fd);
    write_past_cache(fd.get(), bytes, "cannot write");
    CHECK((::fcntl(fd.get(), F_GETFL) & O_DIRECT) == 0);
    return read_file(path, 64U << 20U);
}

}  // namespace

TEST_CASE("every byte arrives, whatever size and alignment, on a disk and in memory") {
    for (const fs::path& parent : {fs::path(), fs::path("/dev/shm")}) {
        if (!parent.empty() && !fs::is_directory(parent)) continue;
        const TempDir dir(parent);
        for (const std::size_t size : {0U, 1U, 4096U, (1U << 20U) - 1, 1U << 20U, (1U << 20U) + 1,
                                       (5U << 20U) + 4095, (9U << 20U) + 512}) {
            INFO(dir.path() << ", " << size << " bytes");
            const Bytes bytes = size == 0 ? Bytes() : random_bytes(size);
            const MemFile memory = aligned(bytes);
            CHECK(after_write(dir.path() / "aligned", memory.view()) == bytes);
            CHECK(after_write(dir.path() / "shifted", memory.view().substr(size == 0 ? 0 : 1)) ==
                  bytes.substr(size == 0 ? 0 : 1));
        }
    }
}

TEST_CASE("a direct write that the system cuts short is an error, and the file stays as it was") {
    const TempDir dir;
    const fs::path path = dir.path() / "object";
    write_file_atomic(path, "former");
    const MemFile memory = aligned(random_bytes(8U << 20U));
    for (const rlim_t limit :
         {rlim_t{0}, rlim_t{2U << 20U}, rlim_t{(2U << 20U) + 100}, rlim_t{(8U << 20U) - 1}}) {
        INFO("limit of " << limit << " bytes");
        rlimit former{};
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &former) == 0);
        const rlimit small{limit, former.rlim_max};
        const auto handler = std::signal(SIGXFSZ, SIG_IGN);
        bool refused = false;
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
        try {
            write_file_atomic(path, memory.view());
        } catch (const Error& error) {
            refused = error.kind() == ErrorKind::storage;
        }
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &former) == 0);
        std::signal(SIGXFSZ, handler);
        CHECK(refused);
        CHECK(read_file(path, 100) == "former");
        CHECK(std::distance(fs::directory_iterator(dir.path()), {}) == 1);
    }
}

TEST_CASE("a descriptor that cannot be written is an error, not a silence") {
    const MemFile memory = aligned(Bytes(2U << 20U, 'x'));
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    REQUIRE(full);
    CHECK_THROWS_AS(write_past_cache(full.get(), memory.view(), "cannot write"), Error);
    CHECK_THROWS_AS(write_past_cache(-1, memory.view(), "cannot write"), Error);
}
