// What a store's URL does not say, declared once for the agent and the client.
#pragma once

#include "common/config/options.hpp"
#include "common/storage/s3/s3_settings.hpp"
#include "common/storage/sftp/sftp_settings.hpp"

namespace strongroom::storage {

struct StoreSettings {
    S3Settings s3;
    SftpSettings sftp;
};

// Declares each as option, environment variable and file key: s3-endpoint, s3-region, sftp-key-file, ...
void declare(config::Options& options, StoreSettings& settings);

}  // namespace strongroom::storage
