#include "common/storage/s3/s3_versions.hpp"

#include <algorithm>

#include "common/base/error.hpp"

namespace strongroom::storage {
namespace {

constexpr int max_version_pages = 20'000;  // of 1,000 versions
constexpr std::size_t most_asked = 8;      // for their lock

}  // namespace

void for_each_version(S3Client& client, const std::string& prefix,
                      const std::function<void(S3Version&)>& visit) {
    const std::string root = client.address().prefix();
    const std::string what = "list of the versions under " + root + prefix;
    S3Query query{
        {"versions", ""}, {"encoding-type", "url"}, {"max-keys", "1000"}, {"prefix", root + prefix}};
    for (int page = 0; page < max_version_pages; ++page) {
        const auto answer =
            client.expect(200, what, {.method = "GET", .query = query, .max_answer = max_s3_page});
        auto parsed = parse_s3_versions(answer.body);
        for (auto& version : parsed.versions)
            if (version.key.starts_with(root + prefix)) visit(version);
        if (!parsed.next) return;
        query["key-marker"] = parsed.next->first;
        query["version-id-marker"] = parsed.next->second;
    }
    throw Error(ErrorKind::protocol, what + ": there are too many");
}

KeptVersions kept_versions(S3Client& client, const std::string& prefix) {
    KeptVersions out;
    std::vector<S3Version> newest;  // put last
    for_each_version(client, prefix, [&](S3Version& version) {
        if (version.deleted || version.id == "null") return;  // "null": the bucket keeps none
        ++out.versions;
        out.bytes += version.size;
        newest.push_back(std::move(version));
        std::ranges::sort(newest, std::greater{}, &S3Version::modified);
        if (newest.size() > most_asked) newest.pop_back();
    });
    const std::size_t root = client.address().prefix().size();
    for (const auto& version : newest) {
        const std::string key = version.key.substr(root);
        if (!is_valid_key(key)) continue;
        const auto answer = client.ask("question for the lock of " + key,
                                       {.method = "HEAD", .key = key, .query = {{"versionId", version.id}}});
        const std::string until = answer.header("x-amz-object-lock-retain-until-date");
        if (answer.status != 200 || until.empty()) continue;
        const UtcTime end = parse_s3_time(until);
        if (!out.locked_until || *out.locked_until < end) out.locked_until = end;
    }
    return out;
}

}  // namespace strongroom::storage
