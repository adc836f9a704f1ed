// The dispatcher's public key that was compiled in (cmake/DispatcherKey.cmake).
#pragma once

#include <string>
#include <string_view>

#include "common/gpg/home.hpp"
#include "proto/sealed.hpp"

namespace strongroom::proto {

std::string_view compiled_in_dispatcher_key();  // armored
const std::string& compiled_in_fingerprint();   // of its primary key
bool dispatcher_key_is_development();

// The dispatcher as a party that never changes its key (agents and clients use dispatcher_pins.hpp): imports
// the compiled-in key into `home` (made if missing) and removes nothing else. The fingerprint is that of the
// compiled-in key, never of what the home happened to hold.
Party dispatcher_party(const std::filesystem::path& home);

// Refuses (Error{refused}) a development key for anything but loopback, and plain http for anything but
// loopback.
void require_address_allowed(const std::string& url);

// "0.1.0, dispatcher key ABCD ..., DEVELOPMENT KEY" for --version.
std::string version_line();

}  // namespace strongroom::proto
