#include "common/storage/s3/s3_address.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/net/http.hpp"
#include "common/storage/object_store.hpp"

namespace strongroom::storage {
namespace {

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, without its rarer rules.
bool is_bucket_name(std::string_view name) {
    const bool characters =
        std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
    return characters && name.size() >= 3 && name.size() <= 63 && is_alphanumeric(name.front()) &&
           is_alphanumeric(name.back()) && name.find("..") == std::string_view::npos;
}

// What stands in a host name and in the signature's scope.
bool is_region(std::string_view name) {
    return !name.empty() && name.size() <= 64 &&
           std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

std::string region_of(const S3Settings& settings) {
    if (!settings.region.empty()) return settings.region;
    for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
        if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
    return "us-east-1";
}

// The endpoint without a slash at its end.
std::string endpoint_of(const S3Settings& settings, const std::string& region) {
    if (settings.endpoint.empty()) return "https://s3." + region + ".amazonaws.com";
    std::string out = settings.endpoint;
    if (out.ends_with('/')) out.pop_back();
    const bool loopback = net::is_loopback_url(out);  // throws for what is no http(s) address
    const auto host = out.find("://") + 3;
    if (out.find_first_of("/?#@", host) != std::string::npos)
        throw Error(ErrorKind::config, "s3-endpoint must be https://host[:port]: " + printable_line(out));
    if (!net::is_https_url(out) && !loopback)
        throw Error(ErrorKind::config, "the S3 endpoint " + printable_line(out) + " has no TLS",
                    "Use https://; http is for this machine's own addresses only.");
    return out;
}

std::string with_bucket(const std::string& endpoint, const std::string& bucket, const S3Settings& settings) {
    const bool https = net::is_https_url(endpoint);
    // A certificate for *.host does not cover a bucket with dots.
    const bool covered = !https || bucket.find('.') == std::string::npos;
    const bool in_host = settings.addressing == "virtual" ||
                         (settings.addressing == "auto" && settings.endpoint.empty() && covered);
    if (!in_host) return endpoint + "/" + bucket;
    const auto host = endpoint.find("://") + 3;
    return endpoint.substr(0, host) + bucket + "." + endpoint.substr(host);
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

S3Address::S3Address(const std::string& url, const S3Settings& settings) {
    const std::string hint = "Write it as s3://BUCKET or s3://BUCKET/PREFIX; the host is s3-endpoint.";
    const std::string shown = printable_line(url);
    const std::string path = url.starts_with(s3_scheme) ? url.substr(s3_scheme.size()) : "";
    const auto slash = std::min(path.find('/'), path.size());
    bucket_ = path.substr(0, slash);
    if (!is_bucket_name(bucket_))
        throw Error(ErrorKind::config, "the store URL " + shown + " does not name a bucket", hint);
    prefix_ = path.substr(std::min(slash + 1, path.size()));
    if (!prefix_.empty()) {
        if (prefix_.ends_with('/')) prefix_.pop_back();
        if (!is_valid_key(prefix_))
            throw Error(ErrorKind::config, "the store URL " + shown + " has a prefix that cannot be used",
                        hint);
        prefix_ += '/';
    }
    region_ = region_of(settings);
    if (!is_region(region_))
        throw Error(ErrorKind::config, "not the name of an S3 region: " + printable_line(region_, 80));
    base_ = with_bucket(endpoint_of(settings, region_), bucket_, settings);
}

std::string S3Address::label() const {
    std::string out = std::string(s3_scheme) + bucket_ + "/" + prefix_;
    out.pop_back();
    return out;
}

std::string S3Address::request_url(const std::string& whole_key, const S3Query& query) const {
    std::string out = base_ + "/";
    // Keys are of [A-Za-z0-9._/-] only, so they stand in an address as they are.
    out += whole_key;
    if (whole_key.empty() && base_.ends_with("/" + bucket_)) out.pop_back();
    char separator = '?';
    for (const auto& [name, value] : query) {
        out += separator + encode_uri(name) + "=" + encode_uri(value);
        separator = '&';
    }
    return out;
}

std::string encode_uri(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = is_alphanumeric(c) || (c >= 'A' && c <= 'Z') ||
                           std::string_view("-._~").find(c) != std::string_view::npos;
        if (plain)
            out += c;
        else
            out.append({'%', digits[byte >> 4], digits[byte & 0x0FU]});
    }
    return out;
}

std::string decode_uri(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            throw Error(ErrorKind::protocol, "broken %XX in " + printable_line(text, 80));
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

}  // namespace strongroom::storage
