#include "agent/config/verify_config.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/printable.hpp"

namespace strongroom::agent {
namespace {

struct Entry {
    std::string server;
    std::string rest;
};

// "UUID REST"
Entry split_entry(const std::string& key, const std::string& text, const char* shape) {
    const auto blank = text.find(' ');
    Entry out;
    if (blank != std::string::npos) {
        out.server = text.substr(0, blank);
        out.rest = text.substr(std::min(text.find_first_not_of(' ', blank), text.size()));
    }
    if (!is_uuid(out.server) || out.rest.empty())
        throw Error(ErrorKind::config, key + ": \"" + printable_line(text, 120) + "\" is not " + shape,
                    "The line to write is what `strongroom-agent verifier add` prints on the server's host.");
    return out;
}

}  // namespace

std::vector<VerifyConfig::Server> VerifyConfig::parsed_servers() const {
    std::vector<Server> out;
    for (const auto& text : servers) {
        const Entry entry = split_entry("verify-servers", text, "\"UUID FINGERPRINT\"");
        if (std::ranges::find(out, entry.server, &Server::server) != out.end())
            throw Error(ErrorKind::config, "verify-servers names server " + entry.server + " twice");
        try {
            out.push_back({entry.server, parse_fingerprint(entry.rest)});
        } catch (const Error& error) {
            throw Error(ErrorKind::config, "verify-servers, server " + entry.server + ": " + error.text(),
                        error.hint());
        }
    }
    for (const auto& text : assertions) {
        const Entry entry = split_entry("verify-assertions", text, "\"UUID SQL\"");
        if (std::ranges::find(out, entry.server, &Server::server) == out.end())
            throw Error(ErrorKind::config,
                        "verify-assertions: server " + entry.server + " is not among verify-servers");
    }
    return out;
}

std::vector<std::string> VerifyConfig::assertions_of(const std::string& server) const {
    std::vector<std::string> out;
    for (const auto& text : assertions)
        if (auto entry = split_entry("verify-assertions", text, "\"UUID SQL\""); entry.server == server)
            out.push_back(std::move(entry.rest));
    return out;
}

void declare(config::Options& options, VerifyConfig& config) {
    options
        .setting("--verify-servers", config.servers,
                 "Other servers whose sets this host verifies and proves, each \"UUID FINGERPRINT\"; repeat "
                 "for more")
        ->type_name("UUID FPR");
    options.setting("--verify-store", config.store, "Where the sets of verify-servers are (default: store)")
        ->type_name("URL");
    options
        .setting("--verify-s3-credentials-file", config.s3_credentials_file,
                 "S3 keys for them, which need only read")
        ->type_name("FILE");
    options
        .setting("--verify-assertions", config.assertions,
                 "\"UUID SQL\": must answer 1 in that server's restored database; repeat for more")
        ->type_name("UUID SQL");
}

}  // namespace strongroom::agent
