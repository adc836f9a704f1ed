#include "common/storage/s3/bucket_check.hpp"

#include <functional>
#include <pugixml.hpp>

#include "common/base/error.hpp"
#include "common/storage/s3/s3_documents.hpp"
#include "common/storage/s3/s3_errors.hpp"

namespace strongroom::storage {
namespace {

using Judge = std::function<BucketFinding(const pugi::xml_node&)>;

BucketFinding ok(std::string text) {
    return {{}, BucketVerdict::ok, std::move(text), {}};
}
BucketFinding missing(std::string text, std::string risk) {
    return {{}, BucketVerdict::missing, std::move(text), std::move(risk)};
}

// Asks for a sub-resource. `absent`: the error code that says it is not set, and `none` what that means.
BucketFinding ask(S3Client& client, const char* resource, const char* root, const std::string& absent,
                  const BucketFinding& none, const Judge& judge) {
    const std::string what = std::string("question for ") + resource;
    const auto answer =
        client.ask(what, {.method = "GET", .query = {{resource, ""}}, .max_answer = max_s3_page});
    if (answer.status != 200) {
        const auto error = parse_s3_error(answer.body);
        if (error.code == absent) return none;
        if (error.code == "NoSuchBucket") throw_s3_error(client, what, answer);
        return {
            {}, BucketVerdict::unknown, s3_error(what, answer).text(), "Ask with the owner's credentials."};
    }
    pugi::xml_document document;
    document.load_buffer(answer.body.data(), answer.body.size());
    const auto node = document.document_element();
    if (std::string(node.name()) != root)
        return {
            {}, BucketVerdict::unknown, "the server does not know the question", "See the server's manual."};
    return judge(node);
}

std::string text_of(const pugi::xml_node& node, const char* path) {
    return node.first_element_by_path(path).text().get();
}

BucketFinding judge_versioning(const pugi::xml_node& node) {
    if (text_of(node, "Status") == "Enabled") return ok("enabled");
    return missing("not enabled",
                   "A put over an object, or its removal, destroys it. Enable versioning on the bucket.");
}

std::string shown_time(std::int64_t seconds) {
    constexpr std::int64_t day = 86'400;
    return seconds >= day ? std::to_string(seconds / day) + " days"
                          : format_duration(std::chrono::seconds(seconds));
}

// `settings`: of whoever asks, which count where the agent has the same.
BucketFinding judge_lock(const pugi::xml_node& node, const S3Settings& settings) {
    const std::string mode = text_of(node, "Rule/DefaultRetention/Mode");
    const std::string own = settings.object_lock.empty()
                                ? ""
                                : "; this configuration locks what it puts: " + settings.object_lock + ", " +
                                      shown_time(settings.lock_for);
    if (mode.empty() && own.empty())
        return missing("enabled, without a default retention",
                       "The owner's credentials can remove versions at once. Set a default retention, or "
                       "s3-object-lock on the hosts.");
    if (mode.empty()) return ok("enabled, without a default retention" + own);
    const std::string days = text_of(node, "Rule/DefaultRetention/Days");
    const std::string years = text_of(node, "Rule/DefaultRetention/Years");
    return ok(mode + ", " + (days.empty() ? years + " years" : days + " days") + own);
}

BucketFinding no_lock(const S3Settings& settings) {
    const std::string risk =
        "Whoever may remove versions can destroy all backups at once. Most servers enable Object Lock only "
        "when "
        "a bucket is made.";
    if (settings.object_lock.empty()) return missing("not enabled", risk);
    return missing("not enabled", "Every put fails, because s3-object-lock is set. " + risk);
}

BucketFinding judge_lifecycle(const pugi::xml_node& node) {
    bool aborts = false;
    bool expires = false;
    bool expires_former = false;
    for (const auto& rule : node.children("Rule")) {
        if (std::string(rule.child("Status").text().get()) != "Enabled") continue;
        aborts = aborts || rule.child("AbortIncompleteMultipartUpload");
        expires = expires || rule.child("Expiration").child("Days") || rule.child("Expiration").child("Date");
        expires_former = expires_former || rule.child("NoncurrentVersionExpiration");
    }
    if (expires)
        return missing("expires objects by age",
                       "It removes segments of backups that are still needed, without regard to sets. Remove "
                       "that rule.");
    if (!aborts)
        return missing("uploads that were never completed stay",
                       "They cost room. Add a rule with AbortIncompleteMultipartUpload.");
    return ok(std::string("aborts unfinished uploads") +
              (expires_former ? "; removes versions that were replaced, after a time" : ""));
}

}  // namespace

std::vector<BucketFinding> check_bucket(S3Client& client) {
    std::vector<BucketFinding> out;
    const auto add = [&](const char* what, BucketFinding finding) {
        finding.what = what;
        out.push_back(std::move(finding));
    };
    add("versioning", ask(client, "versioning", "VersioningConfiguration", "", {}, judge_versioning));
    add("object lock", ask(client, "object-lock", "ObjectLockConfiguration",
                           "ObjectLockConfigurationNotFoundError", no_lock(client.settings()),
                           [&](const pugi::xml_node& node) { return judge_lock(node, client.settings()); }));
    add("lifecycle",
        ask(client, "lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration",
            missing("no rules", "Uploads that were never completed stay and cost room."), judge_lifecycle));
    add("encryption",
        ask(client, "encryption", "ServerSideEncryptionConfiguration",
            "ServerSideEncryptionConfigurationNotFoundError",
            ok("none by the server; all objects are ciphertext anyway"), [](const pugi::xml_node& node) {
                return ok("by the server: " +
                          text_of(node, "Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm"));
            }));
    // A policy is JSON, not XML: that there is one is what can be said of it.
    const auto answer = client.ask("question for policy",
                                   {.method = "GET", .query = {{"policy", ""}}, .max_answer = max_s3_page});
    const auto code = parse_s3_error(answer.body).code;
    if (answer.status == 200)
        add("policy", ok("there is one; compare it with: strongroom store policy"));
    else if (code == "NoSuchBucketPolicy")
        add("policy", missing("none",
                              "Credentials on a host may do all that their user may. See: strongroom store "
                              "policy"));
    else
        add("policy", {{},
                       BucketVerdict::unknown,
                       s3_error("question for policy", answer).text(),
                       "Ask with the owner's credentials."});
    return out;
}

}  // namespace strongroom::storage
