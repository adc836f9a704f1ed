// The gpg work of a sealed request and its reply in a bare GPGME loop: no HTTP, no store, no checks.
#include <gpgme.h>

#include <atomic>
#include <thread>

#include "common/base/error.hpp"
#include "tests/bench/dispatcher_phases.hpp"

namespace strongroom::bench {
namespace {

void need(gpgme_error_t error, const char* what) {
    if (error != 0) throw Error(ErrorKind::crypto, std::string(what) + ": " + gpgme_strerror(error));
}

class GpgContext {
  public:
    explicit GpgContext(const std::string& home) {
        need(gpgme_new(&raw_), "context");
        need(gpgme_ctx_set_engine_info(raw_, GPGME_PROTOCOL_OpenPGP, nullptr, home.c_str()), "home");
        gpgme_set_offline(raw_, 1);
    }
    ~GpgContext() { gpgme_release(raw_); }
    GpgContext(const GpgContext&) = delete;
    gpgme_ctx_t get() { return raw_; }

  private:
    gpgme_ctx_t raw_ = nullptr;
};

class Data {
  public:
    Data() { need(gpgme_data_new(&raw_), "data"); }
    explicit Data(const std::string& bytes) {
        need(gpgme_data_new_from_mem(&raw_, bytes.data(), bytes.size(), 0), "data");
    }
    ~Data() { gpgme_data_release(raw_); }
    Data(const Data&) = delete;
    gpgme_data_t get() { return raw_; }
    void rewind() { gpgme_data_seek(raw_, 0, SEEK_SET); }

  private:
    gpgme_data_t raw_ = nullptr;
};

void once(const BareWork& work, const std::string& sealed, const std::string& peer) {
    const std::string peer_home = work.peers + "/" + peer;
    Data in(sealed);
    Data inner;
    Data plain;
    {
        GpgContext context(work.own_home);
        need(gpgme_op_decrypt_ext(context.get(), GPGME_DECRYPT_UNWRAP, in.get(), inner.get()), "decrypt");
    }
    inner.rewind();
    {
        GpgContext context(peer_home);
        need(gpgme_op_verify(context.get(), inner.get(), nullptr, plain.get()), "verify");
    }
    Data reply(work.reply);
    Data signature;
    Data out;
    {
        GpgContext context(work.own_home);
        gpgme_key_t key = nullptr;
        need(gpgme_get_key(context.get(), work.own.c_str(), &key, 1), "own key");
        need(gpgme_signers_add(context.get(), key), "signer");
        gpgme_key_unref(key);
        signature.rewind();
        need(gpgme_op_sign(context.get(), reply.get(), signature.get(), GPGME_SIG_MODE_NORMAL), "sign");
    }
    signature.rewind();
    {
        GpgContext context(peer_home);
        const auto flags = static_cast<gpgme_encrypt_flags_t>(GPGME_ENCRYPT_ALWAYS_TRUST |
                                                              GPGME_ENCRYPT_NO_COMPRESS | GPGME_ENCRYPT_WRAP);
        const std::string recipient = "--\n" + peer + "\n";
        need(gpgme_op_encrypt_ext(context.get(), nullptr, recipient.c_str(), flags, signature.get(),
                                  out.get()),
             "encrypt");
    }
}

}  // namespace

double bare_rate(const BareWork& work, int threads) {
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> failed = false;
    const auto start = Steady::now();
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i)
        running.emplace_back([&] {
            try {
                for (std::size_t at = next++; at < work.messages.size(); at = next++)
                    once(work, work.messages[at].first, work.messages[at].second);
            } catch (const std::exception& error) {
                note(std::string("bare loop: ") + error.what());
                failed = true;
            }
        });
    for (auto& thread : running) thread.join();
    if (failed) throw Error(ErrorKind::internal, "the bare GPGME loop failed");
    return 1000.0 * static_cast<double>(work.messages.size()) / ms_since(start);
}

}  // namespace strongroom::bench
