#include "common/maintenance/retention.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace strongroom::maintenance {
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
// 1970-01-01 was a Thursday: three days later is the end of a first week.
std::int64_t week_of(UtcTime time) {
    return floor<std::chrono::weeks>(time + days(3)).time_since_epoch().count();
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
        for (auto& [set, fact] : by_set_) {
            standings_[set] = standing_with_chain(*fact);
            if (standings_[set] == Standing::good) counting_.push_back(fact);
        }
    }

    bool has_counting() const { return !counting_.empty(); }

    void keep(const std::string& set, const std::string& reason) { reasons_[set].push_back(reason); }

    void keep_all(const std::string& reason) {
        for (const auto& fact : facts_) keep(fact.set, reason);
    }

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
        for (const auto& [set, standing] : standings_) {
            if (standing == Standing::not_verified) keep(set, not_verified);
            const bool newer_counts = counting_.back()->set > set;
            if (standing == Standing::not_good && !(drop_bad && newer_counts)) keep(set, "not good");
        }
    }

    // What a staying set builds on stays. One set that builds on it is told for each.
    void keep_chains() {
        std::map<std::string, std::string> bases;
        for (const auto& [set, reasons] : reasons_)
            for (const auto* base : chain_of(*by_set_.at(set))) bases.try_emplace(base->set, set);
        for (const auto& [base, set] : bases) keep(base, set + " builds on it");
    }

    std::vector<RetentionDecision> decisions() {
        std::vector<RetentionDecision> out;
        for (const auto& fact : facts_) {
            auto& reasons = reasons_[fact.set];
            out.push_back({fact.set, !reasons.empty(), std::move(reasons)});
        }
        return out;
    }

  private:
    // The present sets that `fact` builds on, the nearest first. Ends at a gap or a circle.
    std::vector<const RetentionFact*> chain_of(const RetentionFact& fact) const {
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
    // Of a set together with all that it builds on.
    Standing standing_with_chain(const RetentionFact& fact) const {
        const auto chain = chain_of(fact);
        const auto& first = chain.empty() ? fact : *chain.back();
        Standing out = first.parent ? Standing::not_good : fact.standing;
        for (const auto* base : chain) out = std::max(out, base->standing);
        return out;
    }
    void each_bucket(const std::string& name, std::int64_t count, const Bucket& bucket) {
        std::set<std::int64_t> seen;
        for (auto i = counting_.rbegin(); i != counting_.rend(); ++i) {
            if (static_cast<std::int64_t>(seen.size()) >= count) return;
            if (seen.insert(bucket((*i)->created)).second) keep((*i)->set, name);
        }
    }

    std::vector<RetentionFact> facts_;
    std::map<std::string, const RetentionFact*> by_set_;
    std::map<std::string, Standing> standings_;
    std::vector<const RetentionFact*> counting_;  // oldest first
    std::map<std::string, std::vector<std::string>> reasons_;
};

}  // namespace

std::vector<RetentionDecision> decide(const KeepRules& rules, std::vector<RetentionFact> facts,
                                      bool drop_bad) {
    Plan plan(std::move(facts));
    if (!rules.any()) {
        plan.keep_all("no rule");
    } else if (!plan.has_counting()) {
        plan.keep_all("no set is known to be good");
    } else {
        plan.apply(rules);
        plan.keep_what_does_not_count(drop_bad);
        plan.keep_chains();
    }
    return plan.decisions();
}

}  // namespace strongroom::maintenance
