#include "common/storage/sftp/sftp_client.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"
#include "common/net/stall_watch.hpp"

namespace strongroom::storage {
namespace {

constexpr std::size_t max_list = 64U << 20U;  // bytes of one folder's list
constexpr long buffer_size = 512L << 10;

using Quotes = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Quotes quotes_of(const std::vector<std::string>& commands) {
    Quotes out(nullptr, curl_slist_free_all);
    for (const auto& command : commands) {
        curl_slist* longer = curl_slist_append(out.get(), command.c_str());
        if (longer == nullptr) throw Error(ErrorKind::internal, "out of memory");
        static_cast<void>(out.release());
        out.reset(longer);
    }
    return out;
}

}  // namespace

struct SftpClient::Transfer {
    net::CurlHandle& curl;
    BytesView up{};
    std::size_t sent = 0;
    MemFile* down = nullptr;  // else `list`
    std::size_t max = 0;
    std::size_t received = 0;
    std::string list{};
    std::optional<Error> error{};
    curl_khmatch host_key = CURLKHMATCH_OK;

    static std::size_t on_read(char* into, std::size_t unit, std::size_t count, void* target) {
        auto& self = *static_cast<Transfer*>(target);
        const auto rest = self.up.substr(self.sent, unit * count);
        std::memcpy(into, rest.data(), rest.size());
        self.sent += rest.size();
        return rest.size();
    }

    static std::size_t on_body(char* data, std::size_t unit, std::size_t count, void* target) {
        auto& self = *static_cast<Transfer*>(target);
        try {
            return self.take({data, unit * count});
        } catch (const Error& failure) {
            self.error = failure;
        } catch (const std::exception& failure) {
            self.error.emplace(ErrorKind::internal, failure.what());
        }
        return 0;
    }

    // Called for unknown, changed and known host keys: only what the file knows is accepted.
    static int on_host_key(CURL*, const curl_khkey*, const curl_khkey*, curl_khmatch match, void* target) {
        static_cast<Transfer*>(target)->host_key = match;
        return match == CURLKHMATCH_OK ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT;
    }

    std::size_t take(BytesView bytes) {
        if (down == nullptr) {
            if (list.size() + bytes.size() > max_list)
                throw Error(ErrorKind::protocol, "the SFTP server's list of a folder is too long");
            list.append(bytes);
            return bytes.size();
        }
        if (received == 0) {
            const auto length = curl.info<curl_off_t>(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
            if (length < 0)
                throw Error(ErrorKind::protocol, "the SFTP server does not say the file's length");
            if (static_cast<std::size_t>(length) > max)
                throw Error(ErrorKind::corrupt, "has " + std::to_string(length) +
                                                    " bytes, which is more than the expected " +
                                                    std::to_string(max));
            down->resize(static_cast<std::size_t>(length));
        }
        if (bytes.size() > down->size() - received)
            throw Error(ErrorKind::protocol, "the file is longer than the SFTP server said");
        std::memcpy(down->data() + received, bytes.data(), bytes.size());
        received += bytes.size();
        return bytes.size();
    }
};

bool parse_sftp_line(std::string_view line, SftpEntry& out) {
    if (line.empty() || (line.front() != '-' && line.front() != 'd')) return false;
    out.folder = line.front() == 'd';
    // mode, links, owner, group, size, three words of time, name
    std::istringstream words{std::string(line)};
    std::string word;
    std::string size;
    for (int i = 0; i < 8; ++i) {
        if (!(words >> word)) return false;
        if (i == 4) size = word;
    }
    if (!(words >> out.name) || out.name.find('/') != std::string::npos) return false;
    if (words >> word) return false;  // a name with blanks is none of ours
    const auto [end, failure] = std::from_chars(size.data(), size.data() + size.size(), out.size);
    return failure == std::errc() && end == size.data() + size.size();
}

SftpClient::SftpClient(SftpAddress address, SftpSettings settings)
    : address_(std::move(address)), settings_(std::move(settings)) {
    if (settings_.key_file.empty())
        throw Error(ErrorKind::config, "an SFTP store needs a key",
                    "Name a private key file (ed25519, without a passphrase) with sftp-key-file.");
    if (settings_.known_hosts.empty())
        throw Error(ErrorKind::config, "an SFTP store needs the server's host key",
                    "Name a known-hosts file with sftp-known-hosts; compare the key with the server's first: "
                    "ssh-keyscan HOST > FILE.");
    require_private_file(settings_.key_file);
    std::error_code failure;
    if (!std::filesystem::is_regular_file(settings_.known_hosts, failure))
        throw Error(ErrorKind::config, "there is no known-hosts file " + settings_.known_hosts.string());
}

void SftpClient::perform(net::CurlHandle& curl, Transfer& transfer, const std::string& path) {
    const std::string url = address_.server + path;
    char reason[CURL_ERROR_SIZE] = "";
    curl.set(CURLOPT_URL, url.c_str(), "URL");
    curl.set(CURLOPT_PROTOCOLS_STR, "sftp", "protocols");
    curl.set(CURLOPT_PROXY, "", "proxy");
    curl.set(CURLOPT_NOSIGNAL, 1L, "signals");
    curl.set(CURLOPT_USERNAME, address_.user.c_str(), "user");
    curl.set(CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PUBLICKEY), "login by key");
    curl.set(CURLOPT_SSH_PRIVATE_KEYFILE, settings_.key_file.c_str(), "key");
    curl.set(CURLOPT_SSH_PUBLIC_KEYFILE, "", "public key");  // is derived from the private one
    curl.set(CURLOPT_SSH_KNOWNHOSTS, settings_.known_hosts.c_str(), "known hosts");
    curl.set(CURLOPT_SSH_KEYFUNCTION, Transfer::on_host_key, "host key");
    curl.set(CURLOPT_SSH_KEYDATA, &transfer, "host key");
    curl.set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_timeout), "connect time-out");
    curl.set(CURLOPT_BUFFERSIZE, buffer_size, "buffer");
    curl.set(CURLOPT_UPLOAD_BUFFERSIZE, buffer_size, "buffer");
    curl.set(CURLOPT_ERRORBUFFER, static_cast<char*>(reason), "error buffer");
    curl.set(CURLOPT_WRITEFUNCTION, Transfer::on_body, "writer");
    curl.set(CURLOPT_WRITEDATA, &transfer, "writer");
    const net::StallWatch watch(curl, std::chrono::seconds(settings_.stall_timeout));
    const CURLcode code = curl_easy_perform(curl.get());

    if (transfer.error) throw *transfer.error;
    if (code == CURLE_OK) return;
    const std::string text = watch.stalled() ? watch.text() : printable_line(net::curl_reason(code, reason));
    const std::string server = address_.server.substr(sftp_scheme.size());
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        throw Error(
            ErrorKind::unauthenticated,
            transfer.host_key == CURLKHMATCH_MISMATCH
                ? "the host key of " + server + " is another than " + settings_.known_hosts.string() + " says"
                : "the host key of " + server + " is not in " + settings_.known_hosts.string(),
            transfer.host_key == CURLKHMATCH_MISMATCH
                ? "Somebody may be in between. Ask the server's operator; only then replace its line."
                : "Compare the server's host key with its operator, and add it: ssh-keyscan HOST.");
    if (code == CURLE_LOGIN_DENIED)
        throw Error(ErrorKind::forbidden,
                    "the SFTP server refuses the login of " + address_.user + ": " + text,
                    "Is the public key in its authorized_keys? The key must be ed25519 or ECDSA.");
    if (code == CURLE_REMOTE_FILE_NOT_FOUND) throw Error(ErrorKind::not_found, text);
    if (code == CURLE_REMOTE_ACCESS_DENIED)
        throw Error(ErrorKind::forbidden, text,
                    "Check the permissions of " + address_.root + " on the server.");
    if (code == CURLE_REMOTE_DISK_FULL)
        throw Error(ErrorKind::storage, text, "The server's disk is full.").with_system_code(ENOSPC);
    if (code == CURLE_QUOTE_ERROR) throw Error(ErrorKind::storage, text);
    throw Error(ErrorKind::network, text, "Check the address, and that the SFTP server runs.");
}

