#include "common/statement/statement.hpp"

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::statement_detail {

Bytes sign(const gpg::Home& home, const std::string& signer, Json fields, const char* format,
           std::int64_t version, std::size_t max_json) {
    fields["format"] = format;
    fields["version"] = version;
    const Bytes json = fields.dump() + "\n";
    if (json.size() > max_json)
        throw Error(ErrorKind::usage, std::string("the ") + format + " has " + std::to_string(json.size()) +
                                          " bytes; at most " + std::to_string(max_json) + " can be read");
    return gpg::sign(home, signer, json);
}

Json content(BytesView json, const char* format, std::int64_t version, std::size_t max_json) {
    Json fields = parse_json(json, max_json);
    const auto kind = fields.find("format");
    if (kind == fields.end() || !kind->is_string())
        throw Error(ErrorKind::protocol, "field \"format\" is missing or not text");
    if (*kind != format)
        throw Error(ErrorKind::protocol, "it is a \"" + printable_line(kind->get<std::string>(), 64) +
                                             "\", not a \"" + format + "\"");
    const auto number = fields.find("version");
    if (number == fields.end() || !number->is_number_integer())
        throw Error(ErrorKind::protocol, "field \"version\" is missing or not an integer");
    if (*number != version)
        throw Error(ErrorKind::protocol,
                    std::string("the ") + format + " has version " + printable_line(number->dump(), 20) +
                        "; this program reads version " + std::to_string(version),
                    "Update this program.");
    fields.erase("format");
    fields.erase("version");
    return fields;
}

Json open(BytesView statement, const gpg::Home& home, const std::string& signer, const char* format,
          std::int64_t version, std::size_t max_json) {
    if (statement.size() > max_json + statement_overhead)
        throw Error(ErrorKind::unauthenticated, std::string("the ") + format + " is over its size limit");
    Bytes json;
    try {
        json = gpg::verify(home, signer, statement, max_json).payload;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::crypto) throw;
        throw Error(ErrorKind::unauthenticated, error.text(), error.hint());
    }
    return content(json, format, version, max_json);
}

}  // namespace strongroom::statement_detail
