#include "common/storage/s3/s3_store.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/storage/s3/multipart.hpp"
#include "common/storage/s3/s3_documents.hpp"
#include "common/storage/s3/s3_versions.hpp"

namespace strongroom::storage {
namespace {

constexpr int max_object_pages = 20'000;  // of 1,000 objects

// All pages of a list. `delimiter`: "/" for one level.
void for_each_page(S3Client& client, const std::string& prefix, const std::string& delimiter,
                   const std::function<void(const S3Page&)>& visit) {
    S3Query query{{"list-type", "2"},
                  {"encoding-type", "url"},
                  {"max-keys", "1000"},
                  {"prefix", client.address().prefix() + prefix}};
    if (!delimiter.empty()) query["delimiter"] = delimiter;
    const std::string what = "list of " + (prefix.empty() ? "all objects" : prefix);
    for (int page = 0; page < max_object_pages; ++page) {
        const auto answer =
            client.expect(200, what, {.method = "GET", .query = query, .max_answer = max_s3_page});
        const S3Page parsed = parse_s3_page(answer.body);
        visit(parsed);
        if (!parsed.next) return;
        if (query["continuation-token"] == *parsed.next)
            throw Error(ErrorKind::protocol, what + ": the server repeats a page");
        query["continuation-token"] = *parsed.next;
    }
    throw Error(ErrorKind::protocol,
                what + ": there are more than " + std::to_string(max_object_pages) + " pages");
}

// The ETag of a plain put is the MD5 of the bytes. With a server's own encryption it may be anything.
void require_same_bytes(const std::string& what, const net::ObjectAnswer& answer, BytesView bytes) {
    std::string tag = answer.header("etag");
    std::erase(tag, '"');
    if (tag.empty()) throw Error(ErrorKind::network, what + ": the S3 server's answer has no ETag");
    const bool is_md5 = tag.size() == 32 && tag.find_first_not_of("0123456789abcdef") == std::string::npos;
    const bool encrypted = answer.header("x-amz-server-side-encryption").starts_with("aws:") ||
                           !answer.header("x-amz-server-side-encryption-customer-algorithm").empty();
    if (is_md5 && !encrypted && tag != to_hex(md5(bytes)))
        throw Error(ErrorKind::network, what + ": the S3 server keeps other bytes than were sent",
                    "Something between changes requests.");
}

}  // namespace

S3Store::S3Store(const std::string& url, S3Settings settings) : client_(url, std::move(settings)) {}

void S3Store::put(const std::string& key, BytesView bytes) {
    require_valid_key(key);
    if (bytes.size() > static_cast<std::size_t>(client_.settings().multipart_above))
        return put_in_parts(client_, key, bytes);
    put_whole(key, bytes);
}

void S3Store::put_whole(const std::string& key, BytesView bytes) {
    const std::string what = "put of " + key;
    const auto answer = client_.expect(
        200, what,
        {.method = "PUT", .key = key, .headers = object_headers(client_.settings()), .body = bytes});
    require_same_bytes(what, answer, bytes);
}

MemFile S3Store::get(const std::string& key, std::size_t max) {
    MemFile out("object");
    get_into(key, max, out);
    return out;
}

void S3Store::get_into(const std::string& key, std::size_t max, MemFile& into) {
    require_valid_key(key);
    client_.expect(200, "get of " + key,
                   {.method = "GET", .key = key, .download = &into, .max_download = max});
}

std::optional<ObjectInfo> S3Store::stat(const std::string& key) {
    require_valid_key(key);
    const std::string what = "stat of " + key;
    const auto answer = client_.ask(what, {.method = "HEAD", .key = key});
    if (answer.status == 404) return std::nullopt;
    if (answer.status != 200) {
        // The answer to a HEAD has no body that would say why. A GET of one byte is refused for the same
        // cause.
        const auto told =
            client_.ask(what, {.method = "GET", .key = key, .headers = {{"Range", "bytes=0-0"}}});
        throw_s3_error(client_, what, told.status >= 400 ? told : answer);
    }
    const std::string text = answer.header("content-length");
    std::size_t size = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (failure != std::errc() || end != text.data() + text.size())
        throw Error(ErrorKind::protocol, what + ": the S3 server does not say its length");
    return ObjectInfo{key, size};
}

std::vector<ObjectInfo> S3Store::list(const std::string& prefix) {
    require_valid_prefix(prefix);
    const std::string& root = client_.address().prefix();
    std::vector<ObjectInfo> out;
    for_each_page(client_, prefix, "", [&](const S3Page& page) {
        for (const auto& entry : page.objects) {
            if (!entry.key.starts_with(root + prefix))
                throw Error(ErrorKind::protocol,
                            "list of " + prefix + ": the server names an object outside of it");
            const std::string key = entry.key.substr(root.size());
            // Whatever else lies in the bucket cannot be one of our objects.
            if (is_valid_key(key)) out.push_back({key, static_cast<std::size_t>(entry.size)});
        }
    });
    std::ranges::sort(out, {}, &ObjectInfo::key);
    return out;
}

std::vector<std::string> S3Store::list_folders(const std::string& prefix) {
    require_valid_prefix(prefix);
    const std::string whole = client_.address().prefix() + prefix;
    std::vector<std::string> out;
    for_each_page(client_, prefix, "/", [&](const S3Page& page) {
        for (const auto& folder : page.folders) {
            if (!folder.starts_with(whole) || !folder.ends_with('/')) continue;
            const std::string name = folder.substr(whole.size(), folder.size() - whole.size() - 1);
            if (name.find('/') == std::string::npos && is_valid_key(name)) out.push_back(name);
        }
    });
    std::ranges::sort(out);
    return out;
}

void S3Store::remove(const std::string& key) {
    require_valid_key(key);
    const std::string what = "remove of " + key;
    const auto answer = client_.ask(what, {.method = "DELETE", .key = key});
    if (answer.status == 204 || answer.status == 200) return;
    if (answer.status != 404) throw_s3_error(client_, what, answer);
}

KeptVersions S3Store::kept_versions(const std::string& prefix) {
    require_valid_prefix(prefix);
    return storage::kept_versions(client_, prefix);
}

std::size_t S3Store::remove_unfinished(const std::string& prefix) {
    require_valid_prefix(prefix);
    return abort_old_uploads(client_, prefix);
}

}  // namespace strongroom::storage
