#include "common/net/http_client.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/net/stall_watch.hpp"

namespace strongroom::net {
namespace {

constexpr std::size_t max_headers = 64U << 10U;
constexpr long buffer_size = 512L << 10;  // libcurl's own: its default of 16 KiB costs a system call each

// What one request sends and receives. libcurl calls these in the thread of the request; nothing may be
// thrown through it, so a failure is kept in `error`.
struct Exchange {
    const ObjectRequest& request;
    CurlHandle& handle;
    std::size_t sent = 0;
    std::size_t received = 0;  // of the download
    std::size_t header_bytes = 0;
    bool downloading = false;
    ObjectAnswer answer{};
    std::optional<Error> error{};

    std::size_t refuse(ErrorKind kind, const std::string& text) {
        error.emplace(kind, text);
        return 0;  // ends the transfer
    }

    std::size_t add_header(std::string_view line) {
        header_bytes += line.size();
        if (header_bytes > max_headers) return refuse(ErrorKind::protocol, "the answer has too many headers");
        if (line.starts_with("HTTP/")) {  // also after "100 Continue"
            answer.headers.clear();
            return line.size();
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) {
            const bool end_of_headers = line == "\r\n" || line == "\n";
            return end_of_headers ? begin_body(line.size()) : line.size();
        }
        std::string name(line.substr(0, colon));
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        auto value = line.substr(colon + 1);
        while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front())) != 0)
            value.remove_prefix(1);
        while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0)
            value.remove_suffix(1);
        answer.headers[name] = std::string(value);
        return line.size();
    }

    std::size_t begin_body(std::size_t taken) {
        if (request.download == nullptr || handle.info<long>(CURLINFO_RESPONSE_CODE) != 200) return taken;
        const auto length = handle.info<curl_off_t>(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
        if (length < 0) return refuse(ErrorKind::protocol, "the answer does not say its length");
        const auto size = static_cast<std::size_t>(length);
        if (size > request.max_download)
            return refuse(ErrorKind::corrupt, "has " + std::to_string(size) +
                                                  " bytes, which is more than the expected " +
                                                  std::to_string(request.max_download));
        request.download->resize(size);
        downloading = true;
        return taken;
    }

    std::size_t add_body(const char* data, std::size_t size) {
        if (downloading) {
            if (size > request.download->size() - received)
                return refuse(ErrorKind::protocol, "the answer is longer than it said");
            std::memcpy(request.download->data() + received, data, size);
            received += size;
            return size;
        }
        if (answer.body.size() + size > request.max_answer)
            return refuse(ErrorKind::protocol,
                          "the answer is longer than " + std::to_string(request.max_answer) + " bytes");
        answer.body.append(data, size);
        return size;
    }
};

template <class Function>
std::size_t guarded(Exchange& exchange, Function function) noexcept {
    try {
        return function();
    } catch (const Error& error) {
        exchange.error = error;
    } catch (const std::exception& error) {
        exchange.error.emplace(ErrorKind::internal, error.what());
    }
    return 0;
}

std::size_t on_header(char* data, std::size_t unit, std::size_t count, void* target) {
    auto& exchange = *static_cast<Exchange*>(target);
    return guarded(exchange, [&] { return exchange.add_header({data, unit * count}); });
}

std::size_t on_body(char* data, std::size_t unit, std::size_t count, void* target) {
    auto& exchange = *static_cast<Exchange*>(target);
    return guarded(exchange, [&] { return exchange.add_body(data, unit * count); });
}

std::size_t on_read(char* into, std::size_t unit, std::size_t count, void* source) {
    auto& exchange = *static_cast<Exchange*>(source);
    const auto rest = exchange.request.body.substr(exchange.sent, unit * count);
    std::memcpy(into, rest.data(), rest.size());
    exchange.sent += rest.size();
    return rest.size();
}

// A kept connection that turns out to be closed: libcurl starts again on a new one.
int on_seek(void* source, curl_off_t offset, int origin) {
    auto& exchange = *static_cast<Exchange*>(source);
    if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > exchange.request.body.size())
        return CURL_SEEKFUNC_FAIL;
    exchange.sent = static_cast<std::size_t>(offset);
    return CURL_SEEKFUNC_OK;
}

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void append(HeaderList& list, std::string line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    Secret::wipe(line);
    if (longer == nullptr) throw Error(ErrorKind::internal, "out of memory");
    static_cast<void>(list.release());
    list.reset(longer);
}

