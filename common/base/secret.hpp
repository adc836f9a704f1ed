// A value that must not leak: wiped when it dies, never printed, not copied by accident.
#pragma once

#include <openssl/crypto.h>

#include <ostream>
#include <string>
#include <string_view>

namespace strongroom {

class Secret {
  public:
    Secret() = default;
    // Takes the value and wipes the caller's copy.
    explicit Secret(std::string&& value) : value_(value.data(), value.size()) { wipe(value); }
    Secret(Secret&& other) noexcept : value_(other.value_.data(), other.value_.size()) { other.clear(); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            clear();
            value_.assign(other.value_.data(), other.value_.size());
            other.clear();
        }
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { clear(); }

    // The only way to the raw value; grep for it to see every use.
    std::string_view reveal() const { return value_; }
    Secret duplicate() const { return Secret(std::string(value_)); }
    bool empty() const { return value_.empty(); }
    void clear() { wipe(value_); }

    static void wipe(std::string& value) {
        if (!value.empty()) OPENSSL_cleanse(value.data(), value.size());
        value.clear();
    }

  private:
    std::string value_;
};

inline std::ostream& operator<<(std::ostream& out, const Secret&) {
    return out << "[redacted]";
}

}  // namespace strongroom
