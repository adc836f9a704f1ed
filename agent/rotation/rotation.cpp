#include "agent/rotation/rotation.hpp"

#include "agent/escrow/escrow.hpp"
#include "common/backupset/store_root.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/gpg/keys.hpp"

namespace strongroom::agent {
namespace {

class Rotation {
  public:
    Rotation(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
             const RotateOptions& options)
        : state_(state),
          store_(store),
          clock_(clock),
          options_(options),
          agent_(state.agent()),
          home_(gpg::Home::use(state.own_home())),
          keys_(state.keys()) {}

    RotationResult run() {
        RotationResult out;
        out.resumed = keys_.rotation.has_value();
        if (options_.rewrapped && (!out.resumed || keys_.rotation->step != "rewrap"))
            throw Error(ErrorKind::refused, "no rotation waits for its envelopes to be rewrapped",
                        "Begin one: strongroom-agent rotate");
        if (!out.resumed) begin();
        if (options_.job) keys_.rotation->job = options_.job;
        if (keys_.rotation->step == "make") make();
        if (keys_.rotation->step == "escrow") escrow();
        if (keys_.rotation->step != "rewrap")
            throw Error(ErrorKind::corrupt,
                        "keys.json names an unknown step of a rotation: " + keys_.rotation->step);
        if (!options_.rewrapped) out.rewrap = rewrap();
        if (keys_.rotation->resign.value_or(false)) out.resign = resign();
        out.retired = keys_.subkeys.at(keys_.subkeys.size() - 2).fingerprint;
        out.subkey = keys_.current().fingerprint;
        out.number = keys_.current().number;
        retire();
        log_event(Level::info, "AGENT_ROTATED", "subkey {} ({}) is in use; {} of {} envelopes were rewrapped",
                  out.number, out.subkey, out.rewrap.rewrapped, out.rewrap.sets);
        return out;
    }

  private:
    void at(const char* name, std::size_t done = 0, std::size_t total = 0) const {
        if (options_.on_stage) options_.on_stage({name, done, total});
        if (options_.stop.stop_requested()) throw Error(ErrorKind::interrupted, "the rotation was stopped");
    }

    void begin() {
        if (keys_.identity_change && keys_.identity_change->step != "pending")
            throw Error(ErrorKind::busy, "a change of the identity key is under way",
                        "It brings a new decryption subkey, too. End it: strongroom-agent identity rotate");
        keys_.rotation = RotationState{"make", {}, options_.job, to_millis(clock_.now()), {}};
        if (options_.for_reencryption && !keys_.reencrypt)
            keys_.reencrypt = ReencryptState{to_millis(clock_.now()), std::nullopt};
        state_.save(keys_);
        log_event(Level::info, "AGENT_ROTATION_BEGUN", "from subkey {} ({})", keys_.current().number,
                  keys_.current().fingerprint);
    }

    void make() {
        at("make");
        std::string subkey;
        for (const auto& one : gpg::find_key(home_, agent_.identity, true).subkeys)
            if (one.can_encrypt && one.usable && one.secret && !keys_.knows(one.fingerprint))
                subkey = one.fingerprint;  // made before a crash, used by nobody
        if (subkey.empty()) subkey = gpg::add_encryption_subkey(home_, agent_.identity, options_.algorithm);
        at("made");
        keys_.rotation->subkey = subkey;
        keys_.rotation->step = "escrow";
        state_.save(keys_);
    }

    void escrow() {
        at("escrow");
        const std::string subkey = keys_.rotation->subkey.value();
        deposit_escrow(state_, subkey, store_, options_.exchange, clock_);
        at("wait");
        const auto nothing_sealed = wait_for_backup();
        at("switch");
        keys_.subkeys.push_back({subkey, keys_.current().number + 1, to_millis(clock_.now()), std::nullopt});
        keys_.rotation->step = "rewrap";
        if (keys_.reencrypt && !keys_.reencrypt->before) keys_.reencrypt->before = keys_.current().since;
        state_.save(keys_);
        log_event(Level::info, "AGENT_SUBKEY_IN_USE", "subkey {} ({}) for all backups from now on",
                  keys_.current().number, subkey);
    }

