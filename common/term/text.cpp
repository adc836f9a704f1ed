#include "common/term/text.hpp"

#include <locale.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cwchar>

#include "common/base/printable.hpp"

namespace strongroom::term {
namespace {

// The thread's locale while this lives: widths must not depend on how the program was started.
class Utf8Locale {
  public:
    Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (locale_ != nullptr) former_ = ::uselocale(locale_);
    }
    ~Utf8Locale() {
        if (locale_ == nullptr) return;
        ::uselocale(former_);
        ::freelocale(locale_);
    }
    Utf8Locale(const Utf8Locale&) = delete;

  private:
    locale_t locale_;
    locale_t former_ = nullptr;
};

}  // namespace

std::size_t display_width(std::string_view text) {
    const Utf8Locale locale;
    std::size_t columns = 0;
    std::mbstate_t state{};
    while (!text.empty()) {
        wchar_t character = 0;
        std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
        if (length == 0 || length > text.size()) {
            length = 1;
            columns += 1;
            state = {};
        } else if (const int width = ::wcwidth(character); width > 0) {
            columns += static_cast<std::size_t>(width);
        }
        text.remove_prefix(length);
    }
    return columns;
}

std::string pad_right(std::string_view text, std::size_t width) {
    const std::size_t own = display_width(text);
    return std::string(text) + std::string(own < width ? width - own : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t width) {
    const std::size_t own = display_width(text);
    return std::string(own < width ? width - own : 0, ' ') + std::string(text);
}

std::string format_bytes(std::int64_t bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) return std::to_string(bytes) + " B";
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // 1023.5 would print as "1024": it belongs to the next unit.
    while (value >= 1023.5 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
    std::string number = buffer.data();
    if (number.find('.') != std::string::npos) {
        while (number.back() == '0') number.pop_back();
        if (number.back() == '.') number.pop_back();
    }
    return number + " " + units[unit];
}

std::string format_estimate(std::int64_t done, std::int64_t total) {
    return std::to_string(std::min<std::int64_t>(99, done * 100 / total)) + " %";
}

std::string format_seconds(std::int64_t seconds) {
    std::array<char, 48> buffer{};
    const auto hours = static_cast<long long>(seconds / 3600);
    const auto minutes = static_cast<long long>(seconds / 60 % 60);
    const auto rest = static_cast<long long>(seconds % 60);
    if (hours > 0)
        std::snprintf(buffer.data(), buffer.size(), "%lld:%02lld:%02lld", hours, minutes, rest);
    else
        std::snprintf(buffer.data(), buffer.size(), "%lld:%02lld", minutes, rest);
    return buffer.data();
}

std::string format_work(std::int64_t bytes, std::int64_t milliseconds) {
    const double seconds = static_cast<double>(std::max<std::int64_t>(1, milliseconds)) / 1000;
    const auto rate = static_cast<std::int64_t>(static_cast<double>(bytes) / seconds);
    return format_bytes(bytes) + " in " + format_seconds((milliseconds + 500) / 1000) + ", " +
           format_bytes(rate) + "/s";
}

}  // namespace strongroom::term
