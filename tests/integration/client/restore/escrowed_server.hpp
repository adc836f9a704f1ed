// A server with its own key, its escrow record and some backup sets in a local store, and the user who owns
// it: what recovery and restore start from when host and dispatcher are gone.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "client/recovery/recover.hpp"
#include "common/backupset/streams.hpp"
#include "common/base/file.hpp"
#include "common/gpg/home.hpp"
#include "common/storage/object_store.hpp"
#include "tests/support/fake_clock.hpp"

namespace strongroom::test {

class EscrowedServer {
  public:
    EscrowedServer();

    // Seals `source` as the next set, a minute after the last one; returns its id.
    std::string add_set(backupset::Source& source, const std::string& stream, const std::string& tool);
    std::string add_dump(const std::string& text);

    // recover() into folder()/NAME with the user's key.
    client::RecoveredHome recover(const std::string& name);

    storage::ObjectStore& store() { return *store_; }
    std::filesystem::path store_folder() const { return folder_.path() / "store"; }
    const std::filesystem::path& folder() const { return folder_.path(); }
    const std::string& server() const { return server_; }
    const std::string& identity() const { return identity_; }
    const gpg::Home& user_home() const { return user_home_.home(); }
    // Everything in folder(), for "nothing was left behind".
    std::set<std::string> names() const;

  private:
    TempDir folder_;
    gpg::TempHome agent_home_;
    gpg::TempHome user_home_;
    FakeClock clock_;
    std::string server_;
    std::string identity_;
    std::unique_ptr<storage::ObjectStore> store_;
};

// The kind and text of what `work` throws; fails the test if it throws nothing.
struct Refusal {
    std::string kind;
    std::string text;
    std::string hint;
};
Refusal refusal_of(const std::function<void()>& work);

}  // namespace strongroom::test
