// From a URL to a store: the one place that knows all kinds of stores.
#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/storage/local_store.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::storage {
namespace {

constexpr std::string_view local_scheme = "file://";

std::filesystem::path local_root(const std::string& url) {
    const std::filesystem::path path = url.substr(local_scheme.size());
    const bool climbs = std::ranges::find(path, "..") != path.end();
    if (!path.is_absolute() || climbs || url.find('\0') != std::string::npos)
        throw Error(ErrorKind::config, "the store URL " + printable_line(url) + " needs an absolute path",
                    "Write it with three slashes: file:///srv/backups");
    const auto normal = path.lexically_normal();
    return normal.has_filename() ? normal : normal.parent_path();  // without a slash at the end
}

}  // namespace

std::unique_ptr<ObjectStore> open_store(const std::string& url, bool create) {
    if (url.starts_with(local_scheme)) return std::make_unique<LocalStore>(local_root(url), create);
    throw Error(ErrorKind::config, "not a store URL that this program knows: " + printable_line(url),
                "Use a folder: file:///srv/backups");
}

}  // namespace strongroom::storage
