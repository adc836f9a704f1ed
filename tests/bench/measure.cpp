// measure COMMAND ARG... : runs a command and prints "WALL-SECONDS CPU-SECONDS PEAK-MIB" of its whole process
// tree to descriptor 3. The exit status is the command's.
//
// CPU comes from the kernel's accounting of all waited-for descendants. Memory is anonymous and shared memory
// (memory files included, file cache not), summed over the tree by a control group of its own and sampled
// every 2 ms; PEAK is "-" where control groups cannot be made.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

namespace fs = std::filesystem;

namespace {

class MemoryGroup {
  public:
    MemoryGroup() {
        const std::string name = "strongroom-bench-" + std::to_string(::getpid());
        for (const fs::path root : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"}) {
            std::error_code failure;
            if (!fs::exists(root / "cgroup.procs", failure) || !fs::create_directory(root / name, failure))
                continue;
            if (fs::exists(root / name / "memory.stat", failure)) {
                path_ = root / name;
                return;
            }
            fs::remove(root / name, failure);
        }
    }
    ~MemoryGroup() {
        if (!path_.empty()) ::rmdir(path_.c_str());
    }
    bool usable() const { return !path_.empty(); }
    void join() const { std::ofstream(path_ / "cgroup.procs") << ::getpid() << std::flush; }
    long long bytes() const {
        std::ifstream file(path_ / "memory.stat");
        long long anonymous = 0;
        long long shared = 0;
        std::string key;
        for (long long value = 0; file >> key >> value;) {
            if (key == "total_rss" || key == "anon") anonymous = value;
            if (key == "total_shmem" || key == "shmem") shared = value;
        }
        return anonymous + shared;
    }

  private:
    fs::path path_;
};

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: bench_measure COMMAND ARG... 3>RESULT\n";
        return 2;
    }
    const MemoryGroup group;
    const auto start = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    if (child == 0) {
        if (group.usable()) group.join();
        ::close(3);
        ::execvp(argv[1], argv + 1);
        ::_exit(127);
    }
    std::atomic<bool> done = false;
    std::atomic<long long> peak = 0;
    std::thread sampler([&] {
        while (!done && group.usable()) {
            peak = std::max(peak.load(), group.bytes());
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    });
    int status = 0;
    ::waitpid(child, &status, 0);
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    done = true;
    sampler.join();
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const std::string memory = group.usable() ? std::to_string(peak / (1 << 20)) : "-";
    ::dprintf(3, "%.3f %.3f %s\n", wall, seconds(usage.ru_utime) + seconds(usage.ru_stime), memory.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
