// Private to common/gpg: GPGME contexts and capped output buffers.
#pragma once

#include <gpgme++/context.h>
#include <gpgme++/data.h>
#include <gpgme++/error.h>
#include <gpgme++/interfaces/dataprovider.h>

#include <memory>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/error.hpp"
#include "common/gpg/home.hpp"
#include "common/gpg/time_limit.hpp"

namespace strongroom::gpg {

// Throws Error{tool_missing} if gpg is not there (any more): GPGME itself then reports that nothing was
// found, or nothing was written.
void require_engine();

// A context for one operation in one home. Never shared between threads.
std::unique_ptr<GpgME::Context> make_context(const Home& home);

// work(context), which ends in time (S19): Error{timeout} otherwise. GPGME tells of a gpg that went missing
// meanwhile as anything, "no such key" for one: that is Error{tool_missing}.
template <class Work>
auto with_context(const Home& home, const Work& work) {
    const auto context = make_context(home);
    try {
        return limited([&] { context->cancelPendingOperation(); }, [&] { return work(*context); });
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::crypto) require_engine();
        throw;
    }
}

// Reads from memory that outlives it, without copying.
inline GpgME::Data input_data(BytesView bytes) {
    return GpgME::Data(bytes.data(), bytes.size(), false);
}

// Collects output up to a cap; one byte more fails the operation (S19).
class CappedSink : public GpgME::DataProvider {
  public:
    explicit CappedSink(std::size_t max) : max_(max) {}
    bool isSupported(Operation operation) const override { return operation == Write || operation == Seek; }
    ssize_t read(void* buffer, std::size_t size) override;
    ssize_t write(const void* buffer, std::size_t size) override;
    off_t seek(off_t offset, int whence) override;
    void release() override {}

    bool overflowed() const { return overflowed_; }
    std::string take() { return std::move(bytes_); }

  private:
    std::size_t max_;
    bool overflowed_ = false;
    std::string bytes_;
};

// Throws Error{crypto} "what: reason" if `error` is one.
void check(const GpgME::Error& error, const std::string& what, const std::string& hint = {});

}  // namespace strongroom::gpg
