// Multipart uploads: for objects over S3Settings::multipart_above, and what killed processes left of them.
#pragma once

#include "common/storage/object_store.hpp"
#include "common/storage/s3/s3_client.hpp"

namespace strongroom::storage {

// What goes with every new object: storage class, encryption.
std::vector<std::pair<std::string, std::string>> object_headers(const S3Settings& settings);

// The object appears when all parts are there; after an error the upload is aborted, as far as the server can
// be reached. Parts follow each other: the workers give the parallelism.
void put_in_parts(S3Client& client, const std::string& key, BytesView bytes);

// Aborts uploads under `prefix` that began longer ago than S3Settings::unfinished_age; how many.
std::size_t abort_old_uploads(S3Client& client, const std::string& prefix);

}  // namespace strongroom::storage
