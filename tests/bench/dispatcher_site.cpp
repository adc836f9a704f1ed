#include "tests/bench/dispatcher_site.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/net/http.hpp"
#include "dispatcher/handler/handlers.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "proto/registration_code.hpp"

namespace strongroom::bench {

namespace fs = std::filesystem;
using namespace strongroom::dispatcher;

void row(const std::string& name, double value, const char* unit, int digits) {
    std::printf("%s\t%.*f\t%s\n", name.c_str(), digits, value, unit);
    std::fflush(stdout);
}

void note(const std::string& text) {
    std::cerr << "# " << text << std::endl;
}

Site::Site(fs::path folder, std::string program, int keys)
    : folder_(std::move(folder)),
      program_(std::move(program)),
      secrets_((make_private_dir(folder_), gpg::Home::create(folder_ / "k"))) {
    make_keys(keys);
}

Site::~Site() {
    if (process_) process_->terminate(std::chrono::seconds(10));
    secrets_.stop_daemons();
    if (fs::exists(state() / "gnupg")) gpg::Home::use(state() / "gnupg").stop_daemons();
}

void Site::make_keys(int keys) {
    const auto make = [&](const std::string& uuid, const std::string& user_id) {
        Peer peer;
        peer.uuid = uuid;
        peer.fingerprint = gpg::generate_key(secrets_, user_id, "ed25519");
        peer.public_key = gpg::export_public(secrets_, peer.fingerprint);
        peer.subkey = gpg::find_key(secrets_, peer.fingerprint).encryption_subkey()->fingerprint;
        peer.token = to_hex(random_bytes(32));
        return peer;
    };
    const auto book = folder_ / "keys.json";
    if (!fs::exists(book)) {
        note("making " + std::to_string(keys) + " keys");
        Json all = Json::array();
        for (int i = 0; i <= keys; ++i) {
            const std::string uuid = random_uuid();
            const Peer peer = make(uuid, i == 0 ? "user <user@test.invalid>" : uuid + "@test.invalid");
            all.push_back({peer.uuid, peer.fingerprint, peer.subkey, peer.public_key, peer.token});
        }
        write_file_atomic(book, all.dump());
    }
    const Json all = Json::parse(read_file(book, 64U << 20U));
    for (const auto& entry : all) agents_.push_back({entry[0], entry[1], entry[2], entry[3], entry[4], ""});
    user_ = agents_.front();
    agents_.erase(agents_.begin());
}

void Site::make_state() {
    if (fs::exists(state() / "gnupg")) gpg::Home::use(state() / "gnupg").stop_daemons();
    fs::remove_all(state());
    fs::remove_all(folder_ / "d");
    const auto made = run_program({.argv = {program_, "--state-dir", state().string(), "init", "--json"},
                                   .fds = {},
                                   .environment = {},
                                   .directory = {}});
    if (!made.status.ok()) throw Error(ErrorKind::internal, "init: " + made.err);
    fingerprint_ = Json::parse(made.out).at("fingerprint");
    dispatcher_home_ = gpg::Home::create(folder_ / "d", gpg::HomeFor::public_keys);
    gpg::import_public_key(*dispatcher_home_, read_file(state() / "dispatcher.asc", gpg::max_public_key));

    plain_.clear();
    const auto store = SqliteStore::open(state() / "dispatcher.sqlite");
    const std::int64_t now = to_millis(clock_.now());
    store->transact([&](Transaction& tx) {
        tx.add_user({user_.fingerprint, "user", user_.public_key, sha256_hex(user_.token), now});
        for (auto& agent : agents_) {
            agent.code = to_hex(random_bytes(10));
            RegistrationCode code;
            code.hash = proto::registration_code_hash(agent.code);
            code.owner = user_.fingerprint;
            code.label = "bench";
            code.created = now;
            code.expires = now + 86'400'000;
            tx.add_code(code);
        }
    });
}

void Site::add_plain_servers(std::size_t upto, bool with_homes) {
    const auto store = SqliteStore::open(state() / "dispatcher.sqlite");
    const auto like = state() / "peers" / agents_.front().fingerprint;
    const std::int64_t now = to_millis(clock_.now());
    store->transact([&](Transaction& tx) {
        while (plain_.size() < upto) {
            Peer peer = agents_[plain_.size() % agents_.size()];  // the key is shared, the rest its own
            peer.uuid = random_uuid();
            peer.token = to_hex(random_bytes(32));
            peer.fingerprint.clear();
            for (const char c : to_hex(random_bytes(20)))
                peer.fingerprint += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            dispatcher::Server server;
            server.uuid = peer.uuid;
            server.owner = user_.fingerprint;
            server.identity = peer.fingerprint;
            server.subkey = peer.subkey;
            server.public_key = peer.public_key;
            server.token_hash = sha256_hex(peer.token);
            server.label = "bench";
            server.recovery = {user_.fingerprint};
            server.registered = now;
            tx.add_server(server);
            if (with_homes) fs::copy(like, state() / "peers" / peer.fingerprint, fs::copy_options::recursive);
            plain_.push_back(std::move(peer));
        }
    });
}

void Site::start() {
    const auto port_file = folder_ / "port";
    fs::remove(port_file);
    SpawnOptions options;
    options.argv = {program_,      "--state-dir",    state().string(), "serve",       "--listen",
                    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",    "--port-file", port_file.string()};
    const UniqueFd log(::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    options.fds = {{1, log.get()}, {2, log.get()}};
    process_.emplace(options);
    for (int i = 0; i < 3000 && !fs::exists(port_file); ++i) {
        if (process_->wait_for(std::chrono::milliseconds(10)))
            throw Error(ErrorKind::internal,
                        "the dispatcher did not start: see " + (folder_ / "log").string());
    }
    std::istringstream lines(read_file(port_file, 1000));
    std::string address;
    std::getline(lines, address);
    std::getline(lines, admin_);
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

void Site::kill_hard() {
    ::kill(process_->pid(), SIGKILL);
    process_->wait();
    process_.reset();
}

double Site::stop() {
    const auto start = Steady::now();
    const ExitStatus status = process_->terminate(std::chrono::seconds(20));
    process_.reset();
    if (!status.ok()) throw Error(ErrorKind::internal, "the dispatcher ended with " + status.describe());
    return ms_since(start) / 1000;
}

double Site::metric(const std::string& line_start) const {
    net::HttpRequest request;
    request.method = "GET";
    request.url = "http://" + admin_ + "/metrics";
    request.max_answer = 64U << 20U;  // two lines for each server
    std::istringstream lines(net::http(request).body);
    for (std::string line; std::getline(lines, line);)
        if (line.rfind(line_start + " ", 0) == 0) return std::stod(line.substr(line_start.size() + 1));
    return 0;
}

std::string Site::process_file(const char* name) const {
    std::ifstream file("/proc/" + std::to_string(process_->pid()) + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

namespace {

// Field `number` of /proc/PID/stat, see proc(5).
long stat_field(const std::string& text, int number) {
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string field;
    for (int at = 3; at <= number; ++at) fields >> field;
    return std::stol(field);
}

}  // namespace

long Site::cpu_ticks() const {
    const std::string text = process_file("stat");
    return stat_field(text, 14) + stat_field(text, 15);
}

long Site::faults_of_children() const {
    return stat_field(process_file("stat"), 11);
}

double Site::rss_mib() const {
    const std::string text = process_file("status");
    const auto at = text.find("VmRSS:");
    return std::stod(text.substr(at + 6)) / 1024;
}

std::string Site::sealed(const Peer& from, const char* type, Json body,
                         const std::string& authorization) const {
    const proto::Message message = proto::encode(
        {type, from.fingerprint, fingerprint_, random_uuid(), clock_.now(), {}}, std::move(body));
    const Bytes bytes = proto::seal(message, {secrets_, from.fingerprint}, {*dispatcher_home_, fingerprint_});
    return post_request(bytes, authorization.empty() ? from.authorization() : authorization);
}

void Site::require_reply(const Peer& to, const Load::Answer& answer) const {
    if (answer.status != 200)
        throw Error(ErrorKind::internal,
                    "status " + std::to_string(answer.status) + " instead of a reply: " + answer.body);
    const auto reply =
        proto::open(answer.body, {secrets_, to.fingerprint}, {*dispatcher_home_, fingerprint_}, clock_);
    if (reply.header.type == "error")
        throw Error(ErrorKind::internal, "the dispatcher refused: " + reply.body.dump());
}

}  // namespace strongroom::bench
