// A GnuPG home folder: private, with our own gpg.conf, and without dirmngr or key servers.
//
// Every peer's public key lives in its own home (one key per home): a shared keyring is linear to search and
// quadratic to fill. Paths must be short: gpg-agent's socket path is limited to 108 bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>

#include "common/base/unique_fd.hpp"

namespace strongroom::gpg {

// What a home is made for. Peers' homes hold public keys only and never start a gpg-agent: with one home per
// peer, thousands of idle agents would pile up.
enum class HomeFor { own_keys, public_keys };

class Home {
  public:
    // Makes the folder (0700), gpg.conf (trust-model always: the pin is the fingerprint, never the web of
    // trust; no compression, AES256, no key servers) and gpg-agent.conf (auto-expand-secmem). Keeps what is
    // there already. Throws Error{config} if the path is too long for gpg-agent's socket.
    static Home create(const std::filesystem::path& path, HomeFor purpose = HomeFor::own_keys);

    // Uses an existing home exactly as it is: the user's own ~/.gnupg with its own pinentry and smartcards.
    // An empty path means gpg's default home. Throws Error{not_found} if the folder does not exist.
    static Home use(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }

    // Stops this home's gpg-agent and scdaemon, if any. Call before the folder is removed. Never throws.
    void stop_daemons() const noexcept;

  private:
    explicit Home(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

// Removes the throw-away homes whose processes were killed, with their daemons; how many. Those of living
// processes and of other users stay.
std::size_t remove_abandoned_homes();

// A throw-away home, removed with its daemons by the destructor. Foreign keys are always parsed in one of
// these.
class TempHome {
  public:
    explicit TempHome(HomeFor purpose = HomeFor::own_keys);
    ~TempHome();
    TempHome(const TempHome&) = delete;
    const Home& home() const { return home_; }

  private:
    UniqueFd held_;  // the folder: shows that a living process owns it
    std::filesystem::path folder_;
    Home home_;
};

// Must run once, early, on the main thread of each program: initialises GPGME. Throws Error{tool_missing} if
// there is no usable gpg.
void initialise();

// How long one operation with keys and messages may take (default: five minutes, since a person may have to
// type a passphrase). It then throws Error{timeout}, and its gpg is killed. For the whole process.
void set_time_limit(std::chrono::milliseconds limit);

// Full path of the gpg program that GPGME uses.
std::filesystem::path engine_path();

}  // namespace strongroom::gpg
