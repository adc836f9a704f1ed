// A private S3 server (Ceph's radosgw) on loopback: tests/support/s3_server.sh. Starts in about two seconds;
// the destructor stops it by its own pids, and so does a watcher if this process dies. Used from one thread.
//
// Errors: Error{internal} with the script's last words.
#pragma once

#include <filesystem>
#include <string>

#include "common/base/file.hpp"
#include "common/storage/open/store_settings.hpp"

namespace strongroom::test {

class S3Server {
  public:
    S3Server();  // with the user "owner"
    ~S3Server();
    S3Server(const S3Server&) = delete;

    // The one of this process, started at the first call: for tests that do not break it.
    static S3Server& shared();

    std::string endpoint(bool tls) const;
    std::filesystem::path ca_file() const { return folder() / "ca.pem"; }
    // For this user, with a credentials file in folder().
    storage::StoreSettings settings(bool tls, const std::string& user = "owner") const;
    void add_user(const std::string& name);

    // A new bucket of the owner; its store's URL. With `locked`: versions and Object Lock.
    std::string make_bucket(bool locked = false);
    // A request by its owner on a bucket's sub-resource ("policy", "versioning").
    void put_bucket_document(const std::string& url, const std::string& what, const std::string& document);

    // At most so many objects in the bucket; -1: any number.
    void set_quota(const std::string& url, int objects);

    void kill_gateway();   // as a crash
    void start_gateway();  // on the same ports
    // A stopped object store: requests are taken and hang.
    void stop_disk();
    void continue_disk();

    std::filesystem::path folder() const { return folder_.path() / "s3"; }

  private:
    void run(const std::vector<std::string>& arguments) const;
    pid_t pid_of(const std::string& daemon) const;

    TempDir folder_;
    int buckets_ = 0;
};

}  // namespace strongroom::test
