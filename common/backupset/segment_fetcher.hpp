// Fetches the stored segments of a set ahead of those who open them: the network works while the cores do.
//
// How far ahead is bounded by the number of segments that are held at a time, being fetched, waiting or lent.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "common/backupset/manifest.hpp"
#include "common/base/mem_file.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::backupset {

// Any thread. Segments are fetched in order, `fetches` of them at once.
class SegmentFetcher {
  public:
    // Begins at once. `held` is at least 1; manifest and store must outlive this.
    SegmentFetcher(const Manifest& manifest, storage::ObjectStore& store, std::size_t fetches,
                   std::size_t held);
    // Waits for the fetches that are under way.
    ~SegmentFetcher();
    SegmentFetcher(const SegmentFetcher&) = delete;

    // Waits for a segment, of the size and with the digest that the manifest signs. Called once for each
    // index, and, taken all threads together, in order: nobody may keep a lent segment until a later one
    // comes. Throws what fetch_verified() threw, after which no fetch is begun any more, and
    // Error{interrupted} for a segment that stop() has forestalled.
    MemFile take(std::size_t index);
    // What take() lent is not needed any more: its memory is used for another segment.
    void give_back(MemFile stored);

    // No fetch is begun any more; what was begun can be taken.
    void stop();

  private:
    using Result = std::variant<MemFile, std::exception_ptr>;
    struct Claim {
        std::size_t index;
        MemFile memory;
    };

    void work();
    std::optional<Claim> claim();
    Result fetch(Claim& claimed);

    const Manifest& manifest_;
    storage::ObjectStore& store_;

    std::mutex mutex_;
    std::condition_variable ready_;  // a result came, or none will come any more
    std::condition_variable room_;   // memory came back, or the work ends
    std::map<std::size_t, Result> results_;
    std::vector<MemFile> free_;
    std::size_t next_ = 0;  // segments before it were begun
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace strongroom::backupset
