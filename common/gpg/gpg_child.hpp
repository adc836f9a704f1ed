// Private to common/gpg: one run of gpg over memory files. GPGME starts `gpg --version` beside each operation
// in a home of its own, and copies through its own event loop; where gpg runs once for each segment or
// envelope, it is started directly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/mem_file.hpp"
#include "common/base/secret.hpp"
#include "common/base/subprocess.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::gpg {

struct ChildOutcome {
    ExitStatus status;
    std::string status_lines;
    std::string last_error;  // last line of stderr

    // gpg's own report: "[GNUPG:] WORD ...".
    bool says(std::string_view word) const;
    std::string reason() const { return status.describe() + (last_error.empty() ? "" : ": " + last_error); }
};

// Runs `program` with `arguments` in `home` (which may be the default one), `in` as stdin and `out` as
// stdout, both from their beginnings, status lines on descriptor 3; descriptor 4 is `passphrase` if that is
// open. No option file takes part. Throws Error{timeout} for a gpg that hangs.
ChildOutcome run_gpg(const std::string& program, const Home& home, const std::vector<std::string>& arguments,
                     const MemFile& in, MemFile& out, const UniqueFd& passphrase = {});

// What a failed run wrote, or an earlier one left, must not be taken for a result.
template <class Function>
void empty_unless_done(MemFile& out, Function&& function) {
    try {
        function();
    } catch (...) {
        out.resize(0);
        throw;
    }
}

}  // namespace strongroom::gpg
