#include "tests/integration/client/restore/escrowed_server.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "common/backupset/sealer.hpp"
#include "common/base/error.hpp"
#include "common/base/ids.hpp"
#include "common/gpg/keys.hpp"
#include "common/gpg/message.hpp"
#include "common/storage/open/open_store.hpp"

namespace strongroom::test {
namespace {

class TextSource : public backupset::Source {
  public:
    explicit TextSource(std::string text) : text_(std::move(text)) {}
    std::size_t read(char* data, std::size_t size) override {
        const std::size_t count = std::min(size, text_.size() - at_);
        std::memcpy(data, text_.data() + at_, count);
        at_ += count;
        return count;
    }
    Facts finish() override { return {}; }
    void abort() noexcept override {}

  private:
    std::string text_;
    std::size_t at_ = 0;
};

}  // namespace

EscrowedServer::EscrowedServer() : server_(random_uuid()) {
    gpg::initialise();
    identity_ = gpg::generate_key(agent_home_.home(), server_ + "@test", "ed25519");
    const auto user = gpg::generate_key(user_home_.home(), "user@test", "ed25519");
    store_ = storage::open_store("file://" + store_folder().string(), true);
    const auto agent_key = gpg::find_key(agent_home_.home(), identity_);
    const auto subkey = agent_key.encryption_subkey()->fingerprint;
    backupset::write_store_root(*store_, server_, identity_,
                                gpg::export_public(agent_home_.home(), identity_));
    gpg::TempHome recipients;
    gpg::import_public_key(recipients.home(), gpg::export_public(user_home(), user), user);
    const Secret secret = gpg::export_secret_subkey(agent_home_.home(), subkey);
    backupset::write_escrow_record(
        *store_, server_, subkey,
        gpg::encrypt_signed(recipients.home(), {user},
                            gpg::sign(agent_home_.home(), identity_, secret.reveal())));
}

std::string EscrowedServer::add_set(backupset::Source& source, const std::string& stream,
                                    const std::string& tool) {
    clock_.advance(std::chrono::minutes(1));
    const auto set = make_set_id(clock_.now());
    backupset::SealOptions options;
    options.server = server_;
    options.identity = identity_;
    options.stream = stream;
    options.source_tool = tool;
    options.source_version = tool + " of a test";
    options.segment_size = 1 << 20;
    backupset::seal(options, set, source, *store_, agent_home_.home(), clock_);
    return set;
}

std::string EscrowedServer::add_dump(const std::string& text) {
    TextSource source(text);
    return add_set(source, "sql", "mariadb-dump");
}

client::RecoveredHome EscrowedServer::recover(const std::string& name) {
    return client::recover(client::escrow_from_store(store(), server_), identity_, user_home(),
                           folder() / name);
}

std::set<std::string> EscrowedServer::names() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
        out.insert(entry.path().filename());
    return out;
}

Refusal refusal_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return {std::string(name(error.kind())), error.text(), error.hint()};
    }
    FAIL("was accepted");
    return {};
}

}  // namespace strongroom::test
