#include "proto/registration_code.hpp"

#include <algorithm>
#include <cctype>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::proto {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t characters = 20;

std::string without_dashes(std::string_view code) {
    std::string out;
    for (const char c : code)
        if (c != '-' && c != ' ') out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

}  // namespace

std::string make_registration_code() {
    std::string out;
    for (const char byte : random_bytes(characters)) {
        if (out.size() % 6 == 5) out += '-';
        out += alphabet[static_cast<unsigned char>(byte) % alphabet.size()];  // 256 / 32: no bias
    }
    return out;
}

std::string normalised_registration_code(std::string_view code) {
    std::string out = without_dashes(code);
    if (out.size() != characters || out.find_first_not_of(alphabet) != std::string::npos)
        throw Error(ErrorKind::usage, "that is not a registration code",
                    "It looks like XXXXX-XXXXX-XXXXX-XXXXX; get one with: strongroom registration create");
    return out;
}

std::string registration_code_hash(std::string_view code) {
    return sha256_hex(without_dashes(code));
}

}  // namespace strongroom::proto
