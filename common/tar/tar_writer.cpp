#include "common/tar/tar_writer.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <utility>

#include "common/base/error.hpp"

namespace strongroom::tar {
namespace {

la_ssize_t append(struct archive*, void* out, const void* data, std::size_t size) {
    static_cast<Bytes*>(out)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
}

}  // namespace

struct TarWriter::Archive {
    struct archive* handle = archive_write_new();
    Bytes written;

    void require(la_ssize_t result, const char* what) const {
        if (result >= ARCHIVE_OK) return;
        const char* why = handle != nullptr ? archive_error_string(handle) : nullptr;
        throw Error(ErrorKind::internal, std::string("cannot ") + what + ": " + (why != nullptr ? why : "?"));
    }
};

TarWriter::TarWriter() : archive_(std::make_unique<Archive>()) {
    if (archive_->handle == nullptr) throw Error(ErrorKind::internal, "no memory for an archive");
    archive_->require(archive_write_set_format_gnutar(archive_->handle), "begin an archive");
    archive_->require(archive_write_set_bytes_per_block(archive_->handle, 0), "begin an archive");
    archive_->require(archive_write_open(archive_->handle, &archive_->written, nullptr, append, nullptr),
                      "begin an archive");
}

TarWriter::~TarWriter() {
    if (archive_->handle != nullptr) archive_write_free(archive_->handle);
}

void TarWriter::begin(const std::string& name, std::int64_t size, UtcTime modified) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                         archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_size(entry.get(), size);
    archive_entry_set_mtime(entry.get(), to_millis(modified) / 1000, 0);
    archive_->require(archive_write_header(archive_->handle, entry.get()), "add a file to the archive");
    missing_ = size;
}

void TarWriter::add(BytesView bytes) {
    if (std::ssize(bytes) > missing_)
        throw Error(ErrorKind::internal, "a file of the archive is longer than was said");
    archive_->require(archive_write_data(archive_->handle, bytes.data(), bytes.size()), "write the archive");
    missing_ -= std::ssize(bytes);
}

void TarWriter::end() {
    if (missing_ != 0) throw Error(ErrorKind::internal, "a file of the archive is shorter than was said");
    archive_->require(archive_write_finish_entry(archive_->handle), "write the archive");
}

void TarWriter::finish() {
    archive_->require(archive_write_close(archive_->handle), "end the archive");
}

Bytes TarWriter::take() {
    return std::exchange(archive_->written, {});
}

}  // namespace strongroom::tar
