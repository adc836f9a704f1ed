#include "common/storage/sftp/sftp_address.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"

namespace strongroom::storage {
namespace {

bool is_plain(std::string_view text, std::string_view more) {
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos;
    });
}

bool is_port(std::string_view text) {
    return text.empty() ||
           (text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos &&
            std::stoi(std::string(text)) > 0 && std::stoi(std::string(text)) < 65536);
}

}  // namespace

std::string SftpAddress::label() const {
    return std::string(sftp_scheme) + user + "@" + server.substr(sftp_scheme.size()) + root;
}

SftpAddress parse_sftp_url(const std::string& url) {
    const auto refuse = [&](const std::string& why) {
        throw Error(ErrorKind::config, "the store URL " + printable_line(url) + " " + why,
                    "Write it as sftp://USER@HOST/absolute/folder; the key is sftp-key-file.");
    };
    const std::string rest = url.starts_with(sftp_scheme) ? url.substr(sftp_scheme.size()) : "";
    const auto slash = std::min(rest.find('/'), rest.size());
    const std::string authority = rest.substr(0, slash);
    const auto at = authority.find('@');
    if (at == std::string::npos) refuse("does not name the user");
    SftpAddress out;
    out.user = authority.substr(0, at);
    if (out.user.find(':') != std::string::npos) refuse("has a password in it");
    const std::string server = authority.substr(at + 1);
    const auto port = server.starts_with('[') ? server.find("]:") : server.find(':');
    const auto host_end =
        port == std::string::npos ? server.size() : port + (server.starts_with('[') ? 1 : 0);
    const std::string host = server.substr(0, host_end);
    if (!is_plain(out.user, "._-") || !is_plain(host, ".-[]:") ||
        !is_port(host_end < server.size() ? server.substr(host_end + 1) : ""))
        refuse("has no usable user, host or port");
    out.server = std::string(sftp_scheme) + server;
    out.root = rest.substr(slash);
    while (out.root.ends_with('/')) out.root.pop_back();
    if (!is_plain(out.root, "/._-") || out.root.find("//") != std::string::npos ||
        (out.root + "/").find("/../") != std::string::npos ||
        (out.root + "/").find("/./") != std::string::npos)
        refuse("has no absolute folder of letters, digits, '.', '_' and '-'");
    return out;
}

}  // namespace strongroom::storage
