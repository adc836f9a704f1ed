#include "common/backupset/verifier.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "common/backupset/layout.hpp"
#include "common/backupset/opener.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/base/encoding.hpp"
#include "common/base/ids.hpp"

namespace strongroom::backupset {
namespace {

// Workers read and compare segments; the calling thread takes the results as they come.
class Sweep {
  public:
    Sweep(const Manifest& manifest, storage::ObjectStore& store, int workers)
        : manifest_(manifest), store_(store), left_(manifest.segments.size()) {
        try {
            for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
        } catch (...) {
            stop_and_join();
            throw;
        }
    }
    ~Sweep() { stop_and_join(); }
    Sweep(const Sweep&) = delete;

    struct Result {
        const Segment* segment = nullptr;
        std::exception_ptr failure;
    };
    // The next result, or none after the last.
    std::optional<Result> take() {
        std::unique_lock lock(mutex_);
        if (left_ == 0) return std::nullopt;
        came_.wait(lock, [this] { return !results_.empty(); });
        Result out = results_.front();
        results_.pop_front();
        --left_;
        return out;
    }

  private:
    void work() {
        std::optional<MemFile> stored;
        while (const Segment* segment = claim()) {
            Result result{segment, nullptr};
            try {
                if (!stored) stored.emplace("stored");
                fetch_verified(manifest_, store_, *segment, *stored);
            } catch (...) {
                result.failure = std::current_exception();
                stored.reset();  // after some errors its memory is lost
            }
            const std::lock_guard lock(mutex_);
            results_.push_back(result);
            came_.notify_all();
        }
    }
    const Segment* claim() {
        const std::lock_guard lock(mutex_);
        if (stopped_ || next_ == manifest_.segments.size()) return nullptr;
        return &manifest_.segments[next_++];
    }
    void stop_and_join() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        for (auto& worker : workers_) worker.join();
        workers_.clear();
    }

    const Manifest& manifest_;
    storage::ObjectStore& store_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<Result> results_;
    std::size_t left_;
    std::size_t next_ = 0;
    bool stopped_ = false;
    std::vector<std::thread> workers_;
};

using OnDamage = std::function<void(const Segment&, const Error&)>;

// Every segment once; damage goes to `on_damage`, which may throw, everything else that fails is thrown.
void sweep(const Manifest& manifest, storage::ObjectStore& store, const VerifyOptions& options,
           const OnDamage& on_damage, const OnProgress& on_progress) {
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    const int wanted = options.workers > 0 ? options.workers : cores;
    Progress progress = progress_of(manifest, "verifying");
    Sweep work(manifest, store, std::min(wanted, static_cast<int>(manifest.segments.size())));
    while (const auto result = work.take()) {
        if (result->failure) {
            try {
                std::rethrow_exception(result->failure);
            } catch (const Error& error) {
                if (!is_about_the_data(error.kind())) throw about_segment(error, manifest, *result->segment);
                on_damage(*result->segment, error);
            }
        }
        advance(progress, *result->segment, on_progress);
    }
}

std::string envelope_problem(const Manifest& manifest, storage::ObjectStore& store) {
    const auto envelope = store.stat(envelope_key(manifest.server, manifest.set));
    if (!envelope) return "the envelope is missing: without it nobody can open the set";
    return envelope->size == 0 ? "the envelope is empty" : "";
}

void add(SetVerdict& verdict, Flaw flaw, std::string object, std::string text) {
    ++verdict.flaws;
    if (verdict.findings.size() < max_findings)
        verdict.findings.push_back({flaw, std::move(object), std::move(text)});
}

}  // namespace

const char* name(Flaw flaw) {
    switch (flaw) {
        case Flaw::untrusted:
            return "untrusted";
        case Flaw::damaged:
            return "damaged";
        case Flaw::missing:
            return "missing";
        case Flaw::chain:
            return "chain";
    }
    return "";
}

