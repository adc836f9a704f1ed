// The XML documents of the S3 protocol that are read here (docs.aws.amazon.com/AmazonS3/latest/API), through
// pugixml, which knows no entities but XML's own five and no external ones. All of it is foreign input: sizes
// are capped before, and nothing in it is believed but what fits.
//
// Throw Error{protocol} for what is no such document.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"

namespace strongroom::storage {

// 1,000 entries of at most 1,024 bytes, each byte three when it is URL-encoded, twice (prefix), and the rest.
inline constexpr std::size_t max_s3_page = 8U << 20U;

struct S3ErrorDocument {
    std::string code;     // "NoSuchKey"; empty if the body is no such document
    std::string message;  // both printable, in one line, capped
    std::string region;   // of "the bucket is elsewhere"
};
S3ErrorDocument parse_s3_error(BytesView xml);  // does not throw
bool is_s3_error(BytesView xml);                // an <Error> document, whatever the HTTP status

struct S3Entry {
    std::string key;  // whole, decoded, not yet held against our rules
    std::int64_t size = 0;
};
struct S3Page {
    std::vector<S3Entry> objects;
    std::vector<std::string> folders;  // CommonPrefixes, whole
    std::optional<std::string> next;   // continuation token
};
S3Page parse_s3_page(BytesView xml);

struct S3Upload {
    std::string key;
    std::string id;
    UtcTime initiated;
};
struct S3UploadPage {
    std::vector<S3Upload> uploads;
    std::optional<std::pair<std::string, std::string>> next;  // key marker, upload id marker
};
S3UploadPage parse_s3_uploads(BytesView xml);

struct S3Version {
    std::string key;
    std::string id;
    UtcTime modified;
    bool deleted = false;  // a delete marker
    std::int64_t size = 0;
};
struct S3VersionPage {
    std::vector<S3Version> versions;                          // as listed: by key, the newest first
    std::optional<std::pair<std::string, std::string>> next;  // key marker, version id marker
};
S3VersionPage parse_s3_versions(BytesView xml);

std::string parse_s3_upload_id(BytesView xml);  // of CreateMultipartUpload

// "2026-11-22T09:09:00.178Z", with or without the fraction.
UtcTime parse_s3_time(std::string_view text);

}  // namespace strongroom::storage
