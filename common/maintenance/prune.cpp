#include "common/maintenance/prune.hpp"

#include <algorithm>

#include "common/backupset/layout.hpp"
#include "common/term/text.hpp"

namespace strongroom::maintenance {
namespace {

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
    return out;
}

std::int64_t stored_bytes(const backupset::SetInfo& info) {
    return info.manifest ? info.manifest->stored_total : 0;
}

// Sets that were written anew (backupset/reencrypt.hpp), by what took their place, where that was verified.
// One that a set which was not replaced builds on stays what the rules say.
std::map<std::string, std::string> replaced_sets(const std::vector<RetentionFact>& facts,
                                                 const std::map<std::string, backupset::SetInfo>& infos) {
    std::map<std::string, std::string> out;
    for (const auto& fact : facts)
        if (const auto& manifest = infos.at(fact.set).manifest;
            manifest && manifest->replaces && fact.standing == Standing::good)
            out.emplace(*manifest->replaces, fact.set);
    for (bool changed = true; changed;) {
        changed = false;
        for (const auto& fact : facts)
            if (fact.parent && !out.contains(fact.set) && out.erase(*fact.parent) > 0) changed = true;
    }
    return out;
}

}  // namespace

std::string text_of(const PruneStep& step) {
    switch (step.action) {
        case PruneAction::none:
            return "";
        case PruneAction::mark:
            return "mark";
        case PruneAction::unmark:
            return "unmark";
        case PruneAction::wait:
            return "wait until " + format_utc(step.due);
        case PruneAction::remove:
            return "remove";
    }
    return "";
}

std::string text_of(const storage::KeptVersions& kept) {
    return std::to_string(kept.versions) + " versions, " + term::format_bytes(kept.bytes) + "; " +
           (kept.locked_until ? "the last of them is locked until " + format_utc(*kept.locked_until)
                              : std::string("they are not locked"));
}

Prune::Prune(const TrustedServer& server, VerificationLog& log, const PruneRules& rules, UtcTime now)
    : server_(server), log_(log), rules_(rules), now_(now), marks_(read_marks(server.store, server.id)) {}

std::vector<PruneStep> Prune::plan() {
    std::vector<PruneStep> out = committed();
    for (const auto& one : unfinished_sets(server_.store, server_.id, now_ - unfinished_after))
        out.push_back(
            {.set = one.set, .bytes = one.bytes, .keep = false, .why = "unfinished", .objects = one.objects});
    for (auto& step : out) {
        decide_action(step);
        if (step.action == PruneAction::remove)
            step.kept = server_.store.kept_versions(backupset::set_prefix(server_.id, step.set));
    }
    std::ranges::sort(out, {}, &PruneStep::set);
    return out;
}

std::vector<PruneStep> Prune::committed() {
    std::vector<RetentionFact> facts;
    std::map<std::string, backupset::SetInfo> infos;
    for (auto& one : backupset::list_sets(server_.store, server_.id, server_.signers)) {
        const auto begun = backupset::begun_at(one.set);
        facts.push_back({one.set, one.manifest ? one.manifest->parent : std::nullopt,
                         begun.value_or(UtcTime{}), begun ? standing(one) : Standing::not_verified});
        infos.emplace(one.set, std::move(one));
    }
    std::vector<PruneStep> out;
    for (const auto& [set, by] : replaced_sets(facts, infos)) {
        const auto gone =
            std::erase_if(facts, [&gone_set = set](const auto& fact) { return fact.set == gone_set; });
        if (gone > 0)
            out.push_back({.set = set,
                           .bytes = stored_bytes(infos.at(set)),
                           .keep = false,
                           .why = "replaced by " + by});
    }
    for (const auto& decision : decide(rules_.keep, facts, rules_.drop_bad)) {
        const auto& info = infos.at(decision.set);
        PruneStep step{.set = decision.set,
                       .bytes = stored_bytes(info),
                       .keep = decision.keep,
                       .why = decision.keep ? joined(decision.reasons) : "retention"};
        if (decision.keep && !info.manifest) step.why += ": " + info.problem;
        step.verified = std::ranges::find(decision.reasons, not_verified) == decision.reasons.end();
        out.push_back(std::move(step));
    }
    return out;
}

// A set counts as good only for the very manifest that was verified.
Standing Prune::standing(const backupset::SetInfo& info) const {
    if (!info.manifest) return info.unreadable ? Standing::not_verified : Standing::not_good;
    const auto* entry = log_.find(info.set);
    if (entry == nullptr || entry->manifest_sha256 != info.manifest_sha256) return Standing::not_verified;
    if (!entry->good() || entry->proof_failed) return Standing::not_good;
    const bool stale =
        rules_.verified_within.count() > 0 && now_ - parse_utc(entry->verified) > rules_.verified_within;
    return stale ? Standing::not_verified : Standing::good;
}

void Prune::decide_action(PruneStep& step) const {
    const auto mark = marks_.find(step.set);
    if (step.keep) {
        if (mark != marks_.end()) step.action = PruneAction::unmark;
        return;
    }
    if (mark == marks_.end() || mark->second.objects != step.objects) {
        step.action = rules_.grace.count() > 0 ? PruneAction::mark : PruneAction::remove;
        return;
    }
    step.due = parse_utc(mark->second.marked) + rules_.grace;
    step.action = step.due <= now_ ? PruneAction::remove : PruneAction::wait;
}

void Prune::apply(const std::vector<PruneStep>& plan,
                  const std::function<void(const PruneStep&)>& before_each,
                  const std::function<void(const std::string&)>& on_removed) {
    bool forgot = false;
    const auto save = [&] {
        if (forgot) log_.save(log_.was_signed());
    };
    try {
        for (const auto& step : plan) {
            before_each(step);
            if (step.action == PruneAction::mark)
                write_mark(server_.store, server_.id, {step.set, format_utc(now_), step.why, step.objects});
            if (step.action == PruneAction::unmark) remove_mark(server_.store, server_.id, step.set);
            if (step.action != PruneAction::remove) continue;
            remove_set(server_.store, server_.id, step.set);
            log_.forget(step.set);
            forgot = true;
            on_removed(step.set);
        }
    } catch (...) {
        save();
        throw;
    }
    save();
}

}  // namespace strongroom::maintenance
