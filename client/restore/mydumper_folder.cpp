#include "client/restore/mydumper_folder.hpp"

#include "client/restore/new_folder.hpp"
#include "common/base/error.hpp"
#include "common/restore/mydumper_extraction.hpp"
#include "common/restore/mydumper_text.hpp"

namespace strongroom::client {
namespace {

namespace fs = std::filesystem;

fs::path swept(const RestoreFrom& from, const fs::path& scratch) {
    if (!fs::is_directory(scratch))
        throw Error(ErrorKind::not_found, "there is no folder " + scratch.string(),
                    "The files of the dump are unpacked there for a while: --scratch DIR.");
    remove_left(from, scratch);
    return scratch;
}

restore::Selection unpack(const RestoreFrom& from, const backupset::Manifest& manifest,
                          const restore::Selection& wanted, const restore::HeldFolder& folder) {
    from.say("unpacking set " + manifest.set + " into a private folder in " +
             folder.path().parent_path().string());
    return restore::extract_mydumper({from.store, from.home, from.workers, from.on_progress}, manifest,
                                     wanted, folder.path());
}

}  // namespace

MydumperFolder::MydumperFolder(const RestoreFrom& from, const backupset::Manifest& manifest,
                               const restore::Selection& wanted, const fs::path& scratch)
    : folder_(swept(from, scratch), "dump") {
    unpack(from, manifest, wanted, folder_);
}

SqlFeed MydumperFolder::feed() const {
    return [this](backupset::Target& target) { restore::write_mydumper_sql(folder_.path(), target); };
}

restore::Selection write_mydumper_folder(const RestoreFrom& from, const backupset::Manifest& manifest,
                                         const restore::Selection& wanted, const fs::path& given) {
    const fs::path folder = free_folder(given);
    remove_left(from, folder.parent_path());
    const restore::HeldFolder work(folder.parent_path(), "dump");
    auto out = unpack(from, manifest, wanted, work);
    give_name(work.path(), folder);
    return out;
}

}  // namespace strongroom::client
