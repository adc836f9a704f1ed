// Backup sets in a real local store, and what must hold there after a failure.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/storage/local_store.hpp"
#include "tests/support/set_bench.hpp"

namespace strongroom::test {

struct DiskBench {
    static constexpr std::size_t segment_bytes = 4096;

    std::filesystem::path root() const { return dir.path() / "store"; }

    // `count` segments that are told apart, the last one shorter.
    static Bytes segments(int count) {
        Bytes out;
        for (int i = 0; i < count; ++i)
            out += Bytes(segment_bytes - (i + 1 == count ? 7 : 0), static_cast<char>('a' + i));
        return out;
    }

    // The error that sealing `plain` ends with.
    Error failure(backupset::Source& source, storage::ObjectStore& into) {
        try {
            backupset::seal(bench.options(), bench.next_set(), source, into, bench.home(), bench.clock);
        } catch (const Error& error) {
            return error;
        }
        FAIL("the set was committed");
        throw Error(ErrorKind::internal, "unreachable");
    }
    Error failure(const Bytes& plain) {
        BufferSource source(plain);
        Error error = failure(source, store);
        CHECK(source.aborted);
        return error;
    }

    // No set lists, and no file is left: no object, no temporary file.
    void check_nothing_left() {
        CHECK(backupset::list_sets(store, bench.server, bench.home(), bench.identity).empty());
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root())) {
            INFO(entry.path());
            CHECK(entry.is_directory());
        }
    }
    // Seals, opens, and takes the set away again.
    void check_next_works() {
        const Bytes plain = segments(2);
        BufferSource source(plain);
        const auto manifest =
            backupset::seal(bench.options(), bench.next_set(), source, store, bench.home(), bench.clock);
        CollectingTarget target;
        backupset::open_set(
            {2}, backupset::read_manifest(store, bench.server, manifest.set, bench.home(), bench.identity),
            store, bench.home(), target);
        CHECK(target.bytes == plain);
        std::filesystem::remove_all(root() / bench.server);
    }

    SetBench bench;
    TempDir dir;
    storage::LocalStore store{dir.path() / "store", true};
};

}  // namespace strongroom::test
