// The data path alone, for tests/bench/run.sh: seals a file into a local store, or opens a set to standard
// output, with the same sealer and opener that agent and client use.
//
//   bench_data_path init HOME                                   makes a key; prints its fingerprint
//   bench_data_path seal HOME KEY STORE FILE WORKERS LEVEL SEGMENT   prints the set id
//   bench_data_path plain HOME KEY STORE FILE WORKERS LEVEL SEGMENT  the same without gpg
//   bench_data_path open HOME KEY STORE SET WORKERS                  to standard output
//
// STORE is a folder or a store's URL; an S3 server is $STRONGROOM_BENCH_S3_ENDPOINT, its keys AWS's
// variables; $STRONGROOM_BENCH_S3_CONNECTIONS is s3-connections. KEY is the fingerprint, which agent and
// client know too.
#include <fcntl.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "common/backupset/compression.hpp"
#include "common/backupset/file_streams.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/sealer.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/large_buffer.hpp"
#include "common/base/unique_fd.hpp"
#include "common/gpg/keys.hpp"
#include "common/storage/open/open_store.hpp"

namespace {

using namespace strongroom;
constexpr const char* server = "0a1b2c3d-1111-4222-8333-444455556666";

class FileSource : public backupset::Source {
  public:
    explicit FileSource(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (!fd_) throw Error(ErrorKind::not_found, "cannot open " + path);
    }
    std::size_t read(char* data, std::size_t size) override {
        return read_full(fd_.get(), data, size, ErrorKind::source, "cannot read the input");
    }
    Facts finish() override { return {}; }
    void abort() noexcept override {}

  private:
    UniqueFd fd_;
};

struct Work {
    std::string file;
    int workers;
    int level;
    std::int64_t segment;
};

std::string seal(const gpg::Home& home, const std::string& identity, storage::ObjectStore& store,
                 const Work& work) {
    backupset::SealOptions options;
    options.server = server;
    options.identity = identity;
    options.stream = "raw";
    options.source_tool = "file";
    options.source_version = "1";
    options.level = work.level;
    options.segment_size = work.segment;
    options.workers = work.workers;
    FileSource source(work.file);
    const std::string set = make_set_id(SystemClock().now());
    backupset::seal(options, set, source, store, home, SystemClock());
    return set;
}

// What encryption is compared with: the sealer's stages in the sealer's order, less gpg.
void seal_without_encryption(storage::ObjectStore& store, const Work& work) {
    FileSource source(work.file);
    const std::string set = make_set_id(SystemClock().now());
    std::mutex cutting;
    std::int64_t next = 0;
    std::exception_ptr failure;
    const auto run = [&] {
        try {
            const auto size = static_cast<std::size_t>(work.segment);
            LargeBuffer buffer(size);
            backupset::Compressor compressor("zstd", work.level);
            MemFile compressed("compressed");
            MemFile being_put("compressed");
            std::future<void> put;
            for (;;) {
                std::int64_t index = 0;
                std::size_t got = 0;
                {
                    const std::lock_guard lock(cutting);
                    got = source.read(buffer.data(), size);
                    if (got == 0) return;
                    index = next++;
                }
                compressor.compress({buffer.data(), got}, compressed);
                if (sha256_hex(compressed.view()).empty()) return;
                if (put.valid()) put.get();
                std::swap(compressed, being_put);
                put = std::async(std::launch::async, [&store, &being_put, &set, index] {
                    store.put(backupset::segment_key(server, set, index), being_put.view());
                });
            }
        } catch (...) {
            const std::lock_guard lock(cutting);
            failure = std::current_exception();
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < work.workers; ++i) threads.emplace_back(run);
    for (auto& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
}

int run(const std::vector<std::string>& arguments) {
    gpg::initialise();
    const auto& verb = arguments.at(0);
    const gpg::Home home = gpg::Home::create(arguments.at(1));
    if (verb == "init") {
        std::cout << gpg::generate_key(home, "bench <bench@test.invalid>", "rsa3072") << "\n";
        return 0;
    }
    const std::string& identity = arguments.at(2);
    const std::string& place = arguments.at(3);
    storage::StoreSettings settings;
    if (const char* endpoint = std::getenv("STRONGROOM_BENCH_S3_ENDPOINT")) settings.s3.endpoint = endpoint;
    if (const char* count = std::getenv("STRONGROOM_BENCH_S3_CONNECTIONS"))
        settings.s3.connections = std::stoll(count);
    const auto store = storage::open_store(place.find("://") == std::string::npos ? "file://" + place : place,
                                           true, settings);
    if (verb == "open") {
        const auto manifest = backupset::read_manifest(*store, server, arguments.at(4), home, identity);
        backupset::FdTarget target(1, "standard output");
        backupset::open_set({.workers = std::stoi(arguments.at(5))}, manifest, *store, home, target);
        return 0;
    }
    const Work work{arguments.at(4), std::stoi(arguments.at(5)), std::stoi(arguments.at(6)),
                    std::stoll(arguments.at(7))};
    if (verb == "seal")
        std::cout << seal(home, identity, *store, work) << "\n";
    else if (verb == "plain")
        seal_without_encryption(*store, work);
    else
        throw Error(ErrorKind::usage, "unknown verb " + verb);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const Error& error) {
        std::cerr << describe("bench_data_path", error);
        return exit_code(error.kind());
    } catch (const std::exception& error) {
        std::cerr << "bench_data_path: " << error.what() << "\n";
        return 1;
    }
}
