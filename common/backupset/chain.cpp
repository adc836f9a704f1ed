#include "common/backupset/chain.hpp"

#include <algorithm>
#include <set>

#include "common/backupset/segment_reader.hpp"
#include "common/backupset/set_list.hpp"
#include "common/base/error.hpp"

namespace strongroom::backupset {
namespace {

constexpr const char* choose_another =
    "Choose another set with --set; see `strongroom backup list`, and `strongroom verify`.";

}  // namespace

std::string chain_problem(const std::map<std::string, Manifest>& trusted, const std::string& set) {
    std::set<std::string> seen;
    for (auto here = trusted.find(set); here != trusted.end();) {
        const Manifest& manifest = here->second;
        if (manifest.kind == "full") return "";
        if (!seen.insert(manifest.set).second) return "set " + manifest.set + " builds on itself";
        if (!manifest.parent) return "set " + manifest.set + " is an increment without a parent";
        const auto parent = trusted.find(*manifest.parent);
        if (parent == trusted.end())
            return "set " + *manifest.parent + ", on which " + manifest.set +
                   " builds, is missing or not good";
        if (!manifest.position.lsn_from || manifest.position.lsn_from != parent->second.position.lsn_to)
            return "set " + manifest.set + " does not begin at the LSN where " + *manifest.parent + " ends";
        if (manifest.stream != parent->second.stream || manifest.source_tool != parent->second.source_tool)
            return "set " + manifest.set + " was made by another tool than " + *manifest.parent;
        here = parent;
    }
    return "set " + set + " is missing or not good";
}

std::vector<Manifest> read_chain(storage::ObjectStore& store, const Manifest& newest,
                                 const Signers& signers) {
    std::vector<Manifest> out{newest};
    std::map<std::string, Manifest> trusted{{newest.set, newest}};
    while (out.back().parent && !trusted.contains(*out.back().parent)) {
        const std::string parent = *out.back().parent;
        try {
            out.push_back(read_manifest(store, newest.server, parent, signers));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::not_found && !is_about_the_data(error.kind())) throw;
            throw Error(ErrorKind::corrupt,
                        "set " + newest.set + " builds on set " + parent + ": " + error.text(),
                        choose_another);
        }
        trusted.emplace(parent, out.back());
    }
    if (const auto problem = chain_problem(trusted, newest.set); !problem.empty())
        throw Error(ErrorKind::corrupt, "set " + newest.set + " cannot be restored: " + problem,
                    choose_another);
    std::ranges::reverse(out);
    return out;
}

}  // namespace strongroom::backupset
