#include "agent/config/proof_config.hpp"

#include "common/config/quantity.hpp"

namespace strongroom::agent {

void declare(config::Options& options, ProofConfig& config) {
    options
        .setting("--proof-folder", config.folder,
                 "Where verify --full restores to, privately, for as long as it takes (default: proof in the "
                 "state "
                 "folder)")
        ->type_name("DIR");
    options
        .setting("--proof-space-limit", config.space_limit,
                 "A proof that needs more bytes there is not begun")
        ->transform(config::as_size())
        ->default_str("off");
    options.setting(
        "--proof-figures", config.figures,
        "After each backup count and checksum all tables at the source, for proofs to compare with");
    options
        .setting("--proof-assertions", config.assertions,
                 "SQL that must answer 1 in the restored database; repeat for more")
        ->type_name("SQL");
    options.setting("--prove-after-backup", config.after_backup,
                    "Prove each set right after its backup, where the daemon makes it");
}

}  // namespace strongroom::agent
