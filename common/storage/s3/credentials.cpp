#include "common/storage/s3/credentials.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/printable.hpp"

namespace strongroom::storage {
namespace {

constexpr std::size_t max_file = 64U << 10U;
constexpr std::size_t max_value = 8192;  // session tokens reach some kilobytes

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

// Visible ASCII only: these go into headers and into what is signed.
void require_value(std::string_view value, const char* key, const std::string& origin) {
    const bool visible = std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7F; });
    if (!visible || value.size() > max_value)
        throw Error(ErrorKind::config, std::string(key) + " of " + origin + " is not a key");
}

void require_complete(const S3Credentials& keys) {
    if (keys.access_key.empty() || keys.secret_key.empty())
        throw Error(ErrorKind::config,
                    keys.origin + " has no " +
                        (keys.access_key.empty() ? "aws_access_key_id" : "aws_secret_access_key"),
                    "Both are needed, in one section.");
    require_value(keys.access_key, "aws_access_key_id", keys.origin);
    require_value(keys.secret_key.reveal(), "aws_secret_access_key", keys.origin);
    require_value(keys.session_token.reveal(), "aws_session_token", keys.origin);
}

std::filesystem::path shared_file() {
    if (const auto named = environment("AWS_SHARED_CREDENTIALS_FILE"); !named.empty()) return named;
    const auto home = environment("HOME");
    return home.empty() ? std::filesystem::path() : std::filesystem::path(home) / ".aws" / "credentials";
}

std::filesystem::path file_to_use(const S3Settings& settings) {
    if (!settings.credentials_file.empty()) return settings.credentials_file;
    if (!environment("AWS_ACCESS_KEY_ID").empty()) return {};
    std::error_code ignored;
    if (const auto shared = shared_file(); std::filesystem::exists(shared, ignored)) return shared;
    throw Error(ErrorKind::config, "there are no credentials for the S3 store",
                "Name a private file with s3-credentials-file, or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or make ~/.aws/credentials.");
}

std::string profile_to_use(const S3Settings& settings) {
    if (!settings.profile.empty()) return settings.profile;
    const auto named = environment("AWS_PROFILE");
    return named.empty() ? "default" : named;
}

S3Credentials from_environment() {
    S3Credentials out;
    out.origin = "the environment";
    out.access_key = environment("AWS_ACCESS_KEY_ID");
    out.secret_key = Secret(environment("AWS_SECRET_ACCESS_KEY"));
    out.session_token = Secret(environment("AWS_SESSION_TOKEN"));
    require_complete(out);
    return out;
}

}  // namespace

S3Credentials parse_s3_credentials(BytesView text, const std::string& profile, const std::string& origin) {
    S3Credentials out;
    out.origin = origin + " [" + printable_line(profile, 80) + "]";
    bool inside = false;
    bool found = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '[') {
            inside = line.back() == ']' && trimmed(line.substr(1, line.size() - 2)) == profile;
            found = found || inside;
            continue;
        }
        const auto equals = line.find('=');
        if (!inside || equals == std::string_view::npos) continue;
        const auto key = trimmed(line.substr(0, equals));
        const auto value = trimmed(line.substr(equals + 1));
        if (key == "aws_access_key_id") out.access_key = std::string(value);
        if (key == "aws_secret_access_key") out.secret_key = Secret(std::string(value));
        if (key == "aws_session_token") out.session_token = Secret(std::string(value));
    }
    if (!found)
        throw Error(ErrorKind::config, origin + " has no section [" + printable_line(profile, 80) + "]",
                    "Its form is that of AWS's credentials file: [default], aws_access_key_id = ..., "
                    "aws_secret_access_key = ...");
    require_complete(out);
    return out;
}

S3CredentialsSource::S3CredentialsSource(const S3Settings& settings)
    : profile_(profile_to_use(settings)), file_(file_to_use(settings)) {}

bool S3CredentialsSource::is_fresh() const {
    if (!known_) return false;
    if (file_.empty()) return true;
    struct stat now {};
    if (::stat(file_.c_str(), &now) != 0) return true;  // being replaced: what is known may do
    return now.st_ino == read_from_.st_ino && now.st_dev == read_from_.st_dev &&
           now.st_mtim.tv_sec == read_from_.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == read_from_.st_mtim.tv_nsec && now.st_size == read_from_.st_size;
}

std::shared_ptr<const S3Credentials> S3CredentialsSource::current() {
    const std::lock_guard lock(mutex_);
    if (is_fresh()) return known_;
    if (file_.empty()) {
        known_ = std::make_shared<const S3Credentials>(from_environment());
        return known_;
    }
    require_private_file(file_);
    struct stat before {};
    if (::stat(file_.c_str(), &before) != 0)
        throw system_error(ErrorKind::config, "cannot read " + file_.string(), errno);
    const Secret text(read_file(file_, max_file));
    known_ =
        std::make_shared<const S3Credentials>(parse_s3_credentials(text.reveal(), profile_, file_.string()));
    read_from_ = before;
    return known_;
}

}  // namespace strongroom::storage
