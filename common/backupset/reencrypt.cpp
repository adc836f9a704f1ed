#include "common/backupset/reencrypt.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "common/backupset/commit.hpp"
#include "common/backupset/compression.hpp"
#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/bulk_cipher.hpp"

namespace strongroom::backupset {
namespace {

// Counts what an opened set holds, and keeps nothing.
class Discard : public Target {
  public:
    void write(const char*, std::size_t size) override { bytes += static_cast<std::int64_t>(size); }
    void commit() override {}
    std::int64_t bytes = 0;
};

class Reencryption {
  public:
    Reencryption(const ReencryptOptions& options, const Manifest& old, const ReencryptStores& stores,
                 const gpg::Home& home, const OnProgress& on_progress)
        : options_(options),
          old_(old),
          stores_(stores),
          home_(home),
          cipher_(home),
          on_progress_(on_progress),
          progress_(progress_of(old, "reencrypting")) {
        new_ = old;
        new_.segments.clear();
        new_.replaces = old.set;
        new_.reencrypted = format_utc(options.time);
        if (options.parent) new_.parent = options.parent;
    }

    Manifest run(const std::optional<BegunReencryption>& begun, const Clock& clock) {
        const Secret known = old_passphrase();
        const Secret fresh = begun && go_on(*begun) ? std::move(*resumed_) : begin();
        if (options_.verifiers)
            put_verifier_envelopes(stores_.writes, new_.server, new_.set, fresh, *options_.verifiers);
        write_segments(known, fresh);
        std::ranges::sort(done_, {}, &Segment::index);
        new_.segments = std::move(done_);
        prove();
        require_going_on();
        commit_manifest(new_, home_, options_.identity, stores_.writes, clock);
        return std::move(new_);
    }

  private:
    Secret old_passphrase() const {
        const std::string key = envelope_key(old_.server, old_.set);
        try {
            return open_envelope(home_, stores_.reads.get(key, max_envelope).view());
        } catch (const Error& error) {
            if (!is_about_the_data(error.kind())) throw;
            throw Error(ErrorKind::corrupt, key + ": " + error.text(), take_other_copy);
        }
    }

    Secret begin() {
        new_.set = make_set_id(begun_at(old_.set).value());
        Secret passphrase = gpg::make_data_passphrase();
        const Bytes envelope = make_envelope(home_, options_.subkey, passphrase);
        stores_.writes.put(envelope_key(new_.server, new_.set), envelope);
        if (options_.on_begun) options_.on_begun({new_.set, sha256_hex(envelope), {}});
        return passphrase;
    }

    // Whether a host that was let go meanwhile has an envelope of what was begun.
    bool opens_for_others(const std::vector<storage::ObjectInfo>& objects) const {
        return std::ranges::any_of(verifiers_among(objects), [&](const std::string& identity) {
            return !options_.verifiers || std::ranges::find(options_.verifiers->identities, identity) ==
                                              options_.verifiers->identities.end();
        });
    }

    // False: what is in the store is not what was written, or not whole enough to go on.
    bool go_on(const BegunReencryption& begun) {
        try {
            const auto envelope = stores_.reads.get(envelope_key(old_.server, begun.set), max_envelope);
            if (sha256_hex(envelope.view()) != begun.envelope_sha256) return false;
            resumed_ = open_envelope(home_, envelope.view());
        } catch (const Error& error) {
            if (!is_about_the_data(error.kind())) throw;
            return false;
        }
        new_.set = begun.set;
        std::map<std::string, std::size_t> there;
        const auto objects = stores_.reads.list(set_prefix(old_.server, begun.set));
        if (opens_for_others(objects)) return false;
        for (const auto& object : objects) there.emplace(object.key, object.size);
        std::map<std::int64_t, Segment> stored;
        for (const auto& segment : begun.segments) stored.insert_or_assign(segment.index, segment);
        for (const auto& [index, segment] : stored) {
            const auto object = there.find(segment_key(new_.server, new_.set, index));
            if (object == there.end() || object->second != static_cast<std::size_t>(segment.stored_size))
                continue;
            if (index >= static_cast<std::int64_t>(old_.segments.size()) ||
                old_.segments[static_cast<std::size_t>(index)].plain_size != segment.plain_size)
                return false;
            done_.push_back(segment);
            advance(progress_, segment, {});
        }
        return true;
    }

    void write_segments(const Secret& known, const Secret& fresh) {
        std::vector<bool> have(old_.segments.size(), false);
        for (const auto& segment : done_) have[static_cast<std::size_t>(segment.index)] = true;
        std::vector<const Segment*> left;
        for (std::size_t i = 0; i < have.size(); ++i)
            if (!have[i]) left.push_back(&old_.segments[i]);
        SharedWork work(left.size());
        const std::size_t workers = options_.workers > 0 ? static_cast<std::size_t>(options_.workers)
                                                         : stores_.writes.transfers_for(processors());
        work.run(workers, [&] {
            MemFile stored("stored");
            MemFile compressed("compressed");
            MemFile anew("stored");
            while (const auto i = work.next()) {
                require_going_on();
                const Segment& segment = *left[*i];
                try {
                    fetch_verified(old_, stores_.reads, segment, stored);
                    cipher_.decrypt(stored, known,
                                    max_compressed(static_cast<std::size_t>(segment.plain_size)), compressed);
                } catch (const Error& error) {
                    throw about_segment(error, old_, segment);
                }
                cipher_.encrypt(compressed, fresh, anew);
                Segment written = segment;
                written.stored_size = static_cast<std::int64_t>(anew.size());
                written.sha256 = sha256_hex(anew.view());
                stores_.writes.put_from(segment_key(new_.server, new_.set, segment.index), anew);
                const std::lock_guard lock(mutex_);
                if (options_.on_stored) options_.on_stored(written);
                done_.push_back(written);
                advance(progress_, written, on_progress_);
            }
        });
    }

    // What a restore would do, from the store. The commit comes after it, so no set is listed that does not
    // open.
    void prove() const {
        Discard target;
        open_set({options_.workers, 0}, new_, stores_.reads, home_, target, [&](const Progress& now) {
            require_going_on();
            Progress shown = now;
            shown.stage = "checking";
            if (on_progress_) on_progress_(shown);
        });
        if (target.bytes != old_.plain_total)
            throw Error(ErrorKind::corrupt, "the new set opens to " + std::to_string(target.bytes) +
                                                " bytes instead of " + std::to_string(old_.plain_total));
    }

    void require_going_on() const {
        if (options_.stop.stop_requested())
            throw Error(ErrorKind::interrupted, "the re-encryption was stopped");
    }

    const ReencryptOptions& options_;
    const Manifest& old_;
    const ReencryptStores& stores_;
    const gpg::Home& home_;
    const gpg::BulkCipher cipher_;
    const OnProgress& on_progress_;
    Manifest new_;
    std::optional<Secret> resumed_;

    std::mutex mutex_;  // the two below, while workers run
    std::vector<Segment> done_;
    Progress progress_;
};

}  // namespace

Manifest reencrypt(const ReencryptOptions& options, const Manifest& old,
                   const std::optional<BegunReencryption>& begun, const ReencryptStores& stores,
                   const gpg::Home& home, const Clock& clock, const OnProgress& on_progress) {
    return Reencryption(options, old, stores, home, on_progress).run(begun, clock);
}

}  // namespace strongroom::backupset
