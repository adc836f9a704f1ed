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
#include "common/backupset/segment_fetcher.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/base/error.hpp"
#include "common/base/large_buffer.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/bulk_cipher.hpp"
#include "common/gpg/message.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::backupset {
namespace {

// " (it is for the key ABCDEF0123456789)", as far as the envelope says.
std::string key_of(const Bytes& envelope) {
    try {
        std::string out;
        for (const auto& id : gpg::recipient_key_ids(envelope)) out += (out.empty() ? "" : ", ") + id;
        return out.empty() ? "" : " (it is for the key " + out + ")";
    } catch (const Error&) {
        return "";  // the error that is being told says enough
    }
}

constexpr const char* give_envelope =
    "Nothing is known of the set by this. On the server's own host: strongroom-agent verifier add FILE "
    "--existing "
    "writes the envelopes for this host anew.";

// `verifier`: whose envelope it is, empty: the server's own.
Secret passphrase_of(const Manifest& manifest, storage::ObjectStore& store, const gpg::Home& key_home,
                     const std::string& verifier) {
    const std::string key = envelope_key_for(verifier, manifest.server, manifest.set);
    Bytes envelope;
    try {
        envelope = Bytes(store.get(key, max_envelope).view());
        return open_envelope(key_home, envelope);
    } catch (const Error& error) {
        const std::string text =
            "the envelope " + key + " cannot be opened" + key_of(envelope) + ": " + error.text();
        if (!verifier.empty() && is_about_the_data(error.kind()))
            throw Error(ErrorKind::config, text, give_envelope);
        if (error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::corrupt)
            throw Error(ErrorKind::corrupt, text, take_other_copy);
        throw Error(error.kind(), text,
                    "The home must hold that decryption key of server " + manifest.server +
                        "; `strongroom recover --server " + manifest.server +
                        "` makes one. One from before a rotation lacks the newer key, and so may what the "
                        "dispatcher sends: add --store URL to take the store's escrow records.");
    }
}

// A segment's plain bytes, all of them checked.
struct Plain {
    LargeBuffer buffer;
    std::size_t size = 0;
};

// Workers open segments a bounded distance ahead, which others fetch for them; the calling thread takes them
// in order. The first ones are fetched while the passphrase is still being decrypted.
class Opener {
  public:
    Opener(std::size_t workers, std::size_t fetches, const Manifest& manifest, storage::ObjectStore& store,
           const gpg::Home& key_home, const std::string& verifier, std::shared_future<Secret> passphrase)
        : manifest_(manifest),
          verifier_(verifier),
          cipher_(key_home),
          passphrase_(std::move(passphrase)),
          fetcher_(manifest, store, fetches, fetches + workers),
          plain_ahead_(std::max<std::size_t>(2, workers)) {
        try {
            for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
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
        MemFile compressed{"compressed"};
        Decompressor decompressor;
    };

    void work() {
        std::optional<Bench> bench;
        while (const auto index = claim()) {
            Result result = open_segment(manifest_.segments[*index], bench);
            const std::lock_guard lock(mutex_);
            if (std::holds_alternative<std::exception_ptr>(result)) stop();
            results_.emplace(*index, std::move(result));
            ready_.notify_all();
        }
    }

    std::optional<std::size_t> claim() {
        const std::lock_guard lock(mutex_);
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
                const auto index = static_cast<std::size_t>(segment.index);
                const auto plain_size = static_cast<std::size_t>(segment.plain_size);
                MemFile stored = fetcher_.take(index);  // first: a failure at it stops none before it
                if (!bench) bench.emplace(Bench{.decompressor = Decompressor(manifest_.compression)});
                decrypt(stored, max_compressed(plain_size), bench->compressed);
                fetcher_.give_back(std::move(stored));
                Plain plain = make_plain(index, plain_size);
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
    void decrypt(const MemFile& stored, std::size_t max_output, MemFile& compressed) {
        try {
            cipher_.decrypt(stored, passphrase_.get(), max_output, compressed);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::crypto ||
                error.text().find("Bad session key") == std::string::npos)
                throw;
            const std::string text =
                "its bytes are as signed, but do not open with the passphrase in the envelope " +
                envelope_key_for(verifier_, manifest_.server, manifest_.set) +
                ", which is another set's if no segment opens with it (" + error.text() + ")";
            if (!verifier_.empty()) throw Error(ErrorKind::config, text, give_envelope);
            throw Error(ErrorKind::corrupt, text);
        }
    }

    // With mutex_ held.
    void stop() {
        stopped_ = true;
        fetcher_.stop();
    }

    void stop_and_join() {
        {
            const std::lock_guard lock(mutex_);
            stop();
            closing_ = true;
            room_.notify_all();
        }
        for (auto& worker : workers_) worker.join();
        workers_.clear();
    }

    const Manifest& manifest_;
    const std::string& verifier_;
    const gpg::BulkCipher cipher_;
    const std::shared_future<Secret> passphrase_;
    SegmentFetcher fetcher_;
    const std::size_t plain_ahead_;  // segments that may be plain at once

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
    const std::size_t wanted = options.workers > 0 ? static_cast<std::size_t>(options.workers) : processors();
    const std::size_t workers = std::min(wanted, manifest.segments.size());
    const std::size_t fetches =
        options.fetches > 0 ? static_cast<std::size_t>(options.fetches) : store.transfers_for(workers);
    Progress progress = progress_of(manifest, "restoring");
    {
        std::promise<Secret> passphrase;
        Opener opener(workers, fetches, manifest, store, key_home, options.verifier,
                      passphrase.get_future().share());
        try {
            passphrase.set_value(passphrase_of(manifest, store, key_home, options.verifier));
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
