// What pruning does with the sets of one server: a plan to look at, then its steps. Sets go in two steps
// (pruner.hpp); which ones is decided by rules (retention.hpp) over sets that were verified
// (verification_log.hpp).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/backupset/set_list.hpp"
#include "common/base/clock.hpp"
#include "common/maintenance/pruner.hpp"
#include "common/maintenance/retention.hpp"
#include "common/maintenance/trusted_server.hpp"
#include "common/maintenance/verification_log.hpp"

namespace strongroom::maintenance {

// A set that was begun so long ago and has no signature is garbage.
inline constexpr std::chrono::hours unfinished_after{24};
inline constexpr std::chrono::hours default_grace{7 * 24};

struct PruneRules {
    KeepRules keep;
    std::chrono::seconds grace = default_grace;  // between mark and removal; 0: removed at once
    std::chrono::seconds verified_within{0};     // a verification counts if it is not older; 0: for ever
    std::chrono::seconds logs_within{0};         // pieces of the binary log (log_prune.hpp); 0: as the sets
    bool drop_bad = false;                       // sets that are not good go too, if a newer one counts
};

enum class PruneAction { none, mark, unmark, wait, remove };

// What becomes of one set folder.
struct PruneStep {
    std::string set;
    std::int64_t bytes = 0;  // stored
    bool keep = true;
    bool verified = true;  // false: it stays because it was not verified
    std::string why;
    PruneAction action = PruneAction::none;
    UtcTime due{};                 // of a wait: when it may go
    std::int64_t objects = 0;      // of an unfinished set
    storage::KeptVersions kept{};  // of one that goes: what a store that keeps versions keeps of it
};

std::string text_of(const storage::KeptVersions& kept);  // "12 versions, 240 KiB; the last of them is ..."
std::string text_of(const PruneStep& step);  // "mark", "wait until 2026-11-29T01:37:00Z", ...; empty: none

class Prune {
  public:
    // Reads the marks. `log` is what counts as verified, and forgets what is removed. Both must outlive this.
    Prune(const TrustedServer& server, VerificationLog& log, const PruneRules& rules, UtcTime now);

    // One step for each set folder that is committed or unfinished, by set id. Changes nothing.
    std::vector<PruneStep> plan();

    // Does the steps of a plan; `before_each` may throw to stop between two, `on_removed` hears of each set
    // that is gone.
    void apply(const std::vector<PruneStep>& plan, const std::function<void(const PruneStep&)>& before_each,
               const std::function<void(const std::string& set)>& on_removed);

  private:
    std::vector<PruneStep> committed();
    Standing standing(const backupset::SetInfo& info) const;
    void decide_action(PruneStep& step) const;

    TrustedServer server_;
    VerificationLog& log_;
    PruneRules rules_;
    UtcTime now_;
    std::map<std::string, PruneMark> marks_;
};

}  // namespace strongroom::maintenance