ErrorKind kind_of(Flaw flaw) {
    switch (flaw) {
        case Flaw::untrusted:
            return ErrorKind::crypto;
        case Flaw::damaged:
            return ErrorKind::corrupt;
        case Flaw::missing:
            return ErrorKind::not_found;
        case Flaw::chain:
            return ErrorKind::refused;
    }
    return ErrorKind::internal;
}

Flaw worst(const SetVerdict& verdict) {
    return std::ranges::min_element(verdict.findings, {}, &Finding::flaw)->flaw;
}

std::vector<std::string> committed_sets(storage::ObjectStore& store, const std::string& server) {
    std::vector<std::string> out;
    for (const std::string& set : store.list_folders(sets_prefix(server)))
        if (is_set_id(set) && store.stat(manifest_signature_key(server, set))) out.push_back(set);
    return out;
}

std::optional<std::string> newest_committed(storage::ObjectStore& store, const std::string& server) {
    auto sets = store.list_folders(sets_prefix(server));
    while (!sets.empty()) {
        const std::string set = std::move(sets.back());
        sets.pop_back();
        if (is_set_id(set) && store.stat(manifest_signature_key(server, set))) return set;
    }
    return std::nullopt;
}

SetVerdict verify_committed(const VerifyOptions& options, storage::ObjectStore& store,
                            const std::string& server, const std::string& set, const gpg::Home& verify_home,
                            const std::string& identity, const OnProgress& on_progress) {
    SetVerdict out;
    out.set = set;
    try {
        out.manifest = read_manifest(store, server, set, verify_home, identity, &out.manifest_sha256);
    } catch (const Error& error) {
        if (!is_about_the_data(error.kind()) && error.kind() != ErrorKind::unauthenticated) throw;
        const bool missing =
            !store.stat(manifest_signature_key(server, set)) || !store.stat(manifest_key(server, set));
        add(out, missing ? Flaw::missing : Flaw::untrusted, manifest_key(server, set), error.text());
        return out;
    }
    const Manifest& manifest = *out.manifest;
    if (const auto problem = envelope_problem(manifest, store); !problem.empty())
        add(out, Flaw::missing, envelope_key(server, set), problem);
    sweep(
        manifest, store, options,
        [&](const Segment& segment, const Error& error) {
            add(out, error.kind() == ErrorKind::not_found ? Flaw::missing : Flaw::damaged,
                segment_key(server, set, segment.index), error.text());
        },
        on_progress);
    std::ranges::stable_sort(out.findings, {}, &Finding::object);  // whatever order the workers came in
    return out;
}

std::string chain_problem(const std::map<std::string, Manifest>& trusted, const std::string& set) {
    std::set<std::string> seen;
    for (auto here = trusted.find(set); here != trusted.end();) {
        const Manifest& manifest = here->second;
        if (manifest.kind == "full") return "";
        if (!seen.insert(manifest.set).second) return "set " + manifest.set + " builds on itself";
        if (!manifest.parent) return "set " + manifest.set + " is an increment without a parent";
        const auto parent = trusted.find(*manifest.parent);
        if (parent == trusted.end())
            return "set " + *manifest.parent + ", on which " + manifest.set +
                   " builds, is missing or not good";
        if (!manifest.position.lsn_from || manifest.position.lsn_from != parent->second.position.lsn_to)
            return "set " + manifest.set + " does not begin at the LSN where " + *manifest.parent + " ends";
        here = parent;
    }
    return "set " + set + " is missing or not good";
}

void verify_set(const Manifest& manifest, storage::ObjectStore& store, const OnProgress& on_progress,
                const VerifyOptions& options) {
    sweep(
        manifest, store, options,
        [&](const Segment& segment, const Error& error) { throw about_segment(error, manifest, segment); },
        on_progress);
    if (const auto problem = envelope_problem(manifest, store); !problem.empty())
        throw Error(ErrorKind::corrupt, problem + " (" + envelope_key(manifest.server, manifest.set) + ")",
                    take_other_copy);
}

}  // namespace strongroom::backupset