HeaderList header_list(const ObjectRequest& request) {
    HeaderList out(nullptr, curl_slist_free_all);
    for (const auto& [name, value] : request.headers) append(out, name + ": " + value);
    if (request.secret_header)
        append(out,
               request.secret_header->first + ": " + std::string(request.secret_header->second->reveal()));
    return out;
}

void set_method(CurlHandle& curl, const ObjectRequest& request) {
    if (request.method == "HEAD") return curl.set(CURLOPT_NOBODY, 1L, "HEAD");
    if (request.method == "GET") return curl.set(CURLOPT_HTTPGET, 1L, "GET");
    if (request.method != "DELETE") {
        curl.set(CURLOPT_UPLOAD, 1L, "upload");
        curl.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()), "size");
    }
    curl.set(CURLOPT_CUSTOMREQUEST, request.method.c_str(), "method");
}

void set_signature(CurlHandle& curl, const AwsSignature& signature) {
    const std::string scheme = "aws:amz:" + signature.region + ":" + signature.service;
    std::string secret(signature.secret_key.reveal());
    curl.set(CURLOPT_AWS_SIGV4, scheme.c_str(), "signature");
    curl.set(CURLOPT_USERNAME, signature.access_key.c_str(), "access key");
    curl.set(CURLOPT_PASSWORD, secret.c_str(), "secret key");  // libcurl keeps its own copy until reset()
    Secret::wipe(secret);
}

}  // namespace

ObjectAnswer HttpClient::ask(const ObjectRequest& request) {
    auto lease = pool_.take();
    CurlHandle& curl = *lease;
    Exchange exchange{request, curl};
    char reason[CURL_ERROR_SIZE] = "";
    const HeaderList headers = header_list(request);
    curl.set(CURLOPT_URL, request.url.c_str(), "URL");
    curl.set(CURLOPT_PROTOCOLS_STR, "http,https", "protocols");
    curl.set(CURLOPT_PATH_AS_IS, 1L, "path");
    curl.set(CURLOPT_FOLLOWLOCATION, 0L, "redirects");
    curl.set(CURLOPT_NOSIGNAL, 1L, "signals");
    curl.set(CURLOPT_PROXY, "", "proxy");
    curl.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2), "TLS version");
    if (!settings_.ca_file.empty()) {
        curl.set(CURLOPT_CAINFO, settings_.ca_file.c_str(), "authorities");
        curl.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr), "authorities");
    }
    curl.set(CURLOPT_TCP_KEEPALIVE, 1L, "keep-alive");
    curl.set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_timeout.count()),
             "connect time-out");
    const StallWatch watch(curl, settings_.stall_timeout);
    curl.set(CURLOPT_BUFFERSIZE, buffer_size, "buffer");
    curl.set(CURLOPT_UPLOAD_BUFFERSIZE, buffer_size, "buffer");
    curl.set(CURLOPT_HTTPHEADER, headers.get(), "headers");
    curl.set(CURLOPT_ERRORBUFFER, static_cast<char*>(reason), "error buffer");
    curl.set(CURLOPT_HEADERFUNCTION, on_header, "header reader");
    curl.set(CURLOPT_HEADERDATA, &exchange, "header reader");
    curl.set(CURLOPT_WRITEFUNCTION, on_body, "writer");
    curl.set(CURLOPT_WRITEDATA, &exchange, "writer");
    curl.set(CURLOPT_READFUNCTION, on_read, "reader");
    curl.set(CURLOPT_READDATA, &exchange, "reader");
    curl.set(CURLOPT_SEEKFUNCTION, on_seek, "seek");
    curl.set(CURLOPT_SEEKDATA, &exchange, "seek");
    set_method(curl, request);
    if (request.signature) set_signature(curl, *request.signature);

    const CURLcode code = curl_easy_perform(curl.get());
    if (exchange.error) throw *exchange.error;
    if (watch.stalled()) throw Error(ErrorKind::network, watch.text());
    if (is_trust_failure(code))
        throw Error(ErrorKind::unauthenticated,
                    "the server's certificate is not accepted: " + printable_line(curl_reason(code, reason)));
    if (code != CURLE_OK)
        throw Error(ErrorKind::network, "no answer: " + printable_line(curl_reason(code, reason)));
    if (exchange.downloading && exchange.received != request.download->size())
        throw Error(ErrorKind::network, "the answer is shorter than it said");
    exchange.answer.status = static_cast<int>(curl.info<long>(CURLINFO_RESPONSE_CODE));
    return std::move(exchange.answer);
}

}  // namespace strongroom::net
