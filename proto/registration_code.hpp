// The code that lets one new server in: XXXXX-XXXXX-XXXXX-XXXXX. The user's client makes it and tells the
// dispatcher its hash alone; whoever registers shows the hash to the gate and the code inside the sealed
// message.
#pragma once

#include <string>
#include <string_view>

namespace strongroom::proto {

// 20 characters of base32 (no 0, 1, 8, 9 to mistake), 100 random bits.
std::string make_registration_code();

// As a person may type it: without dashes and spaces, in capitals. Throws Error{usage} if that is no code.
std::string normalised_registration_code(std::string_view code);

// SHA-256, in hexadecimal digits, of the code in capitals without dashes and spaces.
std::string registration_code_hash(std::string_view code);

}  // namespace strongroom::proto
