// The versions that a bucket keeps of its objects.
#pragma once

#include <functional>
#include <string>

#include "common/storage/object_store.hpp"
#include "common/storage/s3/s3_client.hpp"
#include "common/storage/s3/s3_documents.hpp"

namespace strongroom::storage {

// Every version and delete marker under `prefix` (of the store), by key and the newest first; keys are whole.
// Throws what asking throws, and Error{protocol} for too many.
void for_each_version(S3Client& client, const std::string& prefix,
                      const std::function<void(S3Version&)>& visit);

// ObjectStore::kept_versions(). The lock is asked of the versions that were put last, a few of them: what was
// put before under the same settings ends before.
KeptVersions kept_versions(S3Client& client, const std::string& prefix);

}  // namespace strongroom::storage
