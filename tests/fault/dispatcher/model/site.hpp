// A dispatcher in memory that can be killed at any transaction and opened again on its database, and that is
// spoken to in plain JSON: everything below authentication is real.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "common/base/file.hpp"
#include "dispatcher/api/message_api.hpp"
#include "dispatcher/schedule/scheduler.hpp"
#include "dispatcher/store/sqlite/sqlite_store.hpp"
#include "proto/messages.hpp"
#include "tests/support/fake_clock.hpp"

namespace strongroom::test {

// The process was killed. Not an exception that anything catches on its way.
struct Killed {};

// A store whose process dies at a chosen transaction: before its commit, or right after.
class DyingStore : public dispatcher::Store {
  public:
    explicit DyingStore(std::unique_ptr<dispatcher::Store> inner) : inner_(std::move(inner)) {}
    void transact(const Work& work) override;
    void read(const Work& work) override { inner_->read(work); }

    // Dies at the `transactions`-th from now (0: never).
    void die_in(int transactions, bool after_commit) {
        left_ = transactions;
        after_commit_ = after_commit;
    }

  private:
    std::unique_ptr<dispatcher::Store> inner_;
    int left_ = 0;
    bool after_commit_ = false;
};

// Takes a message's JSON as it is: who shows the token is believed. The time window stays.
class BelievingAuthenticator : public dispatcher::Authenticator {
  public:
    BelievingAuthenticator(const std::filesystem::path& peers, const Clock& clock)
        : Authenticator({gpg::Home::use({}), std::string(40, 'D')}, peers, clock), window_(clock) {}
    dispatcher::Authenticated open(const dispatcher::Admission& admission, BytesView sealed) const override;
    Bytes seal(const proto::Message& reply, const proto::Party&) const override { return reply.json; }

  private:
    const Clock& window_;
};

class Site {
  public:
    Site();

    // What a peer gets: the sealed reply, or nothing if it was refused before (stale, unknown) or the process
    // died.
    std::optional<Bytes> post(const std::string& authorization, BytesView message);
    void tick();
    void kill_and_restart();
    void die_in(int transactions, bool after_commit) { store_->die_in(transactions, after_commit); }

    // The database as it is, apart from the dispatcher.
    void transact(const std::function<void(dispatcher::Transaction&)>& work) { store_->transact(work); }
    void look(const std::function<void(dispatcher::Transaction&)>& at) { store_->read(at); }
    // All of it but the kept replies, as text.
    std::string state(const std::vector<std::string>& servers, const std::vector<std::string>& users);

    FakeClock clock;
    int deaths = 0;

  private:
    void open();

    TempDir folder_{"/dev/shm", "srm"};
    BelievingAuthenticator authenticator_{folder_.path() / "p", clock};
    std::unique_ptr<dispatcher::Metrics> metrics_;
    std::unique_ptr<DyingStore> store_;
    std::unique_ptr<dispatcher::MessageApi> api_;
    std::unique_ptr<dispatcher::Scheduler> scheduler_;
};

}  // namespace strongroom::test
