#include "dispatcher/audit/chain.hpp"

#include <algorithm>

#include "common/base/clock.hpp"
#include "common/base/encoding.hpp"
#include "common/base/printable.hpp"

namespace strongroom::dispatcher {
namespace {

void add_netstring(std::string& out, std::string_view bytes) {
    out += std::to_string(bytes.size());
    out += ':';
    out += bytes;
    out += ',';
}

std::string about(const AuditEntry& entry) {
    return "entry " + std::to_string(entry.seq) + " (" + format_utc(from_millis(entry.time)) + ", " +
           printable_line(entry.action, 60) + " of " + printable_line(entry.object, 80) + ", id " +
           printable_line(entry.id, 40) + ")";
}

}  // namespace

std::string audit_digest(std::string_view previous, const AuditEntry& entry) {
    std::string text;
    add_netstring(text, previous);
    add_netstring(text, std::to_string(entry.seq));
    add_netstring(text, entry.id);
    add_netstring(text, std::to_string(entry.time));
    for (const auto* field :
         {&entry.owner, &entry.actor, &entry.action, &entry.object, &entry.outcome, &entry.text})
        add_netstring(text, *field);
    return sha256_hex(text);
}

void ChainCheck::problem(const std::string& text) {
    if (++found_ <= max_problems) problems_.push_back(text);
}

void ChainCheck::next(const AuditEntry& entry) {
    ++count_;
    const std::int64_t expected = head_.seq + 1;
    if (entry.seq > expected) {
        // What was removed is between the two; the entry after the gap cannot be checked against it.
        problem(entry.seq == expected + 1 ? "entry " + std::to_string(expected) + " is missing"
                                          : "entries " + std::to_string(expected) + " to " +
                                                std::to_string(entry.seq - 1) + " are missing");
        if (audit_digest(head_.hash, entry) == entry.hash)
            problem(about(entry) + " was numbered anew: it follows entry " + std::to_string(head_.seq));
    } else if (entry.seq < expected) {
        problem(about(entry) + " stands twice or before its place");
    } else if (audit_digest(head_.hash, entry) != entry.hash) {
        problem(about(entry) +
                " does not match its digest: it was changed, put in or moved, or an entry before it was");
    }
    head_ = {entry.seq, entry.hash};
    std::erase(anchors_, entry.hash);
}

std::vector<std::string> ChainCheck::finish() {
    std::vector<std::string> out = problems_;
    if (found_ > max_problems) out.push_back("... and " + std::to_string(found_ - max_problems) + " more");
    for (const auto& anchor : anchors_)
        out.push_back(
            "no entry has the digest " + printable_line(anchor, 64) +
            " that was kept as a head: the newest entries were cut off, or the trail was written anew");
    return out;
}

}  // namespace strongroom::dispatcher
