#include "tests/support/sftp_server.hpp"

#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/error.hpp"

namespace strongroom::test {
namespace {

void run(const std::vector<std::string>& argv) {
    SpawnOptions options;
    options.argv = argv;
    const auto result = run_program(options);
    if (!result.status.ok()) throw Error(ErrorKind::internal, argv.front() + ": " + result.err);
}

sockaddr_in loopback(int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

int free_port() {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd.get(), raw, size) != 0 || ::getsockname(fd.get(), raw, &size) != 0)
        throw system_error(ErrorKind::internal, "no port", errno);
    return ntohs(address.sin_port);
}

bool answers(int port) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

SftpServer::SftpServer() : folder_({}, "srsf"), port_(free_port()) {
    std::filesystem::create_directory(files());
    const auto path = [&](const char* name) { return (folder() / name).string(); };
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path("user_key")});
    const std::string settings =
        "ListenAddress 127.0.0.1\nPort " + std::to_string(port_) + "\nHostKey " + path("host_key") +
        "\nAuthorizedKeysFile " + path("user_key.pub") +
        "\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin "
        "prohibit-password\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\nForceCommand internal-sftp\n"
        "MaxStartups 100\nMaxSessions 100\nLogLevel ERROR\n";
    write_file_atomic(folder() / "sshd_config", settings);
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path("host_key")});
    const Bytes key = read_file(folder() / "host_key.pub", 4096);
    write_file_atomic(folder() / "known_hosts", "[127.0.0.1]:" + std::to_string(port_) + " " + key);
    start();
}

void SftpServer::start() {
    if (::geteuid() == 0) ::mkdir("/run/sshd", 0755);  // its privilege separation wants it
    SpawnOptions options;
    options.argv = {"/usr/sbin/sshd", "-D", "-e", "-f", (folder() / "sshd_config").string()};
    process_.emplace(options);
    for (int i = 0; i < 200; ++i) {
        if (process_->wait_for(std::chrono::milliseconds(25))) break;
        if (answers(port_)) return;
    }
    throw Error(ErrorKind::internal, "sshd does not start");
}

void SftpServer::change_host_key() {
    stop();
    std::filesystem::remove(folder() / "host_key");
    std::filesystem::remove(folder() / "host_key.pub");
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", (folder() / "host_key").string()});
    start();
}

std::string SftpServer::url(const std::string& name) const {
    const passwd* user = ::getpwuid(::geteuid());
    return "sftp://" + std::string(user != nullptr ? user->pw_name : "root") +
           "@127.0.0.1:" + std::to_string(port_) + (files() / name).string();
}

storage::StoreSettings SftpServer::settings() const {
    storage::StoreSettings out;
    out.sftp.key_file = folder() / "user_key";
    out.sftp.known_hosts = folder() / "known_hosts";
    out.sftp.stall_timeout = 10;
    return out;
}

}  // namespace strongroom::test
