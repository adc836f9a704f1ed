// From a URL to a store: the one place that knows all kinds of stores.
//
//   file:///absolute/path     a folder
//   s3://BUCKET/PREFIX        an S3 bucket; server, region and credentials are settings
//   sftp://USER@HOST/folder   a folder on an SFTP server; key and known hosts are settings
//
#pragma once

#include <memory>
#include <string>

#include "common/storage/guarded_store.hpp"
#include "common/storage/object_store.hpp"
#include "common/storage/open/store_settings.hpp"

namespace strongroom::storage {

// `create` makes the root folder of a local store if it is missing. Throws Error{config} for a URL or a
// setting that cannot be right, Error{not_found} for a folder that does not exist.
std::unique_ptr<ObjectStore> open_store(const std::string& url, bool create,
                                        const StoreSettings& settings = {});

// The store as it was at a moment, read-only: for buckets that keep versions. Throws Error{config} for
// others.
std::unique_ptr<ObjectStore> open_store_as_of(const std::string& url, const StoreSettings& settings,
                                              UtcTime moment);

// open_store() with guard_store() around it. Opening may hang too: Error{timeout} then.
std::shared_ptr<RetryingStore> open_guarded_store(const std::string& url, bool create,
                                                  const StoreSettings& settings, const Guard& guard);

}  // namespace strongroom::storage
