#include "common/backupset/rewrap.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "common/backupset/envelope.hpp"
#include "common/backupset/layout.hpp"
#include "common/backupset/replace_object.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/packets.hpp"

namespace strongroom::backupset {
namespace {

class Rewrapper {
  public:
    Rewrapper(const RewrapOptions& options, storage::ObjectStore& store, const gpg::Home& home,
              const std::stop_token& stop, const OnRewrap& on_progress)
        : options_(options),
          store_(store),
          cipher_(home),
          stop_(stop),
          on_progress_(on_progress),
          sets_(all_folders(store, options.server)),
          shared_(sets_.size()) {}

    RewrapResult run() {
        const std::size_t wanted =
            options_.workers > 0 ? static_cast<std::size_t>(options_.workers) : 2 * processors();
        shared_.run(wanted, [this] { work(); });
        std::ranges::sort(result_.problems, {}, &RewrapProblem::set);
        return std::move(result_);
    }

  private:
    void work() {
        while (const auto i = shared_.next()) {
            if (stop_.stop_requested()) throw Error(ErrorKind::interrupted, "the rewrap was stopped");
            one(sets_[*i]);
            const std::lock_guard lock(mutex_);
            if (on_progress_ && !shared_.failed()) on_progress_(++done_, sets_.size());
        }
    }

    void one(const std::string& set) {
        try {
            rewrap(set, envelope_key(options_.server, set));
        } catch (const Error& error) {
            if (!is_about_one_set(error.kind())) throw error.with_context("set " + set);
            // Without a commit record it is no backup: being made, being removed, or left behind.
            if (!is_committed(store_, options_.server, set)) return;
            const std::lock_guard lock(mutex_);
            result_.problems.push_back({set, error.text()});
        }
    }

    void rewrap(const std::string& set, const std::string& key) {
        const MemFile before = store_.get(key, max_envelope);
        const auto recipients = gpg::recipient_key_ids(before.view());
        const Secret passphrase = open(before.view());
        require_own(set, passphrase);
        const std::vector<std::string> wanted{gpg::key_id_of(options_.subkey)};
        const bool done = recipients == wanted;
        decltype(result_.bytes_written) written = 0;
        if (!done) {
            const Bytes fresh = make_envelope(cipher_, options_.subkey, passphrase);
            if (open(fresh).reveal() != passphrase.reveal())
                throw Error(ErrorKind::internal, "the new envelope does not hold what the old one held");
            replace_object(store_, "envelope", key, before.view(), fresh, max_envelope);
            written = static_cast<decltype(written)>(fresh.size());
        }
        const std::lock_guard lock(mutex_);
        ++result_.sets;
        if (!done) ++result_.rewrapped;
        result_.bytes_written += written;
    }

    Secret open(BytesView envelope) {
        {
            const std::lock_guard lock(mutex_);
            ++result_.private_key_uses;
        }
        return open_envelope(cipher_, envelope);
    }

    // Every set has a passphrase of its own: one that turns up twice was put there by somebody or something.
    void require_own(const std::string& set, const Secret& passphrase) {
        const std::lock_guard lock(mutex_);
        const auto [known, fresh] = owners_.emplace(sha256_hex(passphrase.reveal()), set);
        if (fresh) return;
        throw Error(ErrorKind::corrupt, "its envelope holds the passphrase of set " + known->second +
                                            ", or the other way round: one of them was swapped");
    }

    const RewrapOptions& options_;
    storage::ObjectStore& store_;
    const gpg::SubkeyCipher cipher_;
    const std::stop_token& stop_;
    const OnRewrap& on_progress_;
    const std::vector<std::string> sets_;
    SharedWork shared_;

    std::mutex mutex_;                           // all below
    std::map<std::string, std::string> owners_;  // SHA-256 of a passphrase -> set
    std::size_t done_ = 0;
    RewrapResult result_;
};

}  // namespace

RewrapResult rewrap_envelopes(const RewrapOptions& options, storage::ObjectStore& store,
                              const gpg::Home& home, const std::stop_token& stop,
                              const OnRewrap& on_progress) {
    return Rewrapper(options, store, home, stop, on_progress).run();
}

}  // namespace strongroom::backupset
