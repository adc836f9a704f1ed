#include "common/storage/s3/s3_policy.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::storage {
namespace {

using Json = nlohmann::ordered_json;

Json principal_of(const std::string& user) {
    const bool usable = !user.empty() && user.size() <= 200 && std::ranges::all_of(user, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_.:/@+=$").find(c) != std::string_view::npos;
    });
    if (!usable)
        throw Error(ErrorKind::usage, "not an S3 user: " + printable_line(user, 80),
                    "Name it as arn:aws:iam::ACCOUNT:user/NAME, or as the user of a Ceph gateway.");
    const std::string arn = user.starts_with("arn:") ? user : "arn:aws:iam:::user/" + user;
    return {{"AWS", Json::array({arn})}};
}

Json statement(const char* id, const char* effect, const std::string& user) {
    return {{"Sid", id}, {"Effect", effect}, {"Principal", principal_of(user)}};
}

// What an agent needs to rewrap envelopes: `folder` is "PREFIX/SERVER/", or that of all servers.
void allow_envelopes(Json& statements, const std::string& user, const std::string& bucket,
                     const std::string& folder) {
    // sets/ and logs/ in one pattern: radosgw 16 denies what is unlike any one of several.
    const std::string both = folder + "???s/*";
    const Json envelopes = Json::array({bucket + "/" + both + "/envelope.gpg"});
    const Json prefixes = Json::array({both});
    Json reads = statement("AgentReadsEnvelopes", "Allow", user);
    reads["Action"] = Json::array({"s3:GetObject"});
    reads["Resource"] = envelopes;
    Json lists = statement("AgentListsSets", "Allow", user);
    lists["Action"] = Json::array({"s3:ListBucket"});
    lists["Resource"] = Json::array({bucket});
    lists["Condition"]["StringLike"]["s3:prefix"] = prefixes;
    Json no_other = statement("AgentReadsOnlyEnvelopes", "Deny", user);
    no_other["Action"] = Json::array({"s3:GetObject"});
    no_other["NotResource"] = envelopes;
    Json no_other_list = statement("AgentListsOnlySets", "Deny", user);
    no_other_list["Action"] = Json::array({"s3:ListBucket"});
    no_other_list["Resource"] = Json::array({bucket});
    no_other_list["Condition"]["StringNotLike"]["s3:prefix"] = prefixes;
    statements.insert(statements.end(), {reads, lists, no_other, no_other_list});
}

// All that a verifying host needs, and nothing else.
void allow_reading(Json& statements, const std::string& user, const std::string& bucket,
                   const std::string& objects) {
    Json lists = statement("VerifierLists", "Allow", user);
    lists["Action"] = Json::array({"s3:ListBucket"});
    lists["Resource"] = Json::array({bucket});
    Json reads = statement("VerifierReads", "Allow", user);
    reads["Action"] = Json::array({"s3:GetObject"});
    reads["Resource"] = Json::array({objects});
    Json only = statement("VerifierOnlyReads", "Deny", user);
    only["NotAction"] = {"s3:GetObject", "s3:ListBucket"};
    only["Resource"] = {bucket, bucket + "/*"};
    statements.insert(statements.end(), {lists, reads, only});
}

}  // namespace

