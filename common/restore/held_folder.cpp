#include "common/restore/held_folder.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>
#include <system_error>

#include "common/base/error.hpp"
#include "common/base/temporary_owner.hpp"
#include "common/restore/private_server.hpp"

namespace strongroom::restore {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view held_prefix = ".strongroom-";
constexpr std::string_view held_mark = ".XXXXXX";  // for mkdtemp

bool is_held_name(const std::string& name) {
    return name.starts_with(held_prefix) && name.size() > held_prefix.size() + held_mark.size() &&
           name[name.size() - held_mark.size()] == '.';
}

}  // namespace

HeldFolder::HeldFolder(const fs::path& parent, const std::string& what) {
    do {
        std::string name = (parent / (std::string(held_prefix) + what + std::string(held_mark))).string();
        if (::mkdtemp(name.data()) == nullptr)
            throw system_error(ErrorKind::storage, "cannot make a temporary folder in " + parent.string(),
                               errno);
        path_ = name;
        held_ = UniqueFd(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    } while (!held_ || !hold_temporary(held_.get()));  // a sweep took it in the moment before
}

HeldFolder::~HeldFolder() {
    remove_patiently(path_);
}

std::size_t remove_abandoned_folders(const fs::path& parent) {
    std::size_t out = 0;
    std::error_code failure;
    for (fs::directory_iterator entries(parent, failure); !failure && entries != fs::directory_iterator();
         entries.increment(failure)) {
        const fs::path& folder = entries->path();
        if (!is_held_name(folder.filename().string())) continue;
        if (remove_if_abandoned(folder, [&] { PrivateServer::end_abandoned(folder / "run"); })) ++out;
    }
    return out;
}

}  // namespace strongroom::restore
