#include "dispatcher/alert/channel.hpp"

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"
#include "common/base/subprocess.hpp"
#include "common/net/http.hpp"

namespace strongroom::dispatcher {
namespace {

// HTTP POST; any 2xx is a receipt.
class Webhook : public Channel {
  public:
    explicit Webhook(const ChannelOptions& options) : options_(options) {
        if (!net::is_https_url(options.webhook) && !net::is_loopback_url(options.webhook))
            throw Error(ErrorKind::refused, "refusing to send alerts in plain text to " + options.webhook,
                        "Use an https address, or one on loopback.");
        read_token();
    }
    std::string name() const override { return "webhook"; }
    void deliver(const std::string& json) override {
        net::HttpRequest request;
        request.method = "POST";
        request.url = options_.webhook;
        request.headers.emplace_back("Content-Type", Secret(std::string("application/json")));
        if (Secret token = read_token(); !token.empty())
            request.headers.emplace_back("Authorization", Secret("Bearer " + std::string(token.reveal())));
        request.body = json;
        request.limit = options_.limit;
        request.max_answer = 64U << 10U;
        const net::HttpAnswer answer = net::http(request);
        if (answer.status < 200 || answer.status > 299)
            throw Error(ErrorKind::network,
                        options_.webhook + " answered with status " + std::to_string(answer.status));
    }

  private:
    // Read each time, so that it can be changed without a restart.
    Secret read_token() const {
        if (options_.webhook_token.empty()) return {};
        require_private_file(options_.webhook_token);
        Bytes text = read_file(options_.webhook_token, 4096);
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
        return Secret(std::move(text));
    }
    const ChannelOptions options_;
};

// A program with the notification on its stdin; exit code 0 is the receipt. No shell.
class Command : public Channel {
  public:
    explicit Command(const ChannelOptions& options) : options_(options) {
        if (!find_program(options.command.front()))
            throw Error(ErrorKind::tool_missing, "there is no program " + options.command.front(),
                        "Correct alert-command in the configuration.");
    }
    std::string name() const override { return "command"; }
    void deliver(const std::string& json) override {
        SpawnOptions spawn;
        spawn.argv = options_.command;
        const RunResult result = run_program(spawn, json, options_.limit, 64U << 10U);
        if (!result.status.ok())
            throw Error(ErrorKind::source,
                        options_.command.front() + ": " + result.status.describe() +
                            (result.err.empty() ? "" : ": " + printable_line(result.err, 300)));
    }

  private:
    const ChannelOptions options_;
};

}  // namespace

std::vector<std::unique_ptr<Channel>> open_channels(const ChannelOptions& options) {
    std::vector<std::unique_ptr<Channel>> out;
    if (!options.webhook.empty()) out.push_back(std::make_unique<Webhook>(options));
    if (!options.command.empty()) out.push_back(std::make_unique<Command>(options));
    return out;
}

}  // namespace strongroom::dispatcher
