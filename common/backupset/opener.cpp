#include "common/backupset/opener.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "common/backupset/compression.hpp"
#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/base/error.hpp"
#include "common/base/large_buffer.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/bulk_cipher.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::backupset {
namespace {

Secret passphrase_of(const Manifest& manifest, storage::ObjectStore& store, const gpg::Home& key_home) {
    const std::string key = envelope_key(manifest.server, manifest.set);
    try {
        return open_envelope(key_home, store.get(key, max_envelope).view());
    } catch (const Error& error) {
        const std::string text = "the envelope " + key + " cannot be opened: " + error.text();
        if (error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::corrupt)
            throw Error(ErrorKind::corrupt, text, take_other_copy);
        throw Error(error.kind(), text,
                    "The home must hold the decryption key of server " + manifest.server +
                        "; `strongroom recover --server " + manifest.server + "` makes one.");
    }
}

// A segment's plain bytes, all of them checked.
struct Plain {
    LargeBuffer buffer;
    std::size_t size = 0;
};

// Workers fetch and open segments a bounded distance ahead; the calling thread takes them in order. The first
// ones are fetched while the passphrase is still being decrypted.
class Opener {
  public:
    Opener(int workers, const Manifest& manifest, storage::ObjectStore& store, const gpg::Home& key_home,
           std::shared_future<Secret> passphrase)
        : manifest_(manifest),
          store_(store),
          cipher_(key_home),
          passphrase_(std::move(passphrase)),
          fetch_ahead_(static_cast<std::size_t>(workers) + 1),
          plain_ahead_(std::max<std::size_t>(2, static_cast<std::size_t>(workers))) {
        try {
            for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
        } catch (...) {
            stop_and_join();
            throw;
        }
    }
    ~Opener() { stop_and_join(); }
    Opener(const Opener&) = delete;

    // The plain bytes of the next segment in order; called once for each. Throws what its worker threw.
    Plain take() {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return results_.contains(released_); });
        auto result = std::move(results_.extract(released_).mapped());
        if (auto* failure = std::get_if<std::exception_ptr>(&result)) std::rethrow_exception(*failure);
        return std::move(std::get<Plain>(result));
    }
    // What take() gave is written: its memory is used again, and the workers may go one further.
    void release(Plain plain) {
        const std::lock_guard lock(mutex_);
        spare_.push_back(std::move(plain.buffer));
        ++released_;
        room_.notify_all();
    }

  private:
    using Result = std::variant<Plain, std::exception_ptr>;

    // What one worker keeps from one segment to the next.
    struct Bench {
        MemFile stored{"stored"};
        MemFile compressed{"compressed"};
        Decompressor decompressor;
    };

    void work() {
        std::optional<Bench> bench;
        while (const auto index = claim()) {
            Result result = open_segment(manifest_.segments[*index], bench);
            const std::lock_guard lock(mutex_);
            if (std::holds_alternative<std::exception_ptr>(result)) stopped_ = true;
            results_.emplace(*index, std::move(result));
            ready_.notify_all();
            room_.notify_all();
        }
    }

    std::optional<std::size_t> claim() {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] {
            return stopped_ || next_ == manifest_.segments.size() || next_ < released_ + fetch_ahead_;
        });
        if (stopped_ || next_ == manifest_.segments.size()) return std::nullopt;
        return next_++;
    }

    // A buffer for the plain bytes of segment `index`, once its turn is near: a used one if there is one that
    // is large enough.
    Plain make_plain(std::size_t index, std::size_t size) {
        Plain plain;
        plain.size = size;
        {
            std::unique_lock lock(mutex_);
            room_.wait(lock, [&] { return closing_ || index < released_ + plain_ahead_; });
            if (closing_) throw Error(ErrorKind::interrupted, "not needed any more");
            if (!spare_.empty()) {
                plain.buffer = std::move(spare_.back());
                spare_.pop_back();
            }
        }
        if (plain.buffer.capacity() < size) plain.buffer = LargeBuffer(size);
        return plain;
    }

    // Digest before gpg, gpg's integrity check before zstd, the exact size before release.
    Result open_segment(const Segment& segment, std::optional<Bench>& bench) {
        try {
            try {
                if (!bench) bench.emplace(Bench{.decompressor = Decompressor(manifest_.compression)});
                const auto plain_size = static_cast<std::size_t>(segment.plain_size);
                fetch_verified(manifest_, store_, segment, bench->stored);
                decrypt(*bench, max_compressed(plain_size));
                Plain plain = make_plain(static_cast<std::size_t>(segment.index), plain_size);
                bench->decompressor.decompress(bench->compressed.view(), {plain.buffer.data(), plain_size});
                return plain;
            } catch (const Error& error) {
                throw about_segment(error, manifest_, segment);
            }
        } catch (...) {
            return std::current_exception();
        }
    }

    // These bytes are the ones that were signed: if they do not open with the passphrase, that is the wrong
    // one.
    void decrypt(Bench& bench, std::size_t max_output) {
        try {
            cipher_.decrypt(bench.stored, passphrase_.get(), max_output, bench.compressed);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::crypto ||
                error.text().find("Bad session key") == std::string::npos)
                throw;
            throw Error(ErrorKind::corrupt,
                        "its bytes are as signed, but do not open with the passphrase in the envelope " +
                            envelope_key(manifest_.server, manifest_.set) +
                            ", which is another set's if no segment opens with it (" + error.text() + ")");
        }
    }

    void stop_and_join() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
            closing_ = true;
            room_.notify_all();
        }
        for (auto& worker : workers_) worker.join();
        workers_.clear();
    }

    const Manifest& manifest_;
    storage::ObjectStore& store_;
    const gpg::BulkCipher cipher_;
    const std::shared_future<Secret> passphrase_;
    // What bounds the memory: segments that may be in work at once, and those of them that may be plain.
    const std::size_t fetch_ahead_;
    const std::size_t plain_ahead_;

    std::mutex mutex_;
    std::condition_variable ready_;  // a result came
    std::condition_variable room_;   // a segment was released, or the work ends
    std::map<std::size_t, Result> results_;
    std::vector<LargeBuffer> spare_;
    std::size_t next_ = 0;
    std::size_t released_ = 0;
    bool stopped_ = false;  // no segment is begun any more
    bool closing_ = false;  // no segment is taken any more
    std::vector<std::thread> workers_;
};

}  // namespace

void open_set(const OpenOptions& options, const Manifest& manifest, storage::ObjectStore& store,
              const gpg::Home& key_home, Target& target, const OnProgress& on_progress) {
    const int wanted = options.workers > 0 ? options.workers : static_cast<int>(processors());
    const int workers = std::min(wanted, static_cast<int>(manifest.segments.size()));
    Progress progress = progress_of(manifest, "restoring");
    {
        std::promise<Secret> passphrase;
        Opener opener(workers, manifest, store, key_home, passphrase.get_future().share());
        try {
            passphrase.set_value(passphrase_of(manifest, store, key_home));
        } catch (...) {
            passphrase.set_exception(std::current_exception());
            throw;
        }
        for (const Segment& segment : manifest.segments) {
            Plain plain = opener.take();
            target.write(plain.buffer.data(), plain.size);
            opener.release(std::move(plain));
            advance(progress, segment, on_progress);
        }
    }
    target.commit();
}

}  // namespace strongroom::backupset
