// The recovery sheet: one printed page with what a person needs to get a server back, and no secret. First
// what is on it, as a list of parts; text and PDF are two ways to lay out the same list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/sheet/qr_code.hpp"
#include "common/base/bytes.hpp"
#include "common/base/clock.hpp"

namespace strongroom::client {

struct SheetFacts {
    std::string server;                 // UUID
    std::string label;                  // foreign text; empty: not known
    std::string identity;               // full fingerprint
    std::vector<std::string> subkeys;   // of decryption subkeys: the one in use, then older ones
    std::vector<std::string> recovery;  // recovery keys: fingerprints, or key ids where no more is known
    std::vector<std::string> stores;    // addresses, as --store takes them
    std::string s3_endpoint;            // empty: AWS
    std::string text_digest;            // SHA-256 of RECOVERY.txt; empty: not known
    std::string proven;                 // when the escrow record was last shown to open; empty: not known
    UtcTime made;
};

enum class PartKind { title, heading, field, note, command };

struct SheetPart {
    PartKind kind;
    std::string text;  // printable, one line; it is wrapped when it is laid out
    std::string name;  // of a field
};

enum class Paper { a4, letter };

// How many fingerprints of a kind are on the sheet; of more, a line says how many they are.
inline constexpr std::size_t max_sheet_keys = 4;

std::vector<SheetPart> sheet_parts(const SheetFacts& facts);

// What the QR code says: lines "server UUID", "identity FPR", "subkey FPR", "recovery FPR".
std::string sheet_fingerprints(const SheetFacts& facts);

// At most 80 columns, except for a word of a command that is longer. `code`: drawn at the end with blocks
// that are ink.
std::string sheet_text(const std::vector<SheetPart>& parts, const std::optional<QrCode>& code);

// One page. Letters that are not in WinAnsi become question marks. Throws Error{usage} if it does not fit,
// Error{internal} if the library fails.
Bytes sheet_pdf(const std::vector<SheetPart>& parts, const QrCode& code, Paper paper);

}  // namespace strongroom::client
