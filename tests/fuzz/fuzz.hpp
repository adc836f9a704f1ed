// What the fuzz targets share. A target is one file with one entry point, fuzz(): it runs what the programs
// run on foreign bytes and checks what must hold for every input. Broken means abort(), so that libFuzzer
// keeps the input; the replay of the kept corpora runs the same code without libFuzzer.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/error.hpp"

namespace strongroom::fuzz {

inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: broken property: %s\n", what);
    std::abort();
}

// Whether `work` accepted its input. A refusal is an Error; any other exception ends the run as a finding.
template <class Work>
bool accepts(Work&& work) {
    try {
        std::forward<Work>(work)();
        return true;
    } catch (const Error& error) {
        require(!error.text().empty(), "a refusal says why");
        require(error.kind() != ErrorKind::internal, "foreign bytes are no internal error");
        return false;
    }
}

// Takes bytes from the front of an input: sizes and choices of a structured target.
class Front {
  public:
    explicit Front(BytesView bytes) : bytes_(bytes) {}
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const auto out = static_cast<std::uint8_t>(bytes_.front());
        bytes_.remove_prefix(1);
        return out;
    }
    std::uint64_t number(int bytes) {
        std::uint64_t out = 0;
        while (bytes-- > 0) out = out << 8U | byte();
        return out;
    }
    BytesView take(std::size_t count) {
        const BytesView out = bytes_.substr(0, count);
        bytes_.remove_prefix(out.size());
        return out;
    }
    BytesView rest() const { return bytes_; }
    bool empty() const { return bytes_.empty(); }

  private:
    BytesView bytes_;
};

void fuzz(BytesView input);  // each target defines it

}  // namespace strongroom::fuzz
