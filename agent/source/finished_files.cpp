#include "agent/source/finished_files.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/error.hpp"

namespace strongroom::agent {

FinishedFiles::FinishedFiles(const std::filesystem::path& folder, std::string last)
    : folder_(folder),
      last_(std::move(last)),
      events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      dir_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    constexpr std::uint32_t wanted = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO;
    if (!events_ || !dir_ || ::inotify_add_watch(events_.get(), folder.c_str(), wanted) < 0)
        throw system_error(ErrorKind::internal, "cannot watch the folder " + folder.string(), errno);
}

bool FinishedFiles::look() {
    alignas(inotify_event) std::array<char, 65536> buffer{};
    bool any = false;
    for (;;) {
        const ssize_t got = ::read(events_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return any;
        any = true;
        for (ssize_t at = 0; at < got;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const std::string name = event.len > 0 ? buffer.data() + at + sizeof event : "";
            at += static_cast<ssize_t>(sizeof event + event.len);
            if (name == last_ + ".partial") continue;
            if ((event.mask & IN_CREATE) != 0) growing_.insert(name);
            if ((event.mask & IN_CLOSE_WRITE) != 0 && growing_.erase(name) > 0)
                waiting_.push_back({name, size_of(name)});
            if ((event.mask & IN_MOVED_FROM) != 0) moved_[event.cookie] = name;
            if ((event.mask & IN_MOVED_TO) != 0) rename(moved_[event.cookie], name);
            if ((event.mask & IN_MOVED_TO) != 0) moved_.erase(event.cookie);
            // What is lost by an overflow of the queue, the sweep finds.
        }
    }
}

void FinishedFiles::rename(const std::string& from, const std::string& to) {
    for (auto& one : waiting_)
        if (one.name == from) one = {to, size_of(to)};
    if (growing_.erase(from) > 0) growing_.insert(to);
    if (taken_.erase(from) > 0) taken_.insert(to);
}

void FinishedFiles::take() {
    taken_.insert(waiting_.front().name);
    waiting_.pop_front();
}

void FinishedFiles::sweep() {
    look();
    std::set<std::string> known = taken_;
    std::erase_if(waiting_, [&](const Name& one) { return one.name == last_; });
    for (const auto& one : waiting_) known.insert(one.name);
    for (const auto& name : not_empty())
        if (name != last_ && !known.contains(name)) waiting_.push_back({name, size_of(name)});
    growing_.clear();
    if (size_of(last_) > 0) waiting_.push_back({last_, size_of(last_)});
}

std::int64_t FinishedFiles::waiting_bytes() const {
    std::int64_t sum = 0;
    for (const auto& one : waiting_) sum += one.size;
    return sum;
}

std::int64_t FinishedFiles::growing_bytes() const {
    std::int64_t sum = 0;
    for (const auto& name : growing_) sum += size_of(name);
    return sum;
}

std::set<std::string> FinishedFiles::not_empty() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
        if (const auto name = entry.path().filename().string(); size_of(name) > 0) out.insert(name);
    return out;
}

std::int64_t FinishedFiles::size_of(const std::string& name) const {
    struct stat info {};
    if (::fstatat(dir_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    return info.st_size;
}

}  // namespace strongroom::agent
