#include "agent/proof/assertions.hpp"

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {

std::optional<std::string> failed_assertion(const restore::SqlClient& client,
                                            const std::vector<std::string>& assertions) {
    for (std::size_t i = 0; i < assertions.size(); ++i) {
        const std::string which = "assertion " + std::to_string(i + 1);
        try {
            const auto rows = client.ask(assertions[i] + "\n;\n");
            if (rows.size() == 1 && rows.front() == restore::SqlRow{"1"}) continue;
            if (rows.size() == 1 && rows.front().size() == 1)
                return which + " says \"" + printable_line(rows.front().front(), 60) + "\", not 1";
            return which + " answered with " + std::to_string(rows.size()) +
                   " rows, not with one row of one column";
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::source) throw;
            return which + ": " + error.text();
        }
    }
    return std::nullopt;
}

}  // namespace strongroom::agent
