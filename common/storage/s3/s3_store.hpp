// Objects in an S3 bucket, under a prefix. One PUT for each object, which S3 makes visible whole or not at
// all; objects over a limit go up in parts and appear when the last request completes them.
#pragma once

#include "common/storage/object_store.hpp"
#include "common/storage/s3/s3_client.hpp"

namespace strongroom::storage {

// Errors as ObjectStore says; besides: Error{config} for what the configuration must mend (bucket, region,
// credentials file), Error{forbidden} for what the credentials may not do, Error{unauthenticated} for a
// certificate that is not accepted. Any thread; as many connections as there are operations at once.
class S3Store : public ObjectStore {
  public:
    // Asks nothing of the server. Throws Error{config}.
    S3Store(const std::string& url, S3Settings settings);

    void put(const std::string& key, BytesView bytes) override;
    MemFile get(const std::string& key, std::size_t max) override;
    void get_into(const std::string& key, std::size_t max, MemFile& into) override;
    std::optional<ObjectInfo> stat(const std::string& key) override;
    std::vector<ObjectInfo> list(const std::string& prefix) override;
    std::vector<std::string> list_folders(const std::string& prefix) override;
    void remove(const std::string& key) override;
    KeptVersions kept_versions(const std::string& prefix) override;
    // Aborts multipart uploads that began longer ago than `unfinished_age`, by this host's clock.
    std::size_t remove_unfinished(const std::string& prefix) override;
    std::size_t transfers_for(std::size_t workers) const override {
        return network_transfers(client_.settings().connections, workers);
    }
    std::string label() const override { return client_.address().label(); }

  private:
    void put_whole(const std::string& key, BytesView bytes);
    S3Client client_;
};

}  // namespace strongroom::storage
