#include "common/storage/s3/multipart.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/storage/s3/s3_documents.hpp"

namespace strongroom::storage {
namespace {

// docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
constexpr std::size_t least_part = 5U << 20U;
constexpr std::size_t most_parts = 10'000;
constexpr int max_upload_pages = 1'000;

std::size_t part_size(std::size_t size, std::size_t limit) {
    const std::size_t fitting = (size + most_parts - 1) / most_parts;
    return std::max({least_part, fitting, std::min<std::size_t>(limit, 64U << 20U)});
}

void abort_upload(S3Client& client, const std::string& key, const std::string& id) {
    const std::string what = "abort of the upload of " + key;
    const auto answer = client.ask(what, {.method = "DELETE", .key = key, .query = {{"uploadId", id}}});
    if (answer.status != 204 && answer.status != 200 && answer.status != 404)
        throw_s3_error(client, what, answer);
}

std::string quoted_for_xml(const std::string& tag) {
    for (const char c : tag)
        if (c < ' ' || c >= 0x7F || c == '<' || c == '&')
            throw Error(ErrorKind::protocol, "the S3 server's ETag of a part is not usable");
    return tag;
}

struct Lock {
    std::string mode;
    std::string until;
};
std::optional<Lock> lock_of(const S3Settings& settings) {
    if (settings.object_lock.empty()) return std::nullopt;
    return Lock{settings.object_lock == "compliance" ? "COMPLIANCE" : "GOVERNANCE",
                format_utc(SystemClock().now() + std::chrono::seconds(settings.lock_for))};
}

// radosgw 16 forgets the lock that the beginning of an upload in parts asks for.
void lock_again(S3Client& client, const std::string& what, const std::string& key,
                const net::ObjectAnswer& completed) {
    const auto lock = lock_of(client.settings());
    if (!lock) return;
    S3Query query{{"retention", ""}};
    const std::string version = completed.header("x-amz-version-id");
    if (!version.empty()) query["versionId"] = version;
    client.expect(200, what,
                  {.method = "PUT",
                   .key = key,
                   .query = query,
                   .body = "<Retention><Mode>" + lock->mode + "</Mode><RetainUntilDate>" + lock->until +
                           "</RetainUntilDate></Retention>"});
}

}  // namespace

std::vector<std::pair<std::string, std::string>> object_headers(const S3Settings& settings) {
    std::vector<std::pair<std::string, std::string>> out;
    if (!settings.storage_class.empty()) out.emplace_back("x-amz-storage-class", settings.storage_class);
    if (!settings.encryption.empty()) out.emplace_back("x-amz-server-side-encryption", settings.encryption);
    if (!settings.kms_key.empty())
        out.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key);
    if (const auto lock = lock_of(settings)) {
        out.emplace_back("x-amz-object-lock-mode", lock->mode);
        out.emplace_back("x-amz-object-lock-retain-until-date", lock->until);
    }
    return out;
}

void put_in_parts(S3Client& client, const std::string& key, BytesView bytes) {
    const std::string what = "put of " + key;
    const auto begun = client.expect(200, what,
                                     {.method = "POST",
                                      .key = key,
                                      .query = {{"uploads", ""}},
                                      .headers = object_headers(client.settings())});
    const std::string id = parse_s3_upload_id(begun.body);
    net::ObjectAnswer completed;
    try {
        const auto size =
            part_size(bytes.size(), static_cast<std::size_t>(client.settings().multipart_above));
        std::string parts;
        int number = 0;
        for (std::size_t at = 0; at < bytes.size(); at += size) {
            ++number;
            const BytesView part = bytes.substr(at, size);
            const auto answer =
                client.expect(200, what,
                              {.method = "PUT",
                               .key = key,
                               .query = {{"partNumber", std::to_string(number)}, {"uploadId", id}},
                               .body = part});
            const std::string tag = answer.header("etag");
            if (tag.empty()) throw Error(ErrorKind::network, what + ": a part was stored without an ETag");
            parts += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" +
                     quoted_for_xml(tag) + "</ETag></Part>";
        }
        const std::string document = "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>";
        completed = client.expect(
            200, what, {.method = "POST", .key = key, .query = {{"uploadId", id}}, .body = document});
        // The server says 200 first and may find out later: then the body is an error document.
        if (is_s3_error(completed.body)) throw_s3_error(client, what, completed);
        if (completed.body.find("CompleteMultipartUploadResult") == std::string::npos)
            throw Error(ErrorKind::network, what + ": the S3 server did not confirm the whole");
    } catch (...) {
        try {
            abort_upload(client, key, id);
        } catch (const Error& error) {
            log_event(Level::warning, "STORE_UPLOAD_LEFT", "{}: {}", key, error.text());
        }
        throw;
    }
    lock_again(client, what, key, completed);
}

std::size_t abort_old_uploads(S3Client& client, const std::string& prefix) {
    const std::string root = client.address().prefix();
    const std::string what = "list of unfinished uploads under " + root + prefix;
    const UtcTime limit = SystemClock().now() - std::chrono::seconds(client.settings().unfinished_age);
    S3Query query{{"uploads", ""}, {"encoding-type", "url"}, {"prefix", root + prefix}};
    std::size_t out = 0;
    for (int page = 0; page < max_upload_pages; ++page) {
        const auto answer =
            client.expect(200, what, {.method = "GET", .query = query, .max_answer = max_s3_page});
        const auto parsed = parse_s3_uploads(answer.body);
        for (const auto& upload : parsed.uploads) {
            if (!upload.key.starts_with(root + prefix) || upload.initiated > limit) continue;
            const std::string key = upload.key.substr(root.size());
            if (!is_valid_key(key)) continue;  // not ours
            abort_upload(client, key, upload.id);
            ++out;
        }
        if (!parsed.next) return out;
        query["key-marker"] = parsed.next->first;
        query["upload-id-marker"] = parsed.next->second;
    }
    return out;
}

}  // namespace strongroom::storage
