// How an SFTP store is reached; the URL says host, port, user and folder.
#pragma once

#include <cstdint>
#include <filesystem>

namespace strongroom::storage {

struct SftpSettings {
    std::filesystem::path key_file;     // private key without a passphrase, mode 0600: ed25519 or ECDSA
    std::filesystem::path known_hosts;  // in OpenSSH's form; an unknown or changed host key is refused
    std::int64_t connections = 0;       // objects that travel at once; 0: network_transfers()
    std::int64_t connect_timeout = 15;  // seconds
    std::int64_t stall_timeout = 60;    // seconds without a byte after which a transfer is given up
};

}  // namespace strongroom::storage
