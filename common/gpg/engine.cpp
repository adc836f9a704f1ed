#include "common/gpg/engine.hpp"

#include <gpgme.h>
#include <unistd.h>

#include <cerrno>

namespace strongroom::gpg {

void require_engine() {
    const std::string program = engine_path().string();
    if (::access(program.c_str(), X_OK) != 0)
        throw Error(ErrorKind::tool_missing, "the program " + program + " is not installed or not executable",
                    "Install GnuPG (Debian: apt-get install gnupg gpg-agent).");
}

std::unique_ptr<GpgME::Context> make_context(const Home& home) {
    require_engine();
    auto context = GpgME::Context::create(GpgME::OpenPGP);
    if (!context) throw Error(ErrorKind::internal, "cannot make a GPGME context");
    if (!home.path().empty())
        check(context->setEngineHomeDirectory(home.path().c_str()),
              "cannot use the GnuPG home " + home.path().string());
    context->setOffline(true);
    return context;
}

ssize_t CappedSink::read(void*, std::size_t) {
    errno = EBADF;
    return -1;
}

ssize_t CappedSink::write(const void* buffer, std::size_t size) {
    if (bytes_.size() + size > max_) {
        overflowed_ = true;
        errno = EFBIG;
        return -1;
    }
    // Grown by hand so that outgrown copies of a secret are wiped, not left in freed memory.
    if (bytes_.size() + size > bytes_.capacity()) {
        std::string grown;
        grown.reserve(std::min(max_, std::max<std::size_t>(4096, 2 * (bytes_.size() + size))));
        grown = bytes_;
        std::fill(bytes_.begin(), bytes_.end(), '\0');
        bytes_ = std::move(grown);
    }
    bytes_.append(static_cast<const char*>(buffer), size);
    return static_cast<ssize_t>(size);
}

// GPGME asks for the position and rewinds empty buffers before it writes; nothing else makes sense here.
off_t CappedSink::seek(off_t offset, int whence) {
    const auto position = static_cast<off_t>(bytes_.size());
    if (offset == 0 && (whence != SEEK_SET || position == 0)) return position;
    errno = EINVAL;
    return -1;
}

void check(const GpgME::Error& error, const std::string& what, const std::string& hint) {
    if (!error) return;
    throw Error(error.isCanceled() ? ErrorKind::interrupted : ErrorKind::crypto,
                what + ": " + error.asString(), hint);
}

}  // namespace strongroom::gpg
