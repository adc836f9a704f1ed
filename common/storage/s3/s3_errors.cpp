#include "common/storage/s3/s3_errors.hpp"

#include <array>
#include <string_view>

#include "common/base/printable.hpp"
#include "common/storage/s3/s3_documents.hpp"

namespace strongroom::storage {
namespace {

struct Row {
    std::string_view code;
    ErrorKind kind;
    const char* hint;
};

// Codes: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and radosgw's QuotaExceeded.
constexpr std::array rows{
    Row{"NoSuchKey", ErrorKind::not_found, ""},
    Row{"NoSuchVersion", ErrorKind::not_found, ""},
    Row{"NoSuchUpload", ErrorKind::not_found, ""},
    Row{"NoSuchBucket", ErrorKind::config, "Check the bucket's name, the endpoint and the region."},
    Row{"AccessDenied", ErrorKind::forbidden,
        "The credentials are right, but their policy does not allow this: strongroom store policy prints "
        "what "
        "is needed."},
    Row{"AllAccessDisabled", ErrorKind::forbidden, "The bucket's owner disabled it."},
    Row{"AccountProblem", ErrorKind::forbidden, "Ask the provider: something is wrong with the account."},
    Row{"InvalidAccessKeyId", ErrorKind::forbidden,
        "The server does not know this access key: check the credentials, and the endpoint they belong to."},
    Row{"SignatureDoesNotMatch", ErrorKind::forbidden,
        "The secret key is wrong, or something between changes requests."},
    Row{"ExpiredToken", ErrorKind::forbidden,
        "The session token is too old: renew the credentials. A file is read again when it changes."},
    Row{"InvalidToken", ErrorKind::forbidden, "The session token is not of this access key: renew both."},
    Row{"TokenRefreshRequired", ErrorKind::forbidden, "Renew the credentials."},
    Row{"RequestTimeTooSkewed", ErrorKind::forbidden,
        "The clocks of this host and of the S3 server differ too much: set the clock (timedatectl, chrony)."},
    Row{"RequestExpired", ErrorKind::forbidden, "Set the clock of this host."},
    Row{"QuotaExceeded", ErrorKind::storage, "The quota is full: raise it, or remove old sets."},
    Row{"InvalidRequest", ErrorKind::config,
        "Where s3-object-lock is set, the bucket must have Object Lock: strongroom store check tells."},
    Row{"InvalidStorageClass", ErrorKind::config, "Correct s3-storage-class."},
    Row{"InvalidEncryptionAlgorithmError", ErrorKind::config, "Correct s3-encryption."},
    Row{"KMS.NotFoundException", ErrorKind::config, "Correct s3-kms-key."},
    Row{"AuthorizationHeaderMalformed", ErrorKind::config, "Set s3-region to the bucket's region."},
    Row{"PermanentRedirect", ErrorKind::config, "Set s3-region and s3-endpoint to those of the bucket."},
    Row{"TemporaryRedirect", ErrorKind::network, "A new bucket can take some hours to be known everywhere."},
    Row{"SlowDown", ErrorKind::busy, "The server asks for fewer requests: lower s3-connections."},
    Row{"ServiceUnavailable", ErrorKind::busy, ""},
    Row{"OperationAborted", ErrorKind::busy, ""},
    Row{"InternalError", ErrorKind::network, ""},
    Row{"RequestTimeout", ErrorKind::network, ""},
    Row{"IncompleteBody", ErrorKind::network, ""},
    // The bytes arrived changed.
    Row{"BadDigest", ErrorKind::network, ""},
    Row{"XAmzContentSHA256Mismatch", ErrorKind::network, ""},
};

constexpr Row by_status(int status) {
    if (status == 404) return {"", ErrorKind::not_found, ""};
    if (status == 401 || status == 403)
        return {"", ErrorKind::forbidden, "Check the credentials and the bucket's policy."};
    if (status == 301 || status == 307 || status == 308)
        return {"", ErrorKind::config, "The bucket is elsewhere: set s3-region and s3-endpoint."};
    if (status == 429 || status == 503) return {"", ErrorKind::busy, ""};
    if (status >= 500 || status == 408) return {"", ErrorKind::network, ""};
    return {"", ErrorKind::storage, "Check s3-endpoint: is an S3 server there?"};
}

Row row_of(const std::string& code, int status) {
    for (const Row& row : rows)
        if (row.code == code) return row;
    return by_status(status);
}

}  // namespace

Error s3_error(const std::string& what, const net::ObjectAnswer& answer) {
    const S3ErrorDocument document = parse_s3_error(answer.body);
    const Row row = row_of(document.code, answer.status);
    std::string text = what + ": the S3 server answers " + std::to_string(answer.status);
    if (!document.code.empty()) text += " " + document.code;
    if (!document.message.empty()) text += ": " + document.message;
    std::string hint = row.hint;
    std::string region = answer.header("x-amz-bucket-region");
    if (region.empty()) region = document.region;
    if (!region.empty() && row.kind == ErrorKind::config)
        hint = "The bucket's region is " + printable_line(region, 64) + ": set s3-region.";
    return Error(row.kind, text, hint);
}

}  // namespace strongroom::storage
