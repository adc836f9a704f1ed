// How an S3 store is reached. Credentials are not here: see credentials.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace strongroom::storage {

struct S3Settings {
    std::string endpoint;             // "https://s3.example.org:9000"; empty: AWS of the region
    std::string region;               // empty: AWS_REGION, AWS_DEFAULT_REGION, us-east-1
    std::string addressing = "auto";  // path, virtual; auto: path with an endpoint of your own, else virtual
    std::filesystem::path ca_file;    // PEM; empty: the system's authorities
    std::filesystem::path credentials_file;  // private, in the form of AWS's shared credentials file
    std::string profile;                     // in that file; empty: AWS_PROFILE, "default"
    std::string storage_class;               // as in STANDARD_IA; empty: the bucket's
    std::string encryption;                  // AES256, aws:kms; empty: the bucket's
    std::string kms_key;                     // with aws:kms
    // Object Lock of every object that is put: nobody can remove that version before its time.
    std::string object_lock;    // "governance", "compliance"; empty: the bucket's default retention, if any
    std::int64_t lock_for = 0;  // seconds from the put on
    // Larger objects go up in parts. S3's own limit for one put is 5 GiB, for a part 5 MiB or more.
    std::int64_t multipart_above = 512LL << 20;  // bytes
    std::int64_t connections = 0;                // objects that travel at once; 0: network_transfers()
    std::int64_t connect_timeout = 15;           // seconds
    std::int64_t stall_timeout = 60;             // seconds without a byte after which a transfer is given up
    std::int64_t unfinished_age = 86'400;        // seconds; older multipart uploads are nobody's
};

}  // namespace strongroom::storage
