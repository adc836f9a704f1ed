#include "common/backupset/resign.hpp"

#include <algorithm>
#include <mutex>

#include "common/backupset/layout.hpp"
#include "common/backupset/replace_object.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"
#include "common/base/shared_work.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t max_manifest_signature = 64U << 10U;

std::vector<std::string> committed(storage::ObjectStore& store, const std::string& server) {
    auto out = committed_sets(store, server);
    for (auto& log : committed_logs(store, server)) out.push_back(std::move(log));
    return out;
}

class Resigner {
  public:
    Resigner(const std::string& server, const Signers& signers, storage::ObjectStore& store,
             const std::stop_token& stop, const OnResign& on_progress)
        : server_(server),
          signers_(signers),
          store_(store),
          stop_(stop),
          on_progress_(on_progress),
          sets_(committed(store, server)),
          shared_(sets_.size()) {}

    ResignResult run(int workers) {
        shared_.run(workers > 0 ? static_cast<std::size_t>(workers) : 2 * processors(), [this] { work(); });
        std::ranges::sort(result_.problems, {}, &ResignProblem::set);
        return std::move(result_);
    }

  private:
    void work() {
        while (const auto i = shared_.next()) {
            if (stop_.stop_requested()) throw Error(ErrorKind::interrupted, "signing anew was stopped");
            bool fresh = false;
            std::string problem;
            try {
                fresh = one(sets_[*i]);
            } catch (const Error& error) {
                if (!is_about_one_set(error.kind())) throw error.with_context("set " + sets_[*i]);
                if (!is_committed(store_, server_, sets_[*i])) continue;  // removed meanwhile
                problem = error.text();
            }
            const std::lock_guard lock(mutex_);
            if (!problem.empty()) result_.problems.push_back({sets_[*i], problem});
            if (problem.empty()) ++result_.sets;
            if (fresh) ++result_.signed_anew;
            if (on_progress_ && !shared_.failed()) on_progress_(++done_, sets_.size());
        }
    }

    bool one(const std::string& set) {
        const std::string key = manifest_signature_key(server_, set);
        const MemFile before = store_.get(key, max_manifest_signature);
        const MemFile text = store_.get(manifest_key(server_, set), max_manifest);
        const auto by = gpg::verify_detached_by_one_of(signers_.home, signers_.fingerprints(), before.view(),
                                                       text.view());
        if (by.primary == signers_.identity()) return false;
        if (!signers_.may_sign(by.primary, set))
            throw Error(ErrorKind::crypto, "it is signed by a former key after that key's time");
        const Bytes fresh = gpg::sign_detached(signers_.home, signers_.identity(), text.view());
        gpg::verify_detached(signers_.home, signers_.identity(), fresh, text.view());
        replace_object(store_, "signature", key, before.view(), fresh, max_manifest_signature);
        // Who removes a set removes its signature first: it must not come back.
        if (!store_.stat(manifest_key(server_, set))) store_.try_remove(key);
        return true;
    }

    const std::string& server_;
    const Signers& signers_;
    storage::ObjectStore& store_;
    const std::stop_token& stop_;
    const OnResign& on_progress_;
    const std::vector<std::string> sets_;
    SharedWork shared_;

    std::mutex mutex_;  // all below
    std::size_t done_ = 0;
    ResignResult result_;
};

}  // namespace

ResignResult resign_manifests(const std::string& server, const Signers& signers, storage::ObjectStore& store,
                              int workers, const std::stop_token& stop, const OnResign& on_progress) {
    return Resigner(server, signers, store, stop, on_progress).run(workers);
}

}  // namespace strongroom::backupset
