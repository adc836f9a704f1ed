// The audit trail as a hash chain: the digest of each entry covers the digest before it, so that an entry
// that is changed, removed, put in or moved breaks the chain there. What the chain alone cannot show is that
// its newest entries were cut off, or that it was computed anew from some entry on: keep a head (number and
// digest) elsewhere and compare.
//
// digest(n) = SHA-256, in lower-case hexadecimal, of ten netstrings ("LENGTH:BYTES,") joined: digest(n-1),
// seq, id, time, owner, actor, action, object, outcome, text. digest(0) is 64 zeros. docs/operator-guide.md
// says it for programs of others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/store/records.hpp"

namespace strongroom::dispatcher {

inline constexpr std::string_view audit_genesis =
    "0000000000000000000000000000000000000000000000000000000000000000";

std::string audit_digest(std::string_view previous, const AuditEntry& entry);

// Takes all entries in the order of their numbers and says where the chain breaks.
class ChainCheck {
  public:
    // `anchors`: heads that were written down before; each must be the digest of some entry.
    explicit ChainCheck(std::vector<std::string> anchors = {}) : anchors_(std::move(anchors)) {}

    void next(const AuditEntry& entry);
    // After the last entry: one line for each break, with the entry's number and what it is about; at most
    // `max_problems`. Empty: the chain is whole.
    std::vector<std::string> finish();

    AuditHead head() const { return head_; }
    std::int64_t count() const { return count_; }
    static constexpr std::size_t max_problems = 50;

  private:
    void problem(const std::string& text);

    std::vector<std::string> anchors_;
    AuditHead head_{0, std::string(audit_genesis)};
    std::int64_t count_ = 0;
    std::size_t found_ = 0;
    std::vector<std::string> problems_;
};

}  // namespace strongroom::dispatcher
