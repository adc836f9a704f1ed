#include "common/storage/open/open_store.hpp"

#include <algorithm>

#include "common/base/abandonable.hpp"
#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/storage/local_store.hpp"
#include "common/storage/s3/s3_as_of.hpp"
#include "common/storage/s3/s3_store.hpp"
#include "common/storage/sftp/sftp_store.hpp"

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

std::unique_ptr<ObjectStore> open_store(const std::string& url, bool create, const StoreSettings& settings) {
    if (url.starts_with(local_scheme)) return std::make_unique<LocalStore>(local_root(url), create);
    if (url.starts_with(s3_scheme)) return std::make_unique<S3Store>(url, settings.s3);
    if (url.starts_with(sftp_scheme)) return std::make_unique<SftpStore>(url, settings.sftp);
    throw Error(ErrorKind::config, "not a store URL that this program knows: " + printable_line(url),
                "Use file:///srv/backups, s3://BUCKET/PREFIX or sftp://USER@HOST/folder.");
}

std::unique_ptr<ObjectStore> open_store_as_of(const std::string& url, const StoreSettings& settings,
                                              UtcTime moment) {
    if (url.starts_with(s3_scheme)) return std::make_unique<S3AsOfStore>(url, settings.s3, moment);
    throw Error(ErrorKind::config, "only S3 stores keep versions: " + printable_line(url),
                "A folder goes back in time by its file system's snapshots: name that folder.");
}

std::shared_ptr<RetryingStore> open_guarded_store(const std::string& url, bool create,
                                                  const StoreSettings& settings, const Guard& guard) {
    const Patience patience{.limit = guard.timeout, .stop = guard.stop};
    const auto open = [url, create, settings]() -> std::shared_ptr<ObjectStore> {
        return open_store(url, create, settings);
    };
    auto store = run_abandonable(patience, open, [&](Abandoned why) {
        const std::string text = "opening the store " + printable_line(url);
        if (why == Abandoned::stopped) throw Error(ErrorKind::interrupted, text + " was stopped");
        throw Error(ErrorKind::timeout, text + " did not end within " + format_duration(patience.limit),
                    "See whether its mount hangs, or whether its server answers.");
    });
    return guard_store(std::move(store), guard);
}

}  // namespace strongroom::storage
