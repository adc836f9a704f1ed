#include "client/sheet/qr_code.hpp"

#include <qrencode.h>

#include <cerrno>
#include <memory>

#include "common/base/error.hpp"

namespace strongroom::client {

QrCode::QrCode(const std::string& text) {
    const std::unique_ptr<QRcode, void (*)(QRcode*)> code(
        QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), QRcode_free);
    if (!code)
        throw Error(errno == ERANGE ? ErrorKind::usage : ErrorKind::internal,
                    std::string("no QR code for ") + std::to_string(text.size()) + " bytes");
    size_ = static_cast<std::size_t>(code->width);
    for (std::size_t i = 0; i < size_ * size_; ++i) modules_.push_back((code->data[i] & 1U) != 0);
}

std::vector<std::string> QrCode::lines() const {
    std::vector<std::string> out;
    for (std::size_t row = 0; row < size_; row += 2) {
        std::string line;
        for (std::size_t column = 0; column < size_; ++column) {
            const bool upper = dark(row, column);
            const bool lower = row + 1 < size_ && dark(row + 1, column);
            line += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
        }
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace strongroom::client
