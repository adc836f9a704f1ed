#include "dispatcher/auth/own_keys.hpp"

namespace strongroom::dispatcher {

std::vector<std::string> OwnKeys::others() const {
    std::vector<std::string> out = former;
    if (!next.empty()) out.push_back(next);
    return out;
}

OwnKeys own_keys(const std::vector<KeyChange>& changes, const std::string& root) {
    OwnKeys out;
    out.current = changes.empty() ? root : changes.front().current;
    for (const auto& change : changes) {
        if (change.switched == 0) {
            out.next = change.next;
            break;
        }
        out.current = change.next;
        if (change.retired == 0) out.former.insert(out.former.begin(), change.current);
    }
    return out;
}

}  // namespace strongroom::dispatcher