    // A backup that runs now has an envelope for the old subkey, or will have.
    StateDir::KeyLocks wait_for_backup() const {
        return state_.wait_to_lock_keys([this] {
            if (options_.stop.stop_requested())
                throw Error(ErrorKind::interrupted, "the rotation was stopped while it waited for a backup");
        });
    }

    backupset::RewrapResult rewrap_what_can_be_read() {
        try {
            return backupset::rewrap_envelopes(
                {agent_.server, keys_.current().fingerprint, options_.workers}, store_, home_, options_.stop,
                [&](std::size_t done, std::size_t total) { at("rewrap", done, total); });
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::forbidden) throw;
            throw Error(
                error.kind(), "this host's credentials may not read envelopes: " + error.text(),
                "The new subkey is in escrow and in use. Their owner rewraps the envelopes: strongroom "
                "recover, then strongroom rewrap --server " +
                    agent_.server + "; afterwards run here: strongroom-agent rotate --rewrapped");
        }
    }

    backupset::RewrapResult rewrap() {
        at("rewrap");
        const auto result = rewrap_what_can_be_read();
        if (result.problems.empty()) return result;
        std::string text = std::to_string(result.problems.size()) + " of " +
                           std::to_string(result.sets + result.problems.size()) +
                           " sets cannot be rewrapped, so the old subkey is not retired";
        for (std::size_t i = 0; i < result.problems.size() && i < 5; ++i)
            text += "; set " + result.problems[i].set + ": " + result.problems[i].text;
        throw Error(ErrorKind::corrupt, text,
                    "Copy their envelope.gpg from another copy of the store, or remove those sets; then run "
                    "it again. All other sets, and new backups, use the new subkey.");
    }

    std::optional<backupset::ResignResult> resign() const {
        at("resign");
        try {
            const auto out = backupset::resign_manifests(
                agent_.server, state_.signers(), store_, options_.workers, options_.stop,
                [&](std::size_t done, std::size_t total) { at("resign", done, total); });
            for (const auto& problem : out.problems)
                log_event(Level::error, "AGENT_MANIFEST_NOT_SIGNED", "set {}: {}", problem.set, problem.text);
            return out;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::forbidden) throw;
            log_event(Level::warning, "AGENT_MANIFESTS_KEPT",
                      "these credentials may not read manifests, so older sets keep the signature of the "
                      "former identity key: {}",
                      error.text());
            return std::nullopt;
        }
    }

    void retire() {
        at("retire");
        const gpg::Key key = gpg::find_key(home_, agent_.identity, true);
        for (auto& known : keys_.subkeys) {
            if (known.fingerprint == keys_.current().fingerprint || known.retired) continue;
            // Under a former identity key nobody encrypts to it any more.
            if (key.owns(known.fingerprint)) gpg::expire_subkey(home_, agent_.identity, known.fingerprint);
            known.retired = to_millis(clock_.now());
        }
        at("retired");
        backupset::write_store_root(store_, agent_.server, agent_.identity,
                                    gpg::export_public(home_, agent_.identity));
        keys_.last_started = keys_.rotation->started;
        keys_.last_job = keys_.rotation->job;
        keys_.rotation.reset();
        state_.save(keys_);
    }

    const StateDir& state_;
    storage::ObjectStore& store_;
    const Clock& clock_;
    const RotateOptions& options_;
    const AgentRecord agent_;
    const gpg::Home home_;
    KeyState keys_;
};

}  // namespace

RotationResult rotate(const StateDir& state, storage::ObjectStore& store, const Clock& clock,
                      const RotateOptions& options) {
    const FileLock alone = state.lock_rotation();
    return Rotation(state, store, clock, options).run();
}

}  // namespace strongroom::agent
