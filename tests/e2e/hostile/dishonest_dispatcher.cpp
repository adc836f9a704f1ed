// A dispatcher that is broken into: the real one, with its key, whose answer to one type of message is
// replaced as a test says. For tests/e2e/dishonest_dispatcher_test.sh.
//
//   dishonest_dispatcher STATE-DIR PORT-FILE LIE-FILE
//
// LIE-FILE: missing or empty: honest. Else "TYPE HOW [BODY]": the answer to each message of TYPE is
//   body          BODY, properly signed
//   unsigned      encrypted to the sender, but not signed
//   stranger      signed by another key
//   stale         of two hours ago
//   future        of two hours ahead
//   misdirected   for another receiver
//   other-request for another request id
//   other-digest  for the same id with other bytes
//   repeated      the answer to the last request that was answered honestly; the first one is
//   dropped       none: the connection breaks off with a status that means nothing
#include <fcntl.h>

#include <iostream>
#include <map>
#include <mutex>
#include <sstream>

#include "common/base/encoding.hpp"
#include "common/base/file.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "dispatcher/api/message_api.hpp"
#include "dispatcher/app/state.hpp"
#include "dispatcher/http/server.hpp"
#include "proto/key_statement.hpp"

namespace {

using namespace strongroom;
using namespace strongroom::dispatcher;
namespace fs = std::filesystem;

struct Lie {
    std::string type;
    std::string how;
    std::string body;
};

class DishonestApi : public Api {
  public:
    DishonestApi(MessageApi& honest, const Authenticator& authenticator, const Clock& clock, fs::path lies)
        : honest_(honest),
          authenticator_(authenticator),
          clock_(clock),
          lies_(std::move(lies)),
          stranger_{stranger_home_.home(),
                    gpg::generate_key(stranger_home_.home(), "stranger@test", "ed25519")} {}

    Admission admit(std::string_view authorization) override { return honest_.admit(authorization); }
    WaitingAgent admit_waiting(std::string_view authorization) override {
        WaitingAgent out = honest_.admit_waiting(authorization);
        if (lie().type == "job.next") out.work = 1;
        return out;
    }
    Answer keys(const std::string& from) override {
        if (lie().how != "new-key") return honest_.keys(from);
        proto::KeyStatement statement;  // true in all but its signer
        statement.sequence = 1;
        statement.current = authenticator_.me().fingerprint;
        statement.next = stranger_.fingerprint;
        statement.public_key = gpg::export_public(stranger_.home, stranger_.fingerprint);
        const Bytes bytes = proto::sign_statement(stranger_.home, stranger_.fingerprint, statement);
        return {200, "application/json", to_json(proto::KeyStatements{{to_base64(bytes)}}).dump(), 0};
    }
    void still_waits(const std::string& server) override { honest_.still_waits(server); }
    void on_work(std::function<void(const std::string&)> listener) override {
        honest_.on_work(std::move(listener));
    }
    void require_ready() override { honest_.require_ready(); }
    std::string metrics() override { return honest_.metrics(); }

    Answer message(const Admission& admission, BytesView sealed) override {
        const Authenticated asked = authenticator_.open(admission, sealed);
        const Lie now = lie();
        const std::string& type = asked.message.header.type;
        if (now.type == type) {
            const std::lock_guard lock(mutex_);
            if (now.how != "repeated" || last_.contains(type)) return told(now, asked);
        }
        Answer out = honest_.message(admission, sealed);
        const std::lock_guard lock(mutex_);
        last_[type] = out.body;
        return out;
    }

  private:
    Lie lie() const {
        Lie out;
        if (!fs::exists(lies_)) return out;
        std::istringstream text(read_file(lies_, 1U << 20U));
        text >> out.type >> out.how;
        std::getline(text, out.body);
        return out;
    }

    Answer told(const Lie& lie, const Authenticated& asked) {
        proto::Header header = proto::reply_header(asked.message, clock_);
        Json body = Json::object();
        if (lie.how == "body") body = parse_json(lie.body, 1U << 20U);
        if (lie.how == "repeated") return {200, "application/octet-stream", last_[lie.type], 0};
        if (lie.how == "dropped") return {503, "application/json", "{}", 0};
        if (lie.how == "stale") header.time = clock_.now() - std::chrono::hours(2);
        if (lie.how == "future") header.time = clock_.now() + std::chrono::hours(2);
        if (lie.how == "misdirected") header.to = stranger_.fingerprint;
        if (lie.how == "other-request") header.re->id = random_uuid();
        if (lie.how == "other-digest") header.re->digest = sha256_hex("another request");
        if (lie.how == "stranger") header.from = authenticator_.me().fingerprint;
        if (lie.how == "new-key") header.from = stranger_.fingerprint;
        proto::Message message = proto::encode(header, body);
        if (lie.how == "unsigned")
            return {200, "application/octet-stream",
                    gpg::encrypt(asked.peer.home, {asked.peer.fingerprint}, message.json), 0};
        const bool strange = lie.how == "stranger" || lie.how == "new-key";
        const proto::Party signer = strange ? stranger_ : authenticator_.me();
        return {200, "application/octet-stream", proto::seal(message, signer, asked.peer), 0};
    }

    MessageApi& honest_;
    const Authenticator& authenticator_;
    const Clock& clock_;
    fs::path lies_;
    gpg::TempHome stranger_home_;
    proto::Party stranger_;
    std::mutex mutex_;
    std::map<std::string, Bytes> last_;  // the last honest answer to each type
};

int run(char** argv) {
    gpg::initialise();
    const State state = open_state(argv[1]);
    const SystemClock clock;
    const proto::Party me{gpg::Home::use(state.home), read_own_fingerprint(state)};
    const auto store = SqliteStore::open(state.database);
    const Authenticator authenticator(me, state.peers, clock);
    Metrics metrics;
    MessageApi honest(*store, authenticator, metrics, clock, std::chrono::seconds(60));
    DishonestApi api(honest, authenticator, clock, argv[3]);
    HttpOptions options;
    options.listen = options.admin = parse_address("127.0.0.1:0");
    HttpServer server(api, metrics, options);
    write_file_atomic(argv[2], server.listening().text() + "\n" + server.admin_listening().text() + "\n",
                      0644);
    server.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: see the head of dishonest_dispatcher.cpp\n";
        return 2;
    }
    try {
        return run(argv);
    } catch (const std::exception& error) {
        std::cerr << "dishonest_dispatcher: " << error.what() << "\n";
        return 1;
    }
}
