#include "common/backupset/verifier.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <set>

#include "common/backupset/layout.hpp"
#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/shared_work.hpp"

namespace strongroom::backupset {
namespace {

using OnDamage = std::function<void(const Segment&, const Error&)>;

// Every segment once, read and compared by several workers; damage goes to `on_damage`, which may throw,
// everything else that fails is thrown. Both are called from the workers, one call at a time.
void sweep(const Manifest& manifest, storage::ObjectStore& store, const VerifyOptions& options,
           const OnDamage& on_damage, const OnProgress& on_progress) {
    Progress progress = progress_of(manifest, "verifying");
    std::mutex mutex;  // progress and the calls
    SharedWork shared(manifest.segments.size());
    const std::size_t workers =
        options.workers > 0 ? static_cast<std::size_t>(options.workers) : store.transfers_for(processors());
    shared.run(workers, [&] {
        std::optional<MemFile> stored;
        while (const auto i = shared.next()) {
            const Segment& segment = manifest.segments[*i];
            std::optional<Error> damage;
            try {
                if (!stored) stored.emplace("stored");
                fetch_verified(manifest, store, segment, *stored);
            } catch (const Error& error) {
                if (!is_about_the_data(error.kind())) throw about_segment(error, manifest, segment);
                damage = error;
                stored.reset();  // after some errors its memory is lost
            }
            const std::lock_guard lock(mutex);
            if (shared.failed()) return;
            if (damage) on_damage(segment, *damage);
            advance(progress, segment, on_progress);
        }
    });
}

std::string envelope_problem(const Manifest& manifest, storage::ObjectStore& store) {
    const auto envelope = store.stat(envelope_key(manifest.server, manifest.set));
    if (!envelope) return "the envelope is missing: without it nobody can open the set";
    return envelope->size == 0 ? "the envelope is empty" : "";
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

void SetVerdict::add(Flaw flaw, const std::string& object, const std::string& text) {
    worst = flaws == 0 ? flaw : std::min(worst, flaw);
    ++flaws;
    if (findings.size() < max_findings) findings.push_back({flaw, object, text});
}

SetVerdict verify_committed(const VerifyOptions& options, storage::ObjectStore& store,
                            const std::string& server, const std::string& set, const Signers& signers,
                            const OnProgress& on_progress) {
    SetVerdict out;
    out.set = set;
    try {
        out.manifest = read_manifest(store, server, set, signers, &out.manifest_sha256);
    } catch (const Error& error) {
        if (!is_about_the_data(error.kind()) && error.kind() != ErrorKind::unauthenticated) throw;
        const bool missing =
            !store.stat(manifest_signature_key(server, set)) || !store.stat(manifest_key(server, set));
        out.add(missing ? Flaw::missing : Flaw::untrusted, manifest_key(server, set), error.text());
        return out;
    }
    const Manifest& manifest = *out.manifest;
    if (const auto problem = envelope_problem(manifest, store); !problem.empty())
        out.add(Flaw::missing, envelope_key(server, set), problem);
    sweep(
        manifest, store, options,
        [&](const Segment& segment, const Error& error) {
            out.add(error.kind() == ErrorKind::not_found ? Flaw::missing : Flaw::damaged,
                    segment_key(server, set, segment.index), error.text());
        },
        on_progress);
    std::ranges::stable_sort(out.findings, {}, &Finding::object);  // whatever order the workers came in
    return out;
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
