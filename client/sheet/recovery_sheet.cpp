#include "client/sheet/recovery_sheet.hpp"

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/base/printable.hpp"

namespace strongroom::client {
namespace {

constexpr std::string_view file_scheme = "file://";
constexpr std::string_view sftp_scheme = "sftp://";
constexpr std::string_view s3_scheme = "s3://";

// As bash reads it back. It holds no space, so that a command may be broken at each of its spaces.
std::string word(const std::string& text) {
    constexpr std::string_view safe =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
    if (!text.empty() && text.find_first_not_of(safe) == std::string::npos) return text;
    std::string out = "$'";
    for (const char c : text) {
        if (c == ' ')
            out += "\\040";
        else
            out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return out + "'";
}

std::string shown_key(const std::string& key) {
    return is_fingerprint(key) ? group_fingerprint(key) : "key id " + key;
}

std::string after(std::string_view scheme, const std::string& url) {
    return url.substr(scheme.size());
}

// How a stock tool makes a copy of the server's folder.
std::string copy_command(const SheetFacts& facts, const std::string& store) {
    if (store.starts_with(file_scheme))
        return "cp -r " + word(after(file_scheme, store) + "/" + facts.server) + " .";
    if (store.starts_with(sftp_scheme)) {  // sftp://user@host:port/folder
        const std::string rest = after(sftp_scheme, store);
        const std::size_t slash = rest.find('/');
        std::string host = rest.substr(0, slash);
        const std::string folder = slash == std::string::npos ? "" : rest.substr(slash);
        std::string port;
        const std::size_t colon = host.rfind(':');
        if (colon != std::string::npos && colon > host.rfind(']') + 1) {
            port = "-P " + word(host.substr(colon + 1)) + " ";
            host.resize(colon);
        }
        return "sftp -r " + port + word(host + ":" + folder + "/" + facts.server) + " .";
    }
    if (store.starts_with(s3_scheme))
        return "aws s3 sync " + word(store + "/" + facts.server) + " " + facts.server +
               (facts.s3_endpoint.empty() ? "" : " --endpoint-url " + word(facts.s3_endpoint));
    return "";
}

class Parts {
  public:
    void add(PartKind kind, const std::string& text) { parts_.push_back({kind, printable_line(text), ""}); }
    void field(const std::string& name, const std::string& value) {
        parts_.push_back({PartKind::field, printable_line(value, 2000), name});
    }
    void keys(const std::string& first, const std::string& next, const std::vector<std::string>& list) {
        for (std::size_t i = 0; i < std::min(list.size(), max_sheet_keys); ++i)
            field(i == 0 ? first : next, shown_key(list[i]));
        if (list.size() > max_sheet_keys)
            field(next, "and " + std::to_string(list.size() - max_sheet_keys) + " more");
    }
    std::vector<SheetPart> take() { return std::move(parts_); }

  private:
    std::vector<SheetPart> parts_;
};

void add_our_commands(Parts& out, const SheetFacts& facts) {
    const std::string store = facts.stores.empty() ? "URL" : word(facts.stores.front());
    const std::string options = "--server " + facts.server + " --store " + store +
                                (facts.s3_endpoint.empty() || !store.starts_with("s3:")
                                     ? ""
                                     : " --s3-endpoint " + word(facts.s3_endpoint));
    out.add(PartKind::heading, "With Strongroom's client");
    out.add(PartKind::command,
            "strongroom recover " + options + " --identity " + facts.identity + " --into ~/recovered");
    out.add(PartKind::command,
            "strongroom restore " + options + " --home ~/recovered --datadir /var/lib/mysql-new --prepare");
}

void add_stock_commands(Parts& out, const SheetFacts& facts) {
    out.add(PartKind::heading, "Without it: gpg (or sqop), zstd, and mbstream or mariadb");
    std::string copy;
    for (const auto& store : facts.stores)
        if (copy.empty()) copy = copy_command(facts, store);
    if (copy.empty())
        out.add(PartKind::note, "In a new folder: copy the folder " + facts.server +
                                    " of the store there, with cp, sftp, rclone or aws. Then:");
    else
        out.add(PartKind::note, "In a new folder:");
    if (!copy.empty()) out.add(PartKind::command, copy);
    if (!facts.text_digest.empty())
        out.add(PartKind::command, "sha256sum " + facts.server + "/RECOVERY.txt | grep " + facts.text_digest);
    out.add(PartKind::command,
            "sed -n '/8<----.commands/,/8<----.end/{//!p}' " + facts.server + "/RECOVERY.txt > recover.sh");
    out.add(PartKind::command, "IDENTITY=" + facts.identity + " bash recover.sh");
    out.add(PartKind::note,
            facts.text_digest.empty()
                ? "Read recover.sh before you run it: whoever can write to the store could have changed it."
                : "If grep prints nothing, the text is of another version, or somebody changed it: read "
                  "recover.sh "
                  "before you run it.");
    out.add(PartKind::note,
            "RECOVERY.txt says more: other ways to download, another GnuPG home, programs other than gpg.");
}

}  // namespace

std::vector<SheetPart> sheet_parts(const SheetFacts& facts) {
    Parts out;
    out.add(PartKind::title, "Strongroom recovery sheet");
    out.field("server", facts.server);
    if (!facts.label.empty()) out.field("label", facts.label);
    out.field("made", format_utc(facts.made) + ", Strongroom " STRONGROOM_VERSION);
    out.field("identity key", shown_key(facts.identity));
    out.keys("decryption key", "older one", facts.subkeys);
    out.keys("recovery key", "or", facts.recovery);
    for (const auto& store : facts.stores) {
        out.field("store", store);
        if (store.starts_with(s3_scheme) && !facts.s3_endpoint.empty())
            out.field("S3 endpoint", facts.s3_endpoint);
    }
    if (facts.stores.empty()) out.field("store", "______________________________");
    if (!facts.proven.empty()) out.field("opened in a drill", facts.proven);

    out.add(PartKind::heading, "What must be there");
    out.add(
        PartKind::note,
        "The secret key of one recovery key above, in a GnuPG home (gpg --list-secret-keys shows it) or on a "
        "smartcard, with its passphrase or PIN; and credentials that may read the store. Neither is on this "
        "sheet. Kept at:");
    out.add(PartKind::note, "Recovery key: ____________________  Store credentials: ____________________");
    add_our_commands(out, facts);
    add_stock_commands(out, facts);
    out.add(
        PartKind::note,
        "The QR code holds the fingerprints above as text. Nothing on this sheet is secret; keep it where "
        "nobody can change it. Make a new one after each rotation of keys.");
    return out.take();
}

std::string sheet_fingerprints(const SheetFacts& facts) {
    std::string out = "server " + facts.server + "\nidentity " + facts.identity + "\n";
    const auto add = [&](const char* name, const std::vector<std::string>& keys) {
        for (std::size_t i = 0; i < std::min(keys.size(), max_sheet_keys); ++i)
            out += std::string(name) + (is_fingerprint(keys[i]) ? " " : "-id ") + keys[i] + "\n";
    };
    add("subkey", facts.subkeys);
    add("recovery", facts.recovery);
    return out;
}

}  // namespace strongroom::client