void SftpClient::upload(const std::string& path, BytesView bytes) {
    auto lease = pool_.take();
    Transfer transfer{*lease, bytes};
    net::CurlHandle& curl = *lease;
    curl.set(CURLOPT_UPLOAD, 1L, "upload");
    curl.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes.size()), "size");
    curl.set(CURLOPT_READFUNCTION, Transfer::on_read, "reader");
    curl.set(CURLOPT_READDATA, &transfer, "reader");
    curl.set(CURLOPT_FTP_CREATE_MISSING_DIRS, static_cast<long>(CURLFTP_CREATE_DIR_RETRY), "folders");
    curl.set(CURLOPT_NEW_FILE_PERMS, 0600L, "permissions");
    curl.set(CURLOPT_NEW_DIRECTORY_PERMS, 0700L, "permissions");
    perform(curl, transfer, path);
    if (transfer.sent != bytes.size()) throw Error(ErrorKind::network, "the file was not sent whole");
}

void SftpClient::download(const std::string& path, std::size_t max, MemFile& into) {
    auto lease = pool_.take();
    Transfer transfer{.curl = *lease, .down = &into, .max = max};
    perform(*lease, transfer, path);
    if (transfer.received == 0) into.resize(0);
    if (transfer.received != into.size()) throw Error(ErrorKind::network, "the file did not arrive whole");
}

std::vector<SftpEntry> SftpClient::list(const std::string& folder) {
    auto lease = pool_.take();
    Transfer transfer{*lease};
    perform(*lease, transfer, folder + "/");
    std::vector<SftpEntry> out;
    std::istringstream lines(transfer.list);
    SftpEntry entry;
    for (std::string line; std::getline(lines, line);)
        if (parse_sftp_line(line, entry) && entry.name != "." && entry.name != "..") out.push_back(entry);
    return out;
}

void SftpClient::run(const std::vector<std::string>& commands) {
    auto lease = pool_.take();
    Transfer transfer{*lease};
    const Quotes quotes = quotes_of(commands);
    net::CurlHandle& curl = *lease;
    curl.set(CURLOPT_NOBODY, 1L, "no body");
    curl.set(CURLOPT_QUOTE, quotes.get(), "commands");
    perform(curl, transfer, "/");
}

}  // namespace strongroom::storage
