// Objects as files on an SFTP server.
//
// A put goes to a hidden name in the object's folder and is renamed. libssh2 1.10 speaks version 3 of the
// protocol without OpenSSH's posix-rename, and there a rename cannot replace: the former object is moved to a
// hidden name first and removed last, and who finds no object under its name looks there. So a reader sees
// the former or the new object at any moment, also if this process dies in between.
// (draft-ietf-secsh-filexfer-02, 6.5.)
//
// The protocol's way to sync a file (fsync@openssh.com) is not in libcurl: an object that was acknowledged is
// as durable as the server's file system makes it by itself.
#pragma once

#include <array>
#include <shared_mutex>

#include "common/storage/object_store.hpp"
#include "common/storage/sftp/sftp_client.hpp"

namespace strongroom::storage {

// Folders without an object do not show. Hidden files older than a day are nobody's. Any thread.
class SftpStore : public ObjectStore {
  public:
    // Asks nothing of the server. Throws Error{config} or Error{insecure_file}.
    SftpStore(const std::string& url, SftpSettings settings);

    void put(const std::string& key, BytesView bytes) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;
    std::optional<ObjectInfo> stat(const std::string& key) override;
    std::vector<ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;
    std::size_t remove_unfinished(const std::string& prefix) override;
    std::size_t transfers_for(std::size_t workers) const override {
        return network_transfers(client_.settings().connections, workers);
    }
    std::string label() const override { return client_.address().label(); }

  private:
    struct Place {
        std::string folder;  // absolute
        std::string name;
        std::string path() const { return folder + "/" + name; }
        std::string former() const { return folder + "/.former-" + name; }
    };
    Place place_of(const std::string& key) const;
    std::shared_mutex& stripe_of(const Place& place);
    void replace(const Place& place, const std::string& temporary);
    std::string folder_of(const std::string& prefix) const;
    // As the readers see it: former objects count where no new one is. Empty if there is no such folder.
    std::vector<SftpEntry> visible(const std::string& folder);
    bool holds_object(const std::string& folder);
    void collect(const std::string& folder, const std::string& prefix, std::vector<ObjectInfo>& out);
    std::size_t sweep(const std::string& folder, const std::string& oldest);
    template <class Function>
    auto named(const std::string& what, Function function);

    SftpClient client_;
    // By the path's hash. Exclusive: an object is replaced; shared: it is read. Between processes a reader
    // may meet a replacement, finds another length than it was told, and gets Error{network}, which is tried
    // again.
    std::array<std::shared_mutex, 64> replacing_;
    std::shared_mutex folders_mutex_;  // shared: a put needs its folder; exclusive: empty folders are removed
};

}  // namespace strongroom::storage
