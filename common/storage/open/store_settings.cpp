#include "common/storage/open/store_settings.hpp"

#include "common/config/quantity.hpp"

namespace strongroom::storage {

void declare(config::Options& options, StoreSettings& settings) {
    S3Settings& s3 = settings.s3;
    options.setting("--s3-endpoint", s3.endpoint, "S3 server of s3:// stores (default: AWS)")
        ->type_name("URL");
    options.setting("--s3-region", s3.region, "Region of the bucket (default: AWS_REGION, us-east-1)")
        ->type_name("NAME");
    options
        .setting("--s3-addressing", s3.addressing,
                 "Bucket in the path or as virtual host; auto: path with s3-endpoint, else virtual")
        ->check(CLI::IsMember({"auto", "path", "virtual"}))
        ->capture_default_str();
    options.setting("--s3-ca-file", s3.ca_file, "Authorities of the S3 server's certificate (PEM)")
        ->type_name("FILE");
    options
        .setting("--s3-credentials-file", s3.credentials_file,
                 "Private file with the S3 keys, as AWS's credentials file (default: AWS_ACCESS_KEY_ID ..., "
                 "AWS_SHARED_CREDENTIALS_FILE)")
        ->type_name("FILE");
    options.setting("--s3-profile", s3.profile, "Section of that file (default: AWS_PROFILE, default)")
        ->type_name("NAME");
    options.setting("--s3-storage-class", s3.storage_class, "Storage class of new objects")
        ->type_name("NAME");
    options.setting("--s3-encryption", s3.encryption, "The server's own encryption: AES256, aws:kms")
        ->type_name("NAME");
    options.setting("--s3-kms-key", s3.kms_key, "Key of aws:kms")->type_name("ID");
    options
        .setting("--s3-object-lock", s3.object_lock,
                 "Lock every object that is put against removal: governance, compliance (default: as the "
                 "bucket says)")
        ->check(CLI::IsMember({"governance", "compliance"}));
    options.setting("--s3-lock-for", s3.lock_for, "How long, from the put on: 35d")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{60}, std::int64_t{100} * 365 * 86'400));
    options.setting("--s3-multipart-above", s3.multipart_above, "Objects of more bytes go up in parts")
        ->check(CLI::Range(std::int64_t{5} << 20, std::int64_t{5} << 30))
        ->capture_default_str();
    const auto declare_connections = [&](const char* name, std::int64_t& value) {
        options
            .setting(name, value,
                     "Objects that a backup or a restore transfers at once (default: two for each worker, at "
                     "least 4)")
            ->check(CLI::Range(0, 256));
    };
    declare_connections("--s3-connections", s3.connections);
    declare_connections("--sftp-connections", settings.sftp.connections);
    options
        .setting("--s3-stall-timeout", s3.stall_timeout, "Give a transfer up that moves no byte for so long")
        ->transform(config::as_duration())
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{3'600}))
        ->default_str("60s");
    options
        .setting("--sftp-key-file", settings.sftp.key_file,
                 "Private key of sftp:// stores (ed25519 or ECDSA, no passphrase)")
        ->type_name("FILE");
    options
        .setting("--sftp-known-hosts", settings.sftp.known_hosts,
                 "Host keys of SFTP servers, in OpenSSH's form; others are refused")
        ->type_name("FILE");
}

}  // namespace strongroom::storage
