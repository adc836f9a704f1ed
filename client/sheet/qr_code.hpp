// A QR code: a square of modules, dark or light, through libqrencode.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace strongroom::client {

class QrCode {
  public:
    // The smallest code with error correction M (15 %) that holds the text. Throws Error{usage} for more than
    // fits.
    explicit QrCode(const std::string& text);

    std::size_t size() const { return size_; }  // modules on each side, without the quiet zone
    bool dark(std::size_t row, std::size_t column) const { return modules_[row * size_ + column]; }

    // Lines of half blocks, two rows of modules a line, without the quiet zone: dark modules are ink.
    std::vector<std::string> lines() const;

  private:
    std::size_t size_ = 0;
    std::vector<bool> modules_;
};

}  // namespace strongroom::client
