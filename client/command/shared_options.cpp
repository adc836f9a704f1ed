#include "client/command/shared_options.hpp"

#include "common/config/quantity.hpp"
#include "proto/messages.hpp"

namespace strongroom::client {

void add_store_option(CLI::App& command, std::string& url) {
    command.add_option("--store", url, "The store")->required()->type_name("URL");
}

void add_kind_option(CLI::App& command, std::string& kind) {
    command.add_option("--kind", kind, "What the job does")
        ->check(CLI::IsMember(proto::job_kinds()))
        ->capture_default_str();
}

void add_as_of_option(CLI::App& command, std::string& time) {
    command.add_option("--as-of", time, "The store as it was then (an S3 bucket that keeps versions)")
        ->type_name("TIME");
}

void add_identity_option(CLI::App& command, std::string& identity) {
    command.add_option("--identity", identity, "The server's identity fingerprint, if not known here")
        ->type_name("FPR");
}

void add_read_limit_option(CLI::App& command, std::int64_t& rate) {
    command.add_option("--read-limit", rate, "Most bytes a second from the store")
        ->transform(config::as_rate())
        ->default_str("off");
}

}  // namespace strongroom::client
