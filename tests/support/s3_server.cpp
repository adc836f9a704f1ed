#include "tests/support/s3_server.hpp"

#include <unistd.h>

#include <csignal>
#include <fstream>

#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/subprocess.hpp"
#include "common/storage/s3/s3_client.hpp"

namespace strongroom::test {

S3Server::S3Server() : folder_({}, "srs3") {
    run({"up", folder().string(), std::to_string(::getpid())});
    add_user("owner");
}

S3Server::~S3Server() {
    try {
        run({"down", folder().string()});
    } catch (const Error&) {
        // The watcher of the script sees to it.
    }
}

S3Server& S3Server::shared() {
    static S3Server server;
    return server;
}

void S3Server::run(const std::vector<std::string>& arguments) const {
    SpawnOptions options;
    options.argv = {"bash", STRONGROOM_SOURCE_DIR "/tests/support/s3_server.sh"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    const auto result = run_program(options);
    if (!result.status.ok())
        throw Error(ErrorKind::internal, "s3_server.sh " + arguments.front() + ": " + result.err);
}

pid_t S3Server::pid_of(const std::string& daemon) const {
    return static_cast<pid_t>(std::stol(read_file(folder() / "run" / (daemon + ".pid"), 64)));
}

std::string S3Server::endpoint(bool tls) const {
    std::string port = read_file(folder() / (tls ? "tls-port" : "port"), 64);
    while (!port.empty() && port.back() == '\n') port.pop_back();
    return (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + port;
}

storage::StoreSettings S3Server::settings(bool tls, const std::string& user) const {
    storage::StoreSettings out;
    out.s3.endpoint = endpoint(tls);
    if (tls) out.s3.ca_file = ca_file();
    out.s3.credentials_file = folder() / (user + ".credentials");
    out.s3.stall_timeout = 20;
    return out;
}

void S3Server::add_user(const std::string& name) {
    run({"user", folder().string(), name});
    write_file_atomic(
        folder() / (name + ".credentials"),
        "[default]\naws_access_key_id = key-" + name + "\naws_secret_access_key = secret-" + name + "\n");
}

std::string S3Server::make_bucket(bool locked) {
    const std::string url = "s3://bucket-" + std::to_string(++buckets_);
    storage::S3Client client(url, settings(false).s3);
    storage::S3Request request{.method = "PUT"};
    if (locked) request.headers.emplace_back("x-amz-bucket-object-lock-enabled", "true");
    client.expect(200, "making a bucket", request);
    return url;
}

void S3Server::put_bucket_document(const std::string& url, const std::string& what,
                                   const std::string& document) {
    storage::S3Client client(url, settings(false).s3);
    const auto answer = client.ask(what, {.method = "PUT", .query = {{what, ""}}, .body = document});
    if (answer.status != 200 && answer.status != 204)
        throw Error(ErrorKind::internal, "PUT of " + what + ": " + answer.body);
}

void S3Server::set_quota(const std::string& url, int objects) {
    const std::string bucket = storage::S3Address(url, settings(false).s3).bucket();
    run({"quota", folder().string(), bucket, std::to_string(objects)});
}

void S3Server::kill_gateway() {
    const pid_t pid = pid_of("client.rgw");
    ::kill(pid, SIGKILL);
    for (int i = 0; i < 200 && ::kill(pid, 0) == 0; ++i) {
        std::string line;  // a zombie counts as gone
        std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat") >> std::ws, line);
        if (line.find(") Z") != std::string::npos) break;
        ::usleep(20'000);
    }
}

void S3Server::start_gateway() {
    run({"gateway", folder().string()});
}

void S3Server::stop_disk() {
    ::kill(pid_of("osd.0"), SIGSTOP);
}

void S3Server::continue_disk() {
    ::kill(pid_of("osd.0"), SIGCONT);
}

}  // namespace strongroom::test
