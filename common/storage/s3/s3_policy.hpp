// The least policies for an S3 bucket of backups.
//
// - agent: puts new objects under its prefix and nothing else: it cannot read, list, delete, change a
//   retention or touch versions. All else is denied, so that neither the ownership of its own objects nor
//   another policy gives it back.
//   Where it locks what it puts (s3-object-lock), it may set a retention, which can make one longer, never
//   shorter; servers that know the condition hold it to that length.
//   One that rotates its keys by itself also lists the sets and reads their envelopes, and nothing else: they
//   are encrypted to a key that the host has.
// - pruner: lists, reads and removes under the prefix, and puts its marks (docs/format.md). In a bucket that
//   keeps versions removing leaves the older one; it cannot remove versions or shorten a retention.
// - verifier: lists and reads under the prefix, and nothing else: a host that verifies and proves sets.
// - owner: all.
//
// Form: docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
#pragma once

#include <string>

#include "common/storage/s3/s3_address.hpp"

namespace strongroom::storage {

struct S3PolicyUsers {
    std::string agent;   // "arn:aws:iam::ACCOUNT:user/NAME", or a name, which is a user of a Ceph gateway
    std::string pruner;  // may be empty
    std::string owner;   // may be empty
    bool agent_rotates = false;
    std::string verifier{};  // may be empty
};

// A bucket policy, as JSON with two blanks for each level. `below`: "SERVER/" or empty, behind the store's
// own prefix. `lock_for`: s3-lock-for in seconds, 0 if the agent locks nothing. Throws Error{usage} for a
// name that cannot be a user.
std::string s3_bucket_policy(const S3Address& address, const std::string& below, const S3PolicyUsers& users,
                             std::int64_t lock_for = 0);

}  // namespace strongroom::storage
