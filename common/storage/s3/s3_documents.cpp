#include "common/storage/s3/s3_documents.hpp"

#include <charconv>
#include <pugixml.hpp>
#include <string_view>

#include "common/base/error.hpp"
#include "common/base/printable.hpp"
#include "common/storage/s3/s3_address.hpp"

namespace strongroom::storage {
namespace {

constexpr std::size_t max_shown = 300;
constexpr std::size_t max_token = 4096;  // continuation tokens, upload ids

[[noreturn]] void refuse(const std::string& text) {
    throw Error(ErrorKind::protocol, "the S3 server's answer: " + text);
}

// The root element, without regard to its namespace.
pugi::xml_node root_of(pugi::xml_document& document, BytesView xml, const std::string& name) {
    const auto parsed =
        document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
    const pugi::xml_node root = document.document_element();
    if (!parsed || !root || name != root.name()) refuse("not a " + name + " document");
    return root;
}

std::string text_of(const pugi::xml_node& node, const char* name) {
    return node.child(name).text().get();
}

bool flag_of(const pugi::xml_node& node, const char* name) {
    const std::string text = text_of(node, name);
    if (text == "true") return true;
    if (text == "false" || text.empty()) return false;
    refuse(std::string(name) + " is neither true nor false");
}

std::int64_t size_of(const pugi::xml_node& node) {
    const std::string text = text_of(node, "Size");
    std::int64_t out = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failure != std::errc() || end != text.data() + text.size() || out < 0) refuse("not a size");
    return out;
}

// What one page needs to ask for the next.
std::string token_of(const pugi::xml_node& root, const char* name) {
    std::string out = text_of(root, name);
    if (out.empty() || out.size() > max_token) refuse(std::string("there is more, but no ") + name);
    return out;
}

// What names this upload or version, and no other of its key.
std::string id_of(const pugi::xml_node& entry, const char* name) {
    std::string out = text_of(entry, name);
    if (out.empty() || out.size() > max_token) refuse(std::string("an entry without ") + name);
    return out;
}

class Decoder {
  public:
    explicit Decoder(const pugi::xml_node& root) : encoded_(text_of(root, "EncodingType") == "url") {}
    std::string operator()(const std::string& key) const { return encoded_ ? decode_uri(key) : key; }

  private:
    bool encoded_;
};

}  // namespace

S3ErrorDocument parse_s3_error(BytesView xml) {
    pugi::xml_document document;
    if (!document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8)) return {};
    const pugi::xml_node root = document.document_element();
    if (std::string_view(root.name()) != "Error") return {};
    return {printable_line(text_of(root, "Code"), max_shown),
            printable_line(text_of(root, "Message"), max_shown), printable_line(text_of(root, "Region"), 64)};
}

bool is_s3_error(BytesView xml) {
    return !parse_s3_error(xml).code.empty();
}

S3Page parse_s3_page(BytesView xml) {
    pugi::xml_document document;
    const auto root = root_of(document, xml, "ListBucketResult");
    const Decoder decode(root);
    S3Page out;
    for (const auto& entry : root.children("Contents"))
        out.objects.push_back({decode(text_of(entry, "Key")), size_of(entry)});
    for (const auto& entry : root.children("CommonPrefixes"))
        out.folders.push_back(decode(text_of(entry, "Prefix")));
    if (flag_of(root, "IsTruncated")) out.next = token_of(root, "NextContinuationToken");
    return out;
}

S3UploadPage parse_s3_uploads(BytesView xml) {
    pugi::xml_document document;
    const auto root = root_of(document, xml, "ListMultipartUploadsResult");
    const Decoder decode(root);
    S3UploadPage out;
    for (const auto& entry : root.children("Upload")) {
        out.uploads.push_back({decode(text_of(entry, "Key")), id_of(entry, "UploadId"),
                               parse_s3_time(text_of(entry, "Initiated"))});
    }
    if (flag_of(root, "IsTruncated"))
        out.next.emplace(decode(token_of(root, "NextKeyMarker")), token_of(root, "NextUploadIdMarker"));
    return out;
}

S3VersionPage parse_s3_versions(BytesView xml) {
    pugi::xml_document document;
    // AWS says ListVersionsResult, and so does radosgw.
    const auto root = root_of(document, xml, "ListVersionsResult");
    const Decoder decode(root);
    S3VersionPage out;
    for (const auto& entry : root.children()) {
        const std::string_view kind = entry.name();
        const bool deleted = kind == "DeleteMarker";
        if (kind != "Version" && !deleted) continue;
        out.versions.push_back({decode(text_of(entry, "Key")), id_of(entry, "VersionId"),
                                parse_s3_time(text_of(entry, "LastModified")), deleted,
                                deleted ? 0 : size_of(entry)});
    }
    if (flag_of(root, "IsTruncated"))
        out.next.emplace(decode(token_of(root, "NextKeyMarker")), token_of(root, "NextVersionIdMarker"));
    return out;
}

std::string parse_s3_upload_id(BytesView xml) {
    pugi::xml_document document;
    return token_of(root_of(document, xml, "InitiateMultipartUploadResult"), "UploadId");
}

UtcTime parse_s3_time(std::string_view text) {
    std::int64_t millis = 0;
    if (const auto dot = text.find('.'); dot != std::string_view::npos && text.ends_with('Z')) {
        const std::string_view fraction = text.substr(dot + 1, text.size() - dot - 2);
        if (fraction.empty() || fraction.size() > 9 ||
            fraction.find_first_not_of("0123456789") != std::string_view::npos)
            refuse("not a time");
        for (std::size_t i = 0; i < 3; ++i)
            millis = millis * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
        return parse_utc(std::string(text.substr(0, dot)) + "Z") + std::chrono::milliseconds(millis);
    }
    return parse_utc(text);
}

}  // namespace strongroom::storage
