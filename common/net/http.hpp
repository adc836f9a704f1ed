// HTTP requests through libcurl, for agents and users. Certificates are always checked; redirects are never
// followed; only http and https are spoken; every request has a time limit and a cap on the answer.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/secret.hpp"

namespace strongroom::net {

struct HttpRequest {
    std::string method;  // "GET", "POST"
    std::string url;
    std::vector<std::pair<std::string, Secret>> headers;
    Bytes body;
    std::chrono::milliseconds limit{std::chrono::seconds(60)};
    std::size_t max_answer = 1U << 20U;
};

struct HttpAnswer {
    int status = 0;
    Bytes body;
    long retry_after_s = 0;
};

// Only the authorities in this PEM file vouch for certificates from now on; empty: those of the system.
// Called once, before the first request. Throws Error{not_found} if the file cannot be read.
void trust_authorities(const std::string& file);

// Throws Error{network} when no complete answer arrived (the text names the URL and the reason). Any thread.
HttpAnswer http(const HttpRequest& request);

// True for 127.0.0.0/8, ::1 and localhost. Throws Error{config} if `url` is not http(s)://host[:port].
bool is_loopback_url(const std::string& url);
bool is_https_url(const std::string& url);

}  // namespace strongroom::net
