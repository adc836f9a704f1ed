// Which of the dispatcher's own keys does what, from the chain of their changes.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/store/records.hpp"

namespace strongroom::dispatcher {

struct OwnKeys {
    std::string current;              // signs
    std::string next;                 // named by a statement of the current one; empty: none
    std::vector<std::string> former;  // that still decrypt, newest first

    const std::string& newest() const { return next.empty() ? current : next; }
    std::vector<std::string> others() const;  // next and former
    bool operator==(const OwnKeys&) const = default;
};

// `root` is the current key while there was no change.
OwnKeys own_keys(const std::vector<KeyChange>& changes, const std::string& root);

}  // namespace strongroom::dispatcher
