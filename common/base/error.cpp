#include "common/base/error.hpp"

#include <array>
#include <cstring>

#include "common/base/printable.hpp"

namespace strongroom {
namespace {

struct KindRow {
    ErrorKind kind;
    std::string_view name;
    int exit_code;
};

constexpr std::array kinds{
    KindRow{ErrorKind::internal, "internal", 1},
    KindRow{ErrorKind::usage, "usage", 2},
    KindRow{ErrorKind::config, "config", 3},
    KindRow{ErrorKind::insecure_file, "insecure_file", 4},
    KindRow{ErrorKind::not_found, "not_found", 5},
    KindRow{ErrorKind::exists, "exists", 6},
    KindRow{ErrorKind::refused, "refused", 7},
    KindRow{ErrorKind::unauthenticated, "unauthenticated", 8},
    KindRow{ErrorKind::forbidden, "forbidden", 9},
    KindRow{ErrorKind::protocol, "protocol", 10},
    KindRow{ErrorKind::crypto, "crypto", 11},
    KindRow{ErrorKind::corrupt, "corrupt", 12},
    KindRow{ErrorKind::source, "source", 13},
    KindRow{ErrorKind::storage, "storage", 14},
    KindRow{ErrorKind::network, "network", 15},
    KindRow{ErrorKind::busy, "busy", 16},
    KindRow{ErrorKind::tool_missing, "tool_missing", 17},
    KindRow{ErrorKind::timeout, "timeout", 18},
    KindRow{ErrorKind::interrupted, "interrupted", 19},
};

const KindRow& row(ErrorKind kind) {
    for (const auto& candidate : kinds)
        if (candidate.kind == kind) return candidate;
    return kinds.front();
}

}  // namespace

std::string_view name(ErrorKind kind) {
    return row(kind).name;
}

ErrorKind error_kind_from_name(std::string_view name) {
    for (const auto& candidate : kinds)
        if (candidate.name == name) return candidate.kind;
    return ErrorKind::internal;
}

int exit_code(ErrorKind kind) {
    return row(kind).exit_code;
}

Error Error::with_context(std::string_view context) const {
    return Error(kind_, std::string(context) + ": " + what(), hint_).with_system_code(system_code_);
}

Error Error::with_system_code(int code) const {
    Error out = *this;
    out.system_code_ = code;
    return out;
}

Error system_error(ErrorKind kind, std::string_view text, int errno_value, std::string hint) {
    std::array<char, 128> buffer{};
    const char* reason = strerror_r(errno_value, buffer.data(), buffer.size());
    return Error(kind, std::string(text) + ": " + reason, std::move(hint)).with_system_code(errno_value);
}

std::string describe(std::string_view program, const Error& error) {
    std::string out = std::string(program) + ": error: " + printable(error.text()) + "\n";
    if (!error.hint().empty()) out += "HINT: " + printable(error.hint()) + "\n";
    return out;
}

}  // namespace strongroom
