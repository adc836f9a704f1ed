// The gpg that this process uses, replaced by one that fails at a chosen run of a chosen kind.
#pragma once

#include <gpgme.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/gpg/home.hpp"

namespace strongroom::test {

class FlakyGpg {
  public:
    FlakyGpg() : real_(gpg::engine_path().string()) {
        behave("");
        use(program_.string());
    }
    ~FlakyGpg() { use(real_); }
    FlakyGpg(const FlakyGpg&) = delete;

    // From now on run number `number` (from 1) whose arguments hold `kind` ("--symmetric") runs `script`
    // instead; in it $real is gpg. An empty script: nothing fails.
    void fail(const std::string& kind, int number, const std::string& script) {
        std::filesystem::remove_all(dir_.path() / "runs");
        std::filesystem::create_directory(dir_.path() / "runs");
        // mkdir numbers runs that begin at the same moment.
        behave("case \" $* \" in *\" " + kind + " \"*)\n  i=1\n  until mkdir " +
               (dir_.path() / "runs").string() + "/$i 2>/dev/null; do i=$((i + 1)); done\n  if [ $i -eq " +
               std::to_string(number) + " ]; then " + (script.empty() ? ":" : script) + "; fi ;;\nesac\n");
    }
    void behave() { behave(""); }
    void remove() { std::filesystem::remove(program_); }
    // The run that was to fail took place.
    bool was_reached(int number) const {
        return std::filesystem::exists(dir_.path() / "runs" / std::to_string(number));
    }

  private:
    void behave(const std::string& script) {
        const auto fresh = dir_.path() / "fresh";
        std::ofstream(fresh) << "#!/bin/sh\nreal=" << real_ << "\n" << script << "exec $real \"$@\"\n";
        ::chmod(fresh.c_str(), 0700);
        std::filesystem::rename(fresh, program_);
    }
    static void use(const std::string& program) {
        if (gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, program.c_str(), nullptr) != 0)
            throw Error(ErrorKind::internal, "GPGME does not take " + program);
    }

    std::string real_;
    TempDir dir_;
    std::filesystem::path program_ = dir_.path() / "gpg";
};

}  // namespace strongroom::test
