#include "common/net/http.hpp"

#include <curl/curl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "common/base/error.hpp"
#include "common/net/curl_handle.hpp"

namespace strongroom::net {
namespace {

struct Collector {
    Bytes bytes;
    std::size_t max;
};

std::size_t collect(char* data, std::size_t unit, std::size_t count, void* target) {
    auto& collector = *static_cast<Collector*>(target);
    if (collector.bytes.size() + unit * count > collector.max)
        return 0;  // ends the transfer with CURLE_WRITE_ERROR
    collector.bytes.append(data, unit * count);
    return unit * count;
}

std::string authorities;

void require(CURLcode code, const char* option) {
    if (code != CURLE_OK) throw Error(ErrorKind::internal, std::string("libcurl refused ") + option);
}

struct UrlParts {
    std::string scheme;
    std::string host;
};

UrlParts parse(const std::string& url) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parser(curl_url(), curl_url_cleanup);
    const auto part = [&](CURLUPart which) {
        char* text = nullptr;
        if (curl_url_get(parser.get(), which, &text, 0) != CURLUE_OK) return std::string();
        std::string out(text);
        curl_free(text);
        return out;
    };
    const bool parsed =
        curl_url_set(parser.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) == CURLUE_OK;
    UrlParts out{part(CURLUPART_SCHEME), part(CURLUPART_HOST)};
    if (!parsed || (out.scheme != "http" && out.scheme != "https") || out.host.empty())
        throw Error(ErrorKind::config, "not an address like https://host:port : " + url);
    return out;
}

}  // namespace

bool is_https_url(const std::string& url) {
    return parse(url).scheme == "https";
}

bool is_loopback_url(const std::string& url) {
    const std::string host = parse(url).host;
    if (host == "localhost" || host == "[::1]") return true;
    // A dotted quad only: a host name that merely starts with "127." is not loopback.
    const bool quad = host.find_first_not_of("0123456789.") == std::string::npos;
    return quad && host.starts_with("127.");
}

void trust_authorities(const std::string& file) {
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
        throw system_error(ErrorKind::not_found, "cannot read the certificate authorities in " + file, errno,
                           "ca-file names a PEM file with the certificates of your authority.");
    authorities = file;
}

HttpAnswer http(const HttpRequest& request) {
    // One for each thread, which keeps the connection for the next request: an agent that polls all day makes
    // one TLS handshake, not thousands.
    thread_local CurlHandle handle;
    handle.reset();
    CURL* curl = handle.get();

    curl_slist* raw_headers = nullptr;
    for (const auto& [header, value] : request.headers)
        raw_headers = curl_slist_append(raw_headers, (header + ": " + std::string(value.reveal())).c_str());
    raw_headers = curl_slist_append(raw_headers, "Expect:");
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(raw_headers,
                                                                              curl_slist_free_all);

    Collector collector{{}, request.max_answer};
    char reason[CURL_ERROR_SIZE] = "";
    require(curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str()), "URL");
    require(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https"), "protocols");
    require(curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L), "redirects");
    require(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L), "signals");
    require(curl_easy_setopt(curl, CURLOPT_PROXY, ""), "proxy");
    require(curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)),
            "TLS version");
    if (!authorities.empty()) {
        require(curl_easy_setopt(curl, CURLOPT_CAINFO, authorities.c_str()), "authorities");
        require(curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr), "authorities");
    }
    require(curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 10'000L), "connect time-out");
    require(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count())), "time-out");
    require(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get()), "headers");
    require(curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason), "error buffer");
    require(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect), "writer");
    require(curl_easy_setopt(curl, CURLOPT_WRITEDATA, &collector), "writer");
    if (request.method == "POST") {
        require(curl_easy_setopt(curl, CURLOPT_POST, 1L), "POST");
        require(
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size())),
            "size");
        require(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data()), "body");
    } else if (request.method != "GET") {
        throw Error(ErrorKind::internal, "unsupported HTTP method " + request.method);
    }

    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        throw Error(ErrorKind::network,
                    "cannot talk to " + request.url + ": " +
                        (std::strlen(reason) > 0 ? reason : curl_easy_strerror(code)),
                    "Check the address, that the dispatcher runs, and the network between.");
    HttpAnswer answer;
    long status = 0;
    curl_off_t retry_after = 0;
    require(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status), "status");
    require(curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after), "Retry-After");
    answer.status = static_cast<int>(status);
    answer.retry_after_s = static_cast<long>(retry_after);
    answer.body = std::move(collector.bytes);
    return answer;
}

}  // namespace strongroom::net
