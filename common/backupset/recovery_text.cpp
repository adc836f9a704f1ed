// RECOVERY.txt, the file beside this one: what a stranger with the recovery key needs to get the data back
// without this project.
#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"

namespace strongroom::backupset {

extern const char* const recovery_template;  // compiled in by CMakeLists.txt

namespace {

void replace_all(std::string& in, std::string_view from, const std::string& to) {
    for (std::size_t at = 0; (at = in.find(from, at)) != std::string::npos; at += to.size())
        in.replace(at, from.size(), to);
}

}  // namespace

std::string recovery_text(const std::string& server, const std::string& identity) {
    if (!is_uuid(server) || !is_fingerprint(identity))
        throw Error(ErrorKind::internal, "the recovery text needs a server id and a full fingerprint");
    std::string out(recovery_template);
    replace_all(out, "@SERVER@", server);
    replace_all(out, "@IDENTITY@", identity);
    return out;
}

}  // namespace strongroom::backupset
