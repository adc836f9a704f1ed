#include "tests/integration/dispatcher/http/dispatcher_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/base/unique_fd.hpp"
#include "proto/dispatcher_key.hpp"
#include "proto/registration_code.hpp"

namespace strongroom::test {

namespace {

const std::string program = STRONGROOM_BIN_DIR "/strongroom-dispatcher";
const std::string development_key = STRONGROOM_BIN_DIR "/../dispatcher-key/development-secret.asc";

}  // namespace

DispatcherProcess::DispatcherProcess(std::filesystem::path state) : DispatcherProcess(std::move(state), {}) {}

DispatcherProcess::DispatcherProcess(const std::vector<std::string>& more) : DispatcherProcess({}, more) {}

DispatcherProcess::DispatcherProcess(std::filesystem::path state, const std::vector<std::string>& more)
    : state_(std::move(state)) {
    gpg::initialise();
    if (!std::filesystem::exists(this->state() / "dispatcher.sqlite")) {
        const auto made = command({"init", "--import-key", development_key});
        if (!made.status.ok()) throw Error(ErrorKind::internal, "init: " + made.err);
    }
    start(more);
}

DispatcherProcess::~DispatcherProcess() {
    if (process_) process_->terminate(std::chrono::seconds(10));
    const auto home = state() / "gnupg";
    if (std::filesystem::exists(home)) gpg::Home::use(home).stop_daemons();
}

void DispatcherProcess::start(const std::vector<std::string>& more) {
    const auto port_file = folder_.path() / "port";
    std::filesystem::remove(port_file);
    SpawnOptions options;
    options.argv = {program, "--state-dir", state().string(), "serve", "--port-file", port_file.string()};
    for (const char* listener : {"--listen", "--admin-listen"})
        if (std::ranges::find(more, listener) == more.end())
            options.argv.insert(options.argv.end(), {listener, "127.0.0.1:0"});
    options.argv.insert(options.argv.end(), more.begin(), more.end());
    const UniqueFd log_fd(
        ::open((folder_.path() / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    options.fds = {{1, log_fd.get()}, {2, log_fd.get()}};
    options.environment = environment;
    process_.emplace(options);
    for (int i = 0; i < 200 && !std::filesystem::exists(port_file); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::istringstream lines(read_file(port_file, 1000));
    std::getline(lines, address);
    std::getline(lines, admin_address);
}

void DispatcherProcess::kill_hard() {
    ::kill(process_->pid(), SIGKILL);
    process_->wait();
    process_.reset();
}

ExitStatus DispatcherProcess::stop(std::chrono::milliseconds grace) {
    const ExitStatus status = process_->terminate(grace);
    process_.reset();
    return status;
}

RunResult DispatcherProcess::command(const std::vector<std::string>& arguments) const {
    SpawnOptions options;
    options.argv = {program, "--state-dir", state().string()};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return run_program(options);
}

net::HttpAnswer DispatcherProcess::get(const std::string& path, const std::string& authorization) const {
    net::HttpRequest request;
    request.method = "GET";
    request.url = url() + path;
    if (!authorization.empty())
        request.headers.emplace_back("Authorization", Secret(std::string(authorization)));
    return net::http(request);
}

net::HttpAnswer DispatcherProcess::admin(const std::string& path) const {
    net::HttpRequest request;
    request.method = "GET";
    request.url = "http://" + admin_address + path;
    return net::http(request);
}

net::HttpAnswer DispatcherProcess::post(const std::string& body, const std::string& authorization) const {
    net::HttpRequest request;
    request.method = "POST";
    request.url = url() + "/v1/messages";
    request.headers.emplace_back("Authorization", Secret(std::string(authorization)));
    request.body = body;
    return net::http(request);
}

double DispatcherProcess::metric(const std::string& line_start) const {
    std::istringstream lines(admin("/metrics").body);
    for (std::string line; std::getline(lines, line);)
        if (line.rfind(line_start + " ", 0) == 0) return std::stod(line.substr(line_start.size() + 1));
    return 0;
}

long DispatcherProcess::faults_of_children() const {
    std::ifstream file("/proc/" + std::to_string(process_->pid()) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string field;
    for (int number = 3; number <= 11; ++number) fields >> field;  // 11: cminflt, see proc(5)
    return std::stol(field);
}

std::size_t DispatcherProcess::memory() const {
    std::ifstream file("/proc/" + std::to_string(process_->pid()) + "/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) << 10U;
    return 0;
}

std::string DispatcherProcess::log() const {
    return read_file(folder_.path() / "log", 10U << 20U);
}

void DispatcherProcess::connect(Peer& peer) const {
    peer.exchange = std::make_unique<proto::Exchange>(
        url(), proto::Party{peer.home.home(), peer.fingerprint},
        proto::dispatcher_party(peer.dispatcher.home().path()),
        proto::Gate{proto::Gate::Kind::bearer, Secret(std::string(peer.token))}, clock_);
    peer.exchange->set_attempts(1);
}

std::unique_ptr<DispatcherProcess::Peer> DispatcherProcess::add_user(const std::string& name) {
    auto peer = std::make_unique<Peer>();
    peer->fingerprint =
        gpg::generate_key(peer->home.home(), name + " <" + name + "@test.invalid>", "ed25519");
    const auto key = folder_.path() / (name + ".asc");
    const auto token = folder_.path() / (name + ".token");
    write_file_atomic(key, gpg::export_public(peer->home.home(), peer->fingerprint));
    const auto added =
        command({"user", "add", "--name", name, "--key", key.string(), "--token-file", token.string()});
    if (!added.status.ok()) throw Error(ErrorKind::internal, "user add: " + added.err);
    peer->token = read_file(token, 1000).substr(0, 64);
    connect(*peer);
    return peer;
}

std::unique_ptr<DispatcherProcess::Peer> DispatcherProcess::register_agent(Peer& owner) {
    const std::string code = proto::make_registration_code();
    const std::string code_hash = proto::registration_code_hash(code);
    owner.exchange->ask(proto::RegistrationCreate{"host", code_hash});
    auto peer = std::make_unique<Peer>();
    peer->server = random_uuid();
    peer->fingerprint = gpg::generate_key(peer->home.home(), peer->server + "@test.invalid", "ed25519");
    peer->public_key = gpg::export_public(peer->home.home(), peer->fingerprint);
    peer->token = to_hex(random_bytes(32));
    proto::Exchange exchange(url(), {peer->home.home(), peer->fingerprint},
                             proto::dispatcher_party(peer->dispatcher.home().path()),
                             {proto::Gate::Kind::registration, Secret(std::string(code_hash))}, clock_);
    exchange.ask(proto::Register{peer->server,
                                 "test.invalid",
                                 "host",
                                 "1",
                                 peer->public_key,
                                 gpg::inspect_public_key(peer->public_key).encryption_subkey()->fingerprint,
                                 {owner.fingerprint},
                                 code,
                                 sha256_hex(peer->token)});
    connect(*peer);
    return peer;
}

std::unique_ptr<DispatcherProcess::Peer> DispatcherProcess::reconnect(std::unique_ptr<Peer> peer) const {
    peer->exchange = std::make_unique<proto::Exchange>(
        url(), proto::Party{peer->home.home(), peer->fingerprint},
        proto::Party{peer->dispatcher.home(), gpg::list_keys(peer->dispatcher.home()).at(0).fingerprint},
        proto::Gate{proto::Gate::Kind::bearer, Secret(std::string(peer->token))}, clock_);
    peer->exchange->set_attempts(1);
    return peer;
}

RawConnection::RawConnection(const std::string& address)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        throw system_error(ErrorKind::network, "connect", errno);
}

void RawConnection::send(const std::string& bytes) {
    if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
        throw system_error(ErrorKind::network, "send", errno);
}

void RawConnection::send_without_waiting(const std::string& bytes) {
    if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return;
    if (errno != EAGAIN) throw system_error(ErrorKind::network, "send", errno);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

std::string RawConnection::read_all(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::string out;
    char buffer[4096];
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd poller{fd_.get(), POLLIN, 0};
        if (left.count() <= 0 || ::poll(&poller, 1, static_cast<int>(left.count())) <= 0)
            return out + "[still open]";
        const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (got <= 0) return out;
        out.append(buffer, static_cast<std::size_t>(got));
    }
}

}  // namespace strongroom::test
