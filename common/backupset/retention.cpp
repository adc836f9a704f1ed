#include "common/backupset/retention.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace strongroom::backupset {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::year_month_day;

// The number of the hour, day, ... in which a set was made: sets of the same one share a bucket.
using Bucket = std::function<std::int64_t(UtcTime)>;

std::int64_t hour_of(UtcTime time) {
    return floor<std::chrono::hours>(time).time_since_epoch().count();
}
std::int64_t day_of(UtcTime time) {
    return floor<days>(time).time_since_epoch().count();
}
// 1970-01-01 was a Thursday: three days later a week began.
std::int64_t week_of(UtcTime time) {
    const std::int64_t day = day_of(time) + 3;
    return day >= 0 ? day / 7 : (day - 6) / 7;
}
std::int64_t month_of(UtcTime time) {
    const year_month_day date(floor<days>(time));
    return static_cast<int>(date.year()) * 12 +
           static_cast<std::int64_t>(static_cast<unsigned>(date.month())) - 1;
}
std::int64_t year_of(UtcTime time) {
    return static_cast<int>(year_month_day(floor<days>(time)).year());
}

class Plan {
  public:
    explicit Plan(std::vector<RetentionFact> facts) : facts_(std::move(facts)) {
        std::ranges::sort(facts_, {}, &RetentionFact::set);
        for (const auto& fact : facts_) by_set_[fact.set] = &fact;
        for (const auto& fact : facts_)
            if (standing(fact) == Standing::good) counting_.push_back(&fact);
    }

    bool has_counting() const { return !counting_.empty(); }

    void keep(const std::string& set, const std::string& reason) { reasons_[set].push_back(reason); }

    void apply(const KeepRules& rules) {
        const auto& newest = *counting_.back();
        keep(newest.set, "newest that can be restored");
        const auto last = std::min<std::int64_t>(rules.last, static_cast<std::int64_t>(counting_.size()));
        for (std::int64_t i = 0; i < last; ++i)
            keep((*(counting_.rbegin() + i))->set, "last " + std::to_string(rules.last));
        each_bucket("hourly", rules.hourly, hour_of);
        each_bucket("daily", rules.daily, day_of);
        each_bucket("weekly", rules.weekly, week_of);
        each_bucket("monthly", rules.monthly, month_of);
        each_bucket("yearly", rules.yearly, year_of);
        if (rules.within.count() > 0)
            for (const auto* fact : counting_)
                if (newest.created - fact->created <= rules.within) keep(fact->set, "within");
    }

    void keep_what_does_not_count(bool drop_bad) {
        for (const auto& fact : facts_) {
            const Standing here = standing(fact);
            if (here == Standing::not_verified) keep(fact.set, "not verified");
            const bool newer_counts = has_counting() && counting_.back()->set > fact.set;
            if (here == Standing::not_good && !(drop_bad && newer_counts)) keep(fact.set, "not good");
        }
    }

    // What a staying set builds on stays.
    void keep_chains() {
        std::vector<std::string> kept;
        for (const auto& [set, reasons] : reasons_) kept.push_back(set);
        for (const auto& set : kept)
            for (const auto* parent : ancestors(*by_set_.at(set)))
                if (!reasons_.contains(parent->set) || !is_base_already(parent->set))
                    keep(parent->set, set + " builds on it");
    }

    std::vector<RetentionDecision> decisions() const {
        std::vector<RetentionDecision> out;
        for (const auto& fact : facts_) {
            const auto found = reasons_.find(fact.set);
            out.push_back({fact.set, found != reasons_.end(),
                           found == reasons_.end() ? std::vector<std::string>{} : found->second});
        }
        return out;
    }

  private:
    // The present sets that `fact` builds on, the nearest first. Ends at a gap or a circle.
    std::vector<const RetentionFact*> ancestors(const RetentionFact& fact) const {
        std::vector<const RetentionFact*> out;
        std::set<std::string> seen{fact.set};
        for (auto parent = fact.parent; parent && seen.insert(*parent).second;) {
            const auto found = by_set_.find(*parent);
            if (found == by_set_.end()) break;
            out.push_back(found->second);
            parent = found->second->parent;
        }
        return out;
    }
    bool is_whole(const RetentionFact& fact) const {
        const auto chain = ancestors(fact);
        return chain.empty() ? !fact.parent : !chain.back()->parent;
    }
    // Of a set together with all that it builds on.
    Standing standing(const RetentionFact& fact) const {
        Standing out = is_whole(fact) ? fact.standing : Standing::not_good;
        for (const auto* parent : ancestors(fact)) out = std::max(out, parent->standing);
        return out;
    }
    void each_bucket(const std::string& name, std::int64_t count, const Bucket& bucket) {
        std::set<std::int64_t> seen;
        for (auto i = counting_.rbegin(); i != counting_.rend(); ++i) {
            if (static_cast<std::int64_t>(seen.size()) >= count) return;
            if (seen.insert(bucket((*i)->created)).second) keep((*i)->set, name);
        }
    }
    bool is_base_already(const std::string& set) const {
        return std::ranges::any_of(reasons_.at(set),
                                   [](const auto& one) { return one.ends_with("builds on it"); });
    }

    std::vector<RetentionFact> facts_;
    std::map<std::string, const RetentionFact*> by_set_;
    std::vector<const RetentionFact*> counting_;
    std::map<std::string, std::vector<std::string>> reasons_;
};

}  // namespace

std::vector<RetentionDecision> decide(const KeepRules& rules, std::vector<RetentionFact> facts,
                                      bool drop_bad) {
    Plan plan(facts);
    if (!rules.any() || !plan.has_counting()) {
        std::ranges::sort(facts, {}, &RetentionFact::set);
        std::vector<RetentionDecision> out;
        for (const auto& fact : facts)
            out.push_back({fact.set, true, {rules.any() ? "no set is known to be good" : "no rule"}});
        return out;
    }
    plan.apply(rules);
    plan.keep_what_does_not_count(drop_bad);
    plan.keep_chains();
    return plan.decisions();
}

}  // namespace strongroom::backupset
