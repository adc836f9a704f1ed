#include "common/gpg/home.hpp"

#include <fcntl.h>
#include <gpgme++/engineinfo.h>
#include <gpgme++/global.h>
#include <gpgme.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/subprocess.hpp"
#include "common/base/temporary_owner.hpp"
#include "common/gpg/engine.hpp"
#include "common/gpg/time_limit.hpp"

namespace strongroom::gpg {
namespace fs = std::filesystem;
namespace {

// gpg-agent makes sockets in the home: sun_path holds 108 bytes and the longest name is
// "S.gpg-agent.browser".
constexpr std::size_t longest_home_path = 85;

// The pin is the fingerprint, so validity from a web of trust plays no part.
constexpr const char* gpg_conf =
    "# Written by strongroom.\n"
    "trust-model always\n"
    "no-auto-check-trustdb\n"
    "no-auto-key-retrieve\n"
    "disable-dirmngr\n"
    "no-greeting\n"
    "compress-algo none\n"
    "personal-cipher-preferences AES256\n"
    "personal-digest-preferences SHA512 SHA256\n"
    "cert-digest-algo SHA512\n";

constexpr const char* agent_conf =
    "# Written by strongroom. Without auto-expand-secmem parallel operations run out of locked memory.\n"
    "auto-expand-secmem\n";

}  // namespace

Home Home::create(const fs::path& path, HomeFor purpose) {
    const fs::path full = fs::absolute(path);
    if (full.string().size() > longest_home_path)
        throw Error(
            ErrorKind::config,
            "the path of the GnuPG home " + full.string() + " is too long for gpg-agent's sockets",
            "Choose a folder whose path has at most " + std::to_string(longest_home_path) + " bytes.");
    make_private_dir(full);
    if (!fs::exists(full / "gpg.conf"))
        write_file_atomic(full / "gpg.conf",
                          std::string(gpg_conf) + (purpose == HomeFor::public_keys ? "no-autostart\n" : ""));
    if (!fs::exists(full / "gpg-agent.conf")) write_file_atomic(full / "gpg-agent.conf", agent_conf);
    return Home(full);
}

Home Home::use(const fs::path& path) {
    if (path.empty()) return Home(fs::path());
    const fs::path full = fs::absolute(path);
    if (!fs::is_directory(full))
        throw Error(ErrorKind::not_found, "there is no GnuPG home " + full.string(),
                    "Check the path given for the GnuPG home.");
    return Home(full);
}

void Home::stop_daemons() const noexcept {
    if (path_.empty()) return;
    try {
        run_program({.argv = {"gpgconf", "--homedir", path_.string(), "--kill", "all"},
                     .fds = {},
                     .environment = {},
                     .directory = {}});
    } catch (...) {
        // An agent whose home is removed ends by itself; nothing else depends on it.
    }
}

namespace {

// Not $TMPDIR: sockets need a short path.
constexpr const char* temp_homes = "/tmp";
constexpr const char* temp_home_prefix = "srt.";

// `held` keeps the folder ours.
fs::path make_temp_folder(UniqueFd& held) {
    for (;;) {
        std::string name = std::string(temp_homes) + "/" + temp_home_prefix + "XXXXXX";
        if (::mkdtemp(name.data()) == nullptr)
            throw system_error(ErrorKind::storage, "cannot make a temporary folder", errno);
        held = UniqueFd(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!held && errno != ENOENT) {
            const int reason = errno;
            ::rmdir(name.c_str());
            throw system_error(ErrorKind::storage, "cannot open a temporary folder", reason);
        }
        if (held && hold_temporary(held.get())) return name;
    }
}

bool has_agent(const fs::path& home) {
    std::error_code ignored;
    return fs::exists(home / "S.gpg-agent", ignored);
}

}  // namespace

std::size_t remove_abandoned_homes() {
    std::size_t out = 0;
    std::error_code failure;
    fs::directory_iterator entries(temp_homes, failure);
    for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
        const fs::path& folder = entries->path();
        if (!folder.filename().string().starts_with(temp_home_prefix)) continue;
        const auto stop_agent = [&] {
            if (has_agent(folder)) Home::use(folder).stop_daemons();
        };
        if (remove_if_abandoned(folder, stop_agent)) ++out;
    }
    return out;
}

TempHome::TempHome(HomeFor purpose)
    : folder_(make_temp_folder(held_)), home_(Home::create(folder_, purpose)) {}

TempHome::~TempHome() {
    // Only operations with secret keys start an agent; its socket tells.
    if (has_agent(folder_)) home_.stop_daemons();
    remove_patiently(folder_);
}

void initialise() {
    mark_children();
    gpgme_check_version(nullptr);
    GpgME::initializeLibrary();
    const GpgME::Error engine = GpgME::checkEngine(GpgME::OpenPGP);
    if (engine)
        throw Error(ErrorKind::tool_missing, std::string("no usable gpg: ") + engine.asString(),
                    "Install GnuPG (Debian: apt-get install gnupg gpg-agent).");
    // gpg-agent asks for passphrases on the terminal named here.
    if (std::getenv("GPG_TTY") == nullptr && ::isatty(0) == 1)
        if (const char* terminal = ::ttyname(0)) ::setenv("GPG_TTY", terminal, 0);
}

fs::path engine_path() {
    const GpgME::EngineInfo info = GpgME::engineInfo(GpgME::OpenPGP);
    if (info.isNull() || info.fileName() == nullptr)
        throw Error(ErrorKind::tool_missing, "GPGME knows no gpg program",
                    "Install GnuPG (Debian: apt-get install gnupg).");
    return info.fileName();
}

}  // namespace strongroom::gpg
