#include "common/backupset/sealer.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/backupset/commit.hpp"
#include "common/backupset/compression.hpp"
#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/set_list.hpp"
#include "common/backupset/stage.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/large_buffer.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::backupset {
namespace {

class Sealer {
  public:
    Sealer(const SealOptions& options, std::string set, Source& source, storage::ObjectStore& store,
           const gpg::Home& home, const OnProgress& on_progress)
        : options_(options),
          set_(std::move(set)),
          source_(source),
          store_(store),
          cipher_(home),
          passphrase_(gpg::make_data_passphrase()),
          on_progress_(on_progress) {}

    const Secret& passphrase() const { return passphrase_; }

    // Reads the source to its end and stores all segments. `meanwhile` runs in the calling thread; its
    // failure is a failure of the whole.
    template <class Function>
    std::vector<Segment> store_segments(Function&& meanwhile) {
        std::vector<std::thread> workers;
        const std::size_t wanted =
            options_.workers > 0 ? static_cast<std::size_t>(options_.workers) : processors();
        const std::size_t puts = (store_.transfers_for(wanted) + wanted - 1) / wanted;  // of each worker
        try {
            for (std::size_t i = 0; i < wanted; ++i) workers.emplace_back([this, puts] { work(puts); });
            meanwhile();
        } catch (...) {
            stop(std::current_exception());
        }
        for (auto& worker : workers) worker.join();
        if (failure_) std::rethrow_exception(failure_);
        std::ranges::sort(segments_, {}, &Segment::index);
        return std::move(segments_);
    }

    void report(const char* stage) {
        if (!on_progress_) return;
        const std::lock_guard lock(result_mutex_);
        progress_.stage = stage;
        on_progress_(progress_);
    }

  private:
    struct Slice {
        std::int64_t index;
        BytesView plain;
    };
    // An encrypted segment that travels. The next one that takes its memory waits for it.
    struct Outgoing {
        MemFile stored{"stored"};
        std::future<void> put;
    };

    // The memory of a worker is used again for each segment: one segment is cut and compressed here while the
    // one before is encrypted, and the `puts` before that are stored.
    void work(std::size_t puts) {
        try {
            LargeBuffer buffer(static_cast<std::size_t>(options_.segment_size));
            Compressor compressor(options_.compression, options_.level);
            MemFile compressed("compressed");
            MemFile being_encrypted("compressed");
            std::vector<Outgoing> outgoing(std::max<std::size_t>(1, puts));
            std::size_t turn = 0;
            std::future<void> finished;  // the segment before is on its way
            while (const auto slice = cut(buffer)) {
                in_stage("compress", [&] { compressor.compress(slice->plain, compressed); });
                if (finished.valid()) finished.wait();
                if (failed_) return;
                std::swap(compressed, being_encrypted);
                Outgoing& next = outgoing[turn++ % outgoing.size()];
                finished = std::async(std::launch::async, [this, slice, &being_encrypted, &next] {
                    finish(slice->index, slice->plain.size(), being_encrypted, next);
                });
            }
        } catch (...) {
            stop(std::current_exception());
        }
    }

    void finish(std::int64_t index, std::size_t plain_size, const MemFile& compressed, Outgoing& next) {
        try {
            if (next.put.valid()) next.put.wait();
            if (failed_) return;
            MemFile& stored = next.stored;
            in_stage("encrypt", [&] { cipher_.encrypt(compressed, passphrase_, stored); });
            if (failed_) return;
            const Segment segment{index, static_cast<std::int64_t>(plain_size),
                                  static_cast<std::int64_t>(stored.size()), sha256_hex(stored.view())};
            next.put = std::async(std::launch::async, [this, segment, &stored] { store(segment, stored); });
        } catch (...) {
            stop(std::current_exception());
        }
    }

    void store(const Segment& segment, MemFile& stored) {
        try {
            in_stage("store",
                     [&] { store_.put_from(segment_key(options_.server, set_, segment.index), stored); });
            record(segment);
        } catch (...) {
            stop(std::current_exception());
        }
    }

    // Reads the next slice of the source into `buffer` and numbers it; nullopt at the end, or after a failure
    // elsewhere.
    std::optional<Slice> cut(LargeBuffer& buffer) {
        const std::lock_guard lock(source_mutex_);
        if (at_end_ || failed_) return std::nullopt;
        const auto size = static_cast<std::size_t>(options_.segment_size);
        return in_stage("source", [&]() -> std::optional<Slice> {
            const std::size_t got = source_.read(buffer.data(), size);
            at_end_ = got < size;
            if (got == 0) return std::nullopt;
            if (next_index_ >= max_segments)
                throw Error(ErrorKind::config,
                            "the stream is longer than " + std::to_string(max_segments) + " segments",
                            "Choose a larger segment-size.");
            return Slice{next_index_++, {buffer.data(), got}};
        });
    }

    void record(const Segment& segment) {
        const std::lock_guard lock(result_mutex_);
        progress_.stage = "reading";
        progress_.plain_bytes += segment.plain_size;
        progress_.stored_bytes += segment.stored_size;
        progress_.segments += 1;
        progress_.total_bytes = options_.expected_bytes;
        segments_.push_back(segment);
        if (on_progress_ && !failed_) on_progress_(progress_);
    }

