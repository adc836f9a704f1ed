#include "common/backupset/compression.hpp"

#include <zstd.h>

#include <cstring>

#include "common/base/error.hpp"

namespace strongroom::backupset {
namespace {

void check(std::size_t code) {
    if (ZSTD_isError(code) != 0)
        throw Error(ErrorKind::internal, std::string("zstd: ") + ZSTD_getErrorName(code));
}

template <class Context>
void require(const Context& context) {
    if (!context) throw Error(ErrorKind::internal, "zstd: no memory");
}

[[noreturn]] void refuse_frame(const std::string& reason) {
    throw Error(ErrorKind::corrupt, "the compressed data " + reason);
}

}  // namespace

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const {
    ZSTD_freeCCtx(context);
}
void Decompressor::Free::operator()(ZSTD_DCtx_s* context) const {
    ZSTD_freeDCtx(context);
}

std::size_t max_compressed(std::size_t plain_size) {
    return ZSTD_compressBound(plain_size);
}

Compressor::Compressor(const std::string& method, int level) {
    if (method == "none") return;
    context_.reset(ZSTD_createCCtx());
    require(context_);
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
}

void Compressor::compress(BytesView plain, MemFile& out) {
    if (!context_) {
        out.resize(plain.size());
        if (!plain.empty()) std::memcpy(out.data(), plain.data(), plain.size());
        return;
    }
    // The bound costs address space only; pages that stay untouched cost no memory.
    out.resize(ZSTD_compressBound(plain.size()));
    const std::size_t size =
        ZSTD_compress2(context_.get(), out.data(), out.size(), plain.data(), plain.size());
    check(size);
    out.resize(size);
}

Decompressor::Decompressor(const std::string& method) {
    if (method == "none") return;
    context_.reset(ZSTD_createDCtx());
    require(context_);
}

void Decompressor::decompress(BytesView compressed, std::span<char> plain) {
    if (!context_) {
        if (compressed.size() != plain.size())
            refuse_frame("has " + std::to_string(compressed.size()) + " bytes instead of " +
                         std::to_string(plain.size()));
        if (!plain.empty()) std::memcpy(plain.data(), compressed.data(), plain.size());
        return;
    }
    const std::size_t frame = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
    if (ZSTD_isError(frame) != 0) refuse_frame(std::string("is damaged: ") + ZSTD_getErrorName(frame));
    if (frame != compressed.size()) refuse_frame("has more behind its end");
    if (ZSTD_getFrameContentSize(compressed.data(), compressed.size()) != plain.size())
        refuse_frame("does not hold the " + std::to_string(plain.size()) + " bytes that the manifest says");
    const std::size_t got =
        ZSTD_decompressDCtx(context_.get(), plain.data(), plain.size(), compressed.data(), compressed.size());
    if (ZSTD_isError(got) != 0) refuse_frame(std::string("is damaged: ") + ZSTD_getErrorName(got));
    if (got != plain.size()) refuse_frame("ends early");
}

}  // namespace strongroom::backupset
