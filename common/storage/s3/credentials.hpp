// Keys for S3: from a private file or the usual AWS names, never from a command line or a URL.
//
//   1. s3-credentials-file
//   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   3. AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/credentials; the section that AWS_PROFILE names, or [default]
//
// The form of the files is AWS's (docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html): INI
// with aws_access_key_id, aws_secret_access_key and aws_session_token in sections. Other keys are left alone.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/secret.hpp"
#include "common/storage/s3/s3_settings.hpp"

namespace strongroom::storage {

struct S3Credentials {
    std::string access_key;
    Secret secret_key;
    Secret session_token;  // may be empty
    std::string origin;    // for errors: "/etc/strongroom/s3 [default]", "the environment"
};

// Throws Error{config} if the section or one of its two keys is missing, or a value holds what no key does.
// `origin` names the text in errors.
S3Credentials parse_s3_credentials(BytesView text, const std::string& profile, const std::string& origin);

// Any thread. A file that was replaced is read again, so that keys can be renewed while a backup runs.
class S3CredentialsSource {
  public:
    explicit S3CredentialsSource(const S3Settings& settings);

    // Throws Error{config} if there are none, Error{insecure_file} if others can read the file.
    std::shared_ptr<const S3Credentials> current();

  private:
    bool is_fresh() const;
    const std::string profile_;
    std::filesystem::path file_;  // empty: the environment
    std::mutex mutex_;
    std::shared_ptr<const S3Credentials> known_;
    struct stat read_from_ {};
};

}  // namespace strongroom::storage
