// What protects a bucket against whoever holds stolen credentials, as far as these credentials may ask.
#pragma once

#include <string>
#include <vector>

#include "common/storage/s3/s3_client.hpp"

namespace strongroom::storage {

enum class BucketVerdict { ok, missing, unknown };

struct BucketFinding {
    std::string what;  // "versioning"
    BucketVerdict verdict;
    std::string text;  // what the bucket says
    std::string risk;  // of what is missing, and what to do; empty if all is well
};

// Versioning, Object Lock, lifecycle, encryption, policy. A question that is refused is a finding. Throws
// Error{network}, Error{config}, ... if the bucket cannot be reached at all.
std::vector<BucketFinding> check_bucket(S3Client& client);

}  // namespace strongroom::storage
