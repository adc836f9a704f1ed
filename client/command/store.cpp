#include "client/command/commands.hpp"
#include "client/command/shared_options.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"
#include "common/storage/s3/bucket_check.hpp"
#include "common/storage/s3/s3_policy.hpp"
#include "common/term/table.hpp"

namespace strongroom::client {
namespace {

void require_s3(const std::string& url) {
    if (url.starts_with(storage::s3_scheme)) return;
    throw Error(
        ErrorKind::usage,
        "only S3 stores have policies, and versions that they protect: " + printable_line(url),
        "A folder, local or by SFTP, is protected by what its own machine does: snapshots, a user of its "
        "own, copies elsewhere.");
}

struct PolicyArguments {
    std::string store;
    std::string server;
    storage::S3PolicyUsers users;
};

void print_policy(Context& context, const PolicyArguments& arguments) {
    require_s3(arguments.store);
    if (!arguments.server.empty() && !is_uuid(arguments.server))
        throw Error(ErrorKind::usage, "not a server UUID: " + printable_line(arguments.server, 80));
    const storage::S3Address address(arguments.store, context.config.stores.s3);
    const std::string below = arguments.server.empty() ? "" : arguments.server + "/";
    context.out << storage::s3_bucket_policy(address, below, arguments.users,
                                             context.config.stores.s3.lock_for)
                << '\n';
    context.say("Apply it as the bucket's owner, for example: aws s3api put-bucket-policy --bucket " +
                address.bucket() + " --policy file://FILE; then: strongroom store check");
}

const char* shown(storage::BucketVerdict verdict) {
    switch (verdict) {
        case storage::BucketVerdict::ok:
            return "ok";
        case storage::BucketVerdict::missing:
            return "MISSING";
        default:
            return "unknown";
    }
}

void check(Context& context, const std::string& url) {
    require_s3(url);
    storage::S3Client client(url, context.config.stores.s3);
    const auto findings = storage::check_bucket(client);
    if (context.config.json) {
        Json rows = Json::array();
        for (const auto& one : findings)
            rows.push_back({{"what", one.what},
                            {"verdict", shown(one.verdict)},
                            {"text", one.text},
                            {"risk", one.risk}});
        return context.print_json(Json{{"store", client.address().label()}, {"findings", std::move(rows)}});
    }
    term::Table table({{"WHAT"}, {"VERDICT"}, {"FOUND"}});
    for (const auto& one : findings) table.add({one.what, shown(one.verdict), one.text});
    table.print(context.out, "");
    for (const auto& one : findings)
        if (!one.risk.empty()) context.out << one.what << ": " << printable_line(one.risk) << '\n';
}

}  // namespace

void add_store_commands(Commands& commands) {
    CLI::App* group = commands.group("store", "What protects a store");
    auto policy = std::make_shared<PolicyArguments>();
    CLI::App* print =
        commands.add(group, "policy", "Print the least policy of an S3 bucket",
                     "strongroom store policy --store s3://bucket/prefix --agent "
                     "arn:aws:iam::123456789012:user/shop-db-1 --owner arn:aws:iam::123456789012:root",
                     [policy](Context& c) { print_policy(c, *policy); });
    add_store_option(*print, policy->store);
    print->add_option("--server", policy->server, "Only this server's folder")->type_name("UUID");
    print->add_option("--agent", policy->users.agent, "The user whose keys a host has: may only put")
        ->required()
        ->type_name("ARN");
    print->add_flag(
        "--agent-rotates", policy->users.agent_rotates,
        "The host may also list its sets and read their envelopes, so that it rotates its keys by itself");
    print->add_option("--pruner", policy->users.pruner, "Who may list, read and remove, and not versions")
        ->type_name("ARN");
    print->add_option("--verifier", policy->users.verifier, "Who may list and read: a host that proves sets")
        ->type_name("ARN");
    print->add_option("--owner", policy->users.owner, "Who may do all")->type_name("ARN");
    auto url = std::make_shared<std::string>();
    CLI::App* checking = commands.add(group, "check", "Say what protects an S3 bucket, and what is missing",
                                      "strongroom store check --store s3://bucket/prefix",
                                      [url](Context& c) { check(c, *url); });
    add_store_option(*checking, *url);
    add_store_index_command(commands, group);
}

}  // namespace strongroom::client
