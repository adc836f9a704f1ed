#include "common/storage/s3/s3_policy.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

using namespace strongroom::storage;

namespace {

// The statements of the policy by their names.
std::map<std::string, nlohmann::json> statements(std::int64_t lock_for, bool rotates = false) {
    const S3Address address("s3://backups/mysql", {});
    const auto policy =
        nlohmann::json::parse(s3_bucket_policy(address, "SERVER/", {"host", "p", "o", rotates}, lock_for));
    std::map<std::string, nlohmann::json> out;
    for (const auto& one : policy.at("Statement")) out[one.at("Sid")] = one;
    return out;
}

bool names(const nlohmann::json& statement, const char* list, const char* action) {
    const std::set<std::string> all = statement.at(list);
    return all.contains(action);
}

}  // namespace

TEST_CASE("an agent may set a retention only where it locks what it puts, and no longer one") {
    constexpr const char* retention = "s3:PutObjectRetention";
    auto without = statements(0);
    CHECK_FALSE(names(without["AgentPuts"], "Action", retention));
    CHECK_FALSE(names(without["AgentOnlyPuts"], "NotAction", retention));
    CHECK(names(without["AgentNever"], "Action", retention));
    CHECK_FALSE(without.contains("AgentLocksNoLonger"));

    auto with = statements(35 * 86'400 - 1);
    CHECK(names(with["AgentPuts"], "Action", retention));
    CHECK(names(with["AgentOnlyPuts"], "NotAction", retention));
    CHECK_FALSE(names(with["AgentNever"], "Action", retention));
    CHECK(names(with["AgentNever"], "Action", "s3:BypassGovernanceRetention"));
    CHECK(names(with["AgentOnlyHere"], "Action", retention));
    const auto& longer = with["AgentLocksNoLonger"];
    CHECK(longer.at("Effect") == "Deny");
    CHECK(longer.at("Condition").at("NumericGreaterThan").at("s3:object-lock-remaining-retention-days") ==
          "35");
    for (auto* policy : {&without, &with})
        CHECK(names((*policy)["PrunerKeepsVersions"], "Action", retention));
}

TEST_CASE("an agent that rotates reads envelopes and lists sets, and nothing else") {
    auto without = statements(0);
    CHECK(names(without["AgentNever"], "Action", "s3:GetObject*"));
    CHECK(names(without["AgentNever"], "Action", "s3:ListBucket*"));
    CHECK_FALSE(without.contains("AgentReadsEnvelopes"));

    auto with = statements(0, true);
    CHECK(names(with["AgentReadsEnvelopes"], "Resource",
                "arn:aws:s3:::backups/mysql/SERVER/???s/*/envelope.gpg"));  // of sets and logs
    CHECK(with["AgentReadsOnlyEnvelopes"].at("NotResource") == with["AgentReadsEnvelopes"].at("Resource"));
    CHECK(with["AgentListsOnlySets"].at("Condition").at("StringNotLike") ==
          with["AgentListsSets"].at("Condition").at("StringLike"));
    CHECK(names(with["AgentNever"], "Action", "s3:GetObjectVersion*"));
    CHECK(names(with["AgentNever"], "Action", "s3:DeleteObject*"));
    CHECK_FALSE(names(with["AgentNever"], "Action", "s3:GetObject*"));
}

TEST_CASE("a verifier reads and lists, and all else is denied to it") {
    CHECK_FALSE(statements(0).contains("VerifierReads"));
    const S3Address address("s3://backups/mysql", {});
    const auto policy = nlohmann::json::parse(
        s3_bucket_policy(address, "SERVER/", {.agent = "host", .pruner = "", .owner = "", .verifier = "v"}));
    std::set<std::string> allowed;
    for (const auto& one : policy.at("Statement")) {
        if (one.at("Principal").at("AWS").at(0) != "arn:aws:iam:::user/v") continue;
        if (one.at("Effect") == "Allow")
            for (const auto& action : one.at("Action")) allowed.insert(action);
        else
            CHECK(std::set<std::string>(one.at("NotAction")) ==
                  std::set<std::string>{"s3:GetObject", "s3:ListBucket"});
    }
    CHECK(allowed == std::set<std::string>{"s3:GetObject", "s3:ListBucket"});
}
