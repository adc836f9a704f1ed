#include "common/backupset/escrow_index.hpp"

#include "common/backupset/layout.hpp"
#include "common/base/error.hpp"
#include "common/gpg/message.hpp"

namespace strongroom::backupset {
namespace {

constexpr std::size_t max_index = 16U << 20U;
constexpr std::size_t max_signature = 64U << 10U;

}  // namespace

void write_escrow_index(storage::ObjectStore& store, const EscrowIndex& index, const gpg::Home& home,
                        const std::string& identity) {
    const std::string text = to_json(index).dump(1) + "\n";
    const Bytes signature = gpg::sign_detached(home, identity, text);
    store.put(escrow_index_key(index.server), text);
    store.put(escrow_index_signature_key(index.server), signature);
}

std::optional<EscrowIndex> read_escrow_index(storage::ObjectStore& store, const std::string& server,
                                             const Signers& signers) {
    if (!store.stat(escrow_index_key(server))) return std::nullopt;
    const Bytes text(store.get(escrow_index_key(server), max_index).view());
    const Bytes signature(store.get(escrow_index_signature_key(server), max_signature).view());
    gpg::verify_detached_by_one_of(signers.home, signers.fingerprints(), signature, text);
    auto out = from_json<EscrowIndex>(parse_json(text, max_index));
    if (out.server != server || out.format != EscrowIndex{}.format)
        throw Error(ErrorKind::corrupt, "it is of another server, or no index of escrow records");
    return out;
}

}  // namespace strongroom::backupset