    // The first error wins. The abort wakes a worker that waits for the source.
    void stop(std::exception_ptr error) {
        {
            const std::lock_guard lock(failure_mutex_);
            if (failed_) return;
            failure_ = std::move(error);
            failed_ = true;
        }
        source_.abort();
    }

    const SealOptions& options_;
    const std::string set_;
    Source& source_;
    storage::ObjectStore& store_;
    const gpg::BulkCipher cipher_;
    const Secret passphrase_;
    const OnProgress& on_progress_;

    std::mutex source_mutex_;  // the source, at_end_ and next_index_
    bool at_end_ = false;
    std::int64_t next_index_ = 0;

    std::mutex result_mutex_;  // segments_ and progress_
    std::vector<Segment> segments_;
    Progress progress_;

    std::mutex failure_mutex_;  // failure_, and who sets failed_
    std::exception_ptr failure_;
    std::atomic<bool> failed_ = false;
};

void check_options(const SealOptions& options) {
    const auto refuse = [](const std::string& text) { throw Error(ErrorKind::config, text); };
    if (!is_one_of(options.compression, {"zstd", "none"})) refuse("compression must be zstd or none");
    if (options.level < min_level || options.level > max_level)
        refuse("the compression level must be between " + std::to_string(min_level) + " and " +
               std::to_string(max_level));
    if (options.segment_size < 1 || options.segment_size > max_segment_size)
        refuse("the segment size must be between 1 byte and " + std::to_string(max_segment_size) + " bytes");
    if (options.workers < 0 || options.workers > 256) refuse("there can be 1 to 256 workers");
}

// The subkey that the envelope is for.
std::string recipient(const SealOptions& options, const gpg::Home& home) {
    if (!options.subkey.empty()) return options.subkey;
    const gpg::Key key = gpg::find_key(home, options.identity);
    if (const auto* subkey = key.encryption_subkey()) return subkey->fingerprint;
    throw Error(ErrorKind::crypto, "the key " + options.identity + " has no usable encryption subkey");
}

// Takes back what was stored, the signature first: from then on the set is uncommitted.
// What cannot be removed is left behind without a signature, which no listing shows.
void take_back(storage::ObjectStore& store, const std::string& server, const std::string& set) noexcept {
    try {
        store.try_remove(manifest_signature_key(server, set));
        store.try_remove(manifest_key(server, set));
        for (const auto& object : store.list(set_prefix(server, set))) store.try_remove(object.key);
    } catch (const std::exception&) {
        // As above.
    }
}

void require_new(storage::ObjectStore& store, const std::string& server, const std::string& set) {
    try {
        if (!is_committed(store, server, set)) return;
    } catch (const Error& error) {
        // Who may only put cannot look. The name has 32 random bits besides its second, and where such
        // credentials are of use, the store keeps the versions that are overwritten.
        if (error.kind() == ErrorKind::forbidden) return;
        throw;
    }
    throw Error(ErrorKind::exists, "there is a set " + set + " in " + store.label() + " already");
}

}  // namespace

Manifest seal(const SealOptions& options, const std::string& set, Source& source, storage::ObjectStore& store,
              const gpg::Home& home, const Clock& clock, const OnProgress& on_progress) {
    check_options(options);
    require_new(store, options.server, set);
    try {
        Manifest manifest;
        manifest.server = options.server;
        manifest.set = set;
        manifest.kind = options.log ? "log" : options.parent ? "incremental" : "full";
        manifest.log = options.log;
        manifest.parent = options.parent;
        if (options.partial) manifest.scope = "partial";
        manifest.created = format_utc(clock.now());
        manifest.stream = options.stream;
        manifest.source_tool = options.source_tool;
        manifest.source_version = options.source_version;
        manifest.compression = options.compression;
        manifest.segment_size = options.segment_size;

        Sealer sealer(options, set, source, store, home, on_progress);
        manifest.segments = sealer.store_segments([&] {
            // Made while the first segments are read: a key that cannot be used shows at once, not after
            // hours.
            const Bytes envelope = in_stage("encrypt", [&] {
                return make_envelope(home, recipient(options, home), sealer.passphrase());
            });
            in_stage("store", [&] { store.put(envelope_key(options.server, set), envelope); });
            if (options.verifiers)
                in_stage("store", [&] {
                    put_verifier_envelopes(store, options.server, set, sealer.passphrase(),
                                           *options.verifiers);
                });
        });
        in_stage("source", [&] {
            const Source::Facts facts = source.finish();
            if (manifest.segments.empty()) throw Error(ErrorKind::source, "the source wrote nothing");
            manifest.server_version = facts.server_version;
            manifest.position = facts.position;
        });

        sealer.report("committing");
        in_stage("commit", [&] { commit_manifest(manifest, home, options.identity, store, clock); });
        return manifest;
    } catch (...) {
        source.abort();
        take_back(store, options.server, set);
        throw;
    }
}

}  // namespace strongroom::backupset
