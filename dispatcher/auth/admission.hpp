// The cheap gate (PROTOCOL.md sections 1 and 3, step 1): which peer claims to speak. It authorises nothing,
// costs one lookup, and comes before any gpg process (S15).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "dispatcher/store/store.hpp"

namespace strongroom::dispatcher {

enum class Role { user, agent, registrant };
std::string_view name(Role role);

// Exactly the member of the role is set.
struct Admission {
    Role role = Role::user;
    std::optional<User> user;
    std::optional<Server> server;
    std::optional<RegistrationCode> code;

    // The fingerprint that must have signed; empty for a registrant, whose key is in its message.
    std::string fingerprint() const;
    // The user whose audit log this peer's actions belong to.
    std::string owner() const;
};

// `authorization` is the header's value. Throws Error{unauthenticated} for anything that is not known; the
// text never tells which part was wrong.
Admission admit(Store& store, const Clock& clock, std::string_view authorization);

// The gate of the long poll, which is for agents only, with the first look for work. Throws as admit().
WaitingAgent admit_waiting(Store& store, std::string_view authorization);

}  // namespace strongroom::dispatcher
