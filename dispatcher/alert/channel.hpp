// Where notifications go. deliver() returns when the receiver has taken it and throws Error otherwise; it has
// a time limit, and is called on a thread that does nothing else.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace strongroom::dispatcher {

class Channel {
  public:
    virtual ~Channel() = default;
    virtual std::string name() const = 0;
    virtual void deliver(const std::string& json) = 0;
};

struct ChannelOptions {
    std::string webhook;                  // https://..., or http:// on loopback; empty: none
    std::filesystem::path webhook_token;  // private file: sent as "Authorization: Bearer ..."
    std::vector<std::string> command;     // argv; the notification is on its stdin; empty: none
    std::chrono::milliseconds limit{std::chrono::seconds(10)};
};

// Those that are configured. Throws Error{config}, Error{refused} for plain http to another host,
// Error{tool_missing}, Error{insecure_file}.
std::vector<std::unique_ptr<Channel>> open_channels(const ChannelOptions& options);

}  // namespace strongroom::dispatcher