std::string s3_bucket_policy(const S3Address& address, const std::string& below, const S3PolicyUsers& users,
                             std::int64_t lock_for) {
    const std::string bucket = "arn:aws:s3:::" + address.bucket();
    const std::string objects = bucket + "/" + address.prefix() + below + "*";
    const Json everything = {bucket, bucket + "/*"};
    Json puts = {"s3:PutObject", "s3:AbortMultipartUpload"};
    if (lock_for > 0) puts.emplace_back("s3:PutObjectRetention");
    Json statements = Json::array();

    Json put = statement("AgentPuts", "Allow", users.agent);
    put["Action"] = puts;
    put["Resource"] = Json::array({objects});
    Json only = statement("AgentOnlyPuts", "Deny", users.agent);
    only["NotAction"] = puts;
    if (users.agent_rotates)
        for (const char* action : {"s3:GetObject", "s3:ListBucket"}) only["NotAction"].emplace_back(action);
    only["Resource"] = everything;
    // The same by name: radosgw 16 does not hold a NotAction against the owner of an object, which the agent
    // is.
    Json by_name = statement("AgentNever", "Deny", users.agent);
    by_name["Action"] = {"s3:DeleteObject*",
                         "s3:PutObjectAcl",
                         "s3:PutObjectVersionAcl",
                         "s3:PutObjectLegalHold",
                         "s3:BypassGovernanceRetention",
                         "s3:PutBucket*",
                         "s3:PutLifecycleConfiguration",
                         "s3:DeleteBucket*"};
    if (users.agent_rotates) {
        for (const char* action :
             {"s3:GetObjectVersion*", "s3:GetObjectAcl", "s3:GetObjectTagging", "s3:GetObjectRetention",
              "s3:GetObjectLegalHold", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"})
            by_name["Action"].emplace_back(action);
    } else {
        for (const char* action : {"s3:GetObject*", "s3:ListBucket*"}) by_name["Action"].emplace_back(action);
    }
    if (lock_for == 0) by_name["Action"].emplace_back("s3:PutObjectRetention");
    by_name["Resource"] = everything;
    Json inside = statement("AgentOnlyHere", "Deny", users.agent);
    inside["Action"] = puts;
    inside["NotResource"] = Json::array({objects});
    statements.insert(statements.end(), {put, only, by_name, inside});
    if (users.agent_rotates)
        allow_envelopes(statements, users.agent, bucket, address.prefix() + (below.empty() ? "*/" : below));
    if (lock_for > 0) {
        constexpr std::int64_t day = 86'400;
        Json no_longer = statement("AgentLocksNoLonger", "Deny", users.agent);
        no_longer["Action"] = Json::array({"s3:PutObjectRetention"});
        no_longer["Resource"] = everything;
        no_longer["Condition"]["NumericGreaterThan"]["s3:object-lock-remaining-retention-days"] =
            std::to_string((lock_for + day - 1) / day);
        statements.push_back(no_longer);
    }

    if (!users.pruner.empty()) {
        Json lists = statement("PrunerLists", "Allow", users.pruner);
        lists["Action"] = {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"};
        lists["Resource"] = Json::array({bucket});
        Json prunes = statement("PrunerReadsAndRemoves", "Allow", users.pruner);
        prunes["Action"] = {"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:DeleteObject",
                            "s3:AbortMultipartUpload"};
        prunes["Resource"] = Json::array({objects});
        Json marks = statement("PrunerMarks", "Allow", users.pruner);
        marks["Action"] = Json::array({"s3:PutObject"});
        marks["Resource"] =
            Json::array({bucket + "/" + address.prefix() + (below.empty() ? "*/" : below) + "prune/*"});
        Json keeps = statement("PrunerKeepsVersions", "Deny", users.pruner);
        keeps["Action"] = {"s3:DeleteObjectVersion", "s3:PutObjectRetention", "s3:PutObjectLegalHold",
                           "s3:BypassGovernanceRetention", "s3:PutBucketVersioning"};
        keeps["Resource"] = everything;
        statements.insert(statements.end(), {lists, prunes, marks, keeps});
    }
    if (!users.verifier.empty()) allow_reading(statements, users.verifier, bucket, objects);
    if (!users.owner.empty()) {
        Json all = statement("OwnerAll", "Allow", users.owner);
        all["Action"] = Json::array({"s3:*"});
        all["Resource"] = everything;
        statements.push_back(all);
    }
    return Json{{"Version", "2012-10-17"}, {"Statement", statements}}.dump(2);
}

}  // namespace strongroom::storage
