#include "common/backupset/compression.hpp"

#include <zstd.h>

#include <memory>
#include <utility>

#include "common/base/error.hpp"

namespace strongroom::backupset {
namespace {

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

void check(std::size_t code) {
    if (ZSTD_isError(code) != 0)
        throw Error(ErrorKind::internal, std::string("zstd: ") + ZSTD_getErrorName(code));
}

[[noreturn]] void refuse(const std::string& reason) {
    throw Error(ErrorKind::corrupt, "the compressed data " + reason);
}

}  // namespace

MemFile compress(const std::string& method, int level, MemFile plain) {
    if (method == "none") return plain;
    const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    if (!context) throw Error(ErrorKind::internal, "zstd: no memory");
    check(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level));
    check(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
    // The bound costs address space only; pages that stay untouched cost no memory.
    MemFile out("zstd", ZSTD_compressBound(plain.size()));
    const std::size_t size =
        ZSTD_compress2(context.get(), out.data(), out.size(), plain.data(), plain.size());
    check(size);
    out.resize(size);
    return out;
}

std::size_t max_compressed(std::size_t plain_size) {
    return ZSTD_compressBound(plain_size);
}

MemFile decompress(const std::string& method, MemFile compressed, std::size_t plain_size) {
    if (method == "none") {
        if (compressed.size() != plain_size)
            refuse("has " + std::to_string(compressed.size()) + " bytes instead of " +
                   std::to_string(plain_size));
        return compressed;
    }
    const std::size_t frame = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
    if (ZSTD_isError(frame) != 0) refuse(std::string("is damaged: ") + ZSTD_getErrorName(frame));
    if (frame != compressed.size()) refuse("has more behind its end");
    if (ZSTD_getFrameContentSize(compressed.data(), compressed.size()) != plain_size)
        refuse("does not hold the " + std::to_string(plain_size) + " bytes that the manifest says");
    MemFile out("plain", plain_size);
    const std::size_t got = ZSTD_decompress(out.data(), out.size(), compressed.data(), compressed.size());
    if (ZSTD_isError(got) != 0) refuse(std::string("is damaged: ") + ZSTD_getErrorName(got));
    if (got != plain_size) refuse("ends early");
    return out;
}

}  // namespace strongroom::backupset
