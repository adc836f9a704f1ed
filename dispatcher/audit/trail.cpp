#include "dispatcher/audit/trail.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::int64_t batch = 1000;

}  // namespace

void for_each_entry(Store& store, const std::function<void(const AuditEntry&)>& visit) {
    std::int64_t after = 0;  // out here: a read that is run again goes on, so that each entry is visited once
    store.read([&](Transaction& tx) {
        for (auto entries = tx.audit_after(after, batch); !entries.empty();
             entries = tx.audit_after(after, batch)) {
            for (const auto& entry : entries) visit(entry);
            after = entries.back().seq;
        }
    });
}

}  // namespace strongroom::dispatcher
