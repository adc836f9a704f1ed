// Strict JSON for messages and manifests. A type declares its fields once, with their limits, and both
// directions follow from that declaration:
//
//   struct Ping {
//       std::string server;
//       std::int64_t count = 0;
//       std::optional<std::string> note;
//       template <class Fields> void fields(Fields& f) {
//           f("server", server, uuid_text);
//           f("count", count, Range{0, 100});
//           f("note", note, Text{200});
//       }
//   };
//   Ping p = from_json<Ping>(parse_json(bytes, 4096));   // throws Error{protocol}, naming the field
//   nlohmann::json j = to_json(p);                       // throws Error{internal} if a value breaks its
//   limit
//
// Refused: unknown, missing and repeated fields, wrong types, numbers that are not integers, text that is not
// UTF-8 or holds control characters (unless the limit allows newlines), depth over 16, anything after the
// value.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/error.hpp"

namespace strongroom {

using Json = nlohmann::json;

// Parses exactly one JSON object of at most `max` bytes.
Json parse_json(BytesView bytes, std::size_t max);

struct Text {
    std::size_t max;
    bool (*valid)(std::string_view) = nullptr;  // a shape from common/base/ids.hpp, or nullptr
    const char* shape = "text";                 // what `valid` accepts, for the error
    bool multiline = false;                     // allows \n, \r and \t
};
struct Range {
    std::int64_t min;
    std::int64_t max;
};
template <class Inner>
struct Many {
    std::size_t max;
    Inner each;
};
struct Nested {};

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> allowed);

extern const Text uuid_text;
extern const Text fingerprint_text;
extern const Text set_id_text;
extern const Text log_id_text;
extern const Text set_or_log_id_text;
extern const Text sha256_text;
inline constexpr Range any_time{0, 253402300799999};  // UTC milliseconds up to the year 9999
inline constexpr Range any_size{0, INT64_C(1) << 60};

namespace json_detail {

void check_text(const std::string& value, const Text& limit, const std::string& path);
void check_range(std::int64_t value, const Range& limit, const std::string& path);
[[noreturn]] void bad(const std::string& path, std::string_view problem);
std::string get_text(const Json& value, const std::string& path);
std::int64_t get_integer(const Json& value, const std::string& path);

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T, class Limit>
void read_value(const Json& json, T& out, const Limit& limit, const std::string& path);
template <class T, class Limit>
Json write_value(const T& value, const Limit& limit, const std::string& path);

class Reader {
  public:
    Reader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
        if (!object_.is_object()) bad(path_, "must be an object");
    }
    template <class T, class Limit = Nested>
    void operator()(const char* field, T& out, const Limit& limit = {}) {
        seen_.insert(field);
        const std::string path = path_.empty() ? field : path_ + "." + field;
        const auto found = object_.find(field);
        if constexpr (IsOptional<T>::value) {
            if (found == object_.end()) return out.reset();
            out.emplace();
            read_value(*found, *out, limit, path);
        } else {
            if (found == object_.end()) bad(path, "is missing");
            read_value(*found, out, limit, path);
        }
    }
    void finish() const {
        for (const auto& [field, value] : object_.items())
            if (!seen_.contains(field)) bad(path_, "has an unknown field \"" + field + "\"");
    }

  private:
    const Json& object_;
    std::string path_;
    std::set<std::string> seen_;
};

class Writer {
  public:
    explicit Writer(std::string path) : path_(std::move(path)) {}
    template <class T, class Limit = Nested>
    void operator()(const char* field, T& value, const Limit& limit = {}) {
        const std::string path = path_.empty() ? field : path_ + "." + field;
        if constexpr (IsOptional<T>::value) {
            if (value) object_[field] = write_value(*value, limit, path);
        } else {
            object_[field] = write_value(value, limit, path);
        }
    }
    Json take() { return std::move(object_); }

  private:
    std::string path_;
    Json object_ = Json::object();
};

template <class T, class Limit>
void read_value(const Json& json, T& out, const Limit& limit, const std::string& path) {
    if constexpr (std::is_same_v<T, std::string>) {
        out = get_text(json, path);
        check_text(out, limit, path);
    } else if constexpr (std::is_same_v<T, bool>) {
        if (!json.is_boolean()) bad(path, "must be true or false");
        out = json.get<bool>();
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        out = get_integer(json, path);
        check_range(out, limit, path);
    } else if constexpr (IsVector<T>::value) {
        if (!json.is_array()) bad(path, "must be a list");
        if (json.size() > limit.max) bad(path, "has more than " + std::to_string(limit.max) + " entries");
        out.clear();
        out.resize(json.size());
        for (std::size_t i = 0; i < json.size(); ++i)
            read_value(json[i], out[i], limit.each, path + "[" + std::to_string(i) + "]");
    } else {
        Reader reader(json, path);
        out.fields(reader);
        reader.finish();
    }
}

template <class T, class Limit>
Json write_value(const T& value, const Limit& limit, const std::string& path) {
    if constexpr (std::is_same_v<T, std::string>) {
        check_text(value, limit, path);
        return value;
    } else if constexpr (std::is_same_v<T, bool>) {
        return value;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        check_range(value, limit, path);
        return value;
    } else if constexpr (IsVector<T>::value) {
        Json out = Json::array();
        if (value.size() > limit.max) bad(path, "has more than " + std::to_string(limit.max) + " entries");
        for (const auto& entry : value) out.push_back(write_value(entry, limit.each, path + "[]"));
        return out;
    } else {
        Writer writer(path);
        const_cast<T&>(value).fields(writer);  // fields() lists members by reference; Writer only reads them
        return writer.take();
    }
}

}  // namespace json_detail

template <class T>
T from_json(const Json& json) {
    T out;
    json_detail::read_value(json, out, Nested{}, "");
    return out;
}

template <class T>
Json to_json(const T& value) {
    return json_detail::write_value(value, Nested{}, "");
}

}  // namespace strongroom
