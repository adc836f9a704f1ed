// The views of the newest schema. They hold no data: an upgrade drops those of the older version and makes
// these.
#include "dispatcher/store/sqlite/schema.hpp"
#include "dispatcher/store/sqlite/statements.hpp"

namespace strongroom::dispatcher {
namespace {

constexpr std::string_view views[] = {
    "servers_seen", "waiting_agents", "server_facts", "group_members", "group_facts",
};

constexpr std::string_view make[] = {
    R"(CREATE VIEW servers_seen AS SELECT uuid, owner, identity, subkey, public_key, token_hash, label, recovery,
        registered,
        MAX(last_seen, COALESCE((SELECT seen FROM presence WHERE server = servers.uuid), 0)) AS last_seen,
        retired, version, source, store, recovery_sequence FROM servers)",

    R"(CREATE VIEW waiting_agents AS SELECT
        token_hash, uuid AS server,
        EXISTS (SELECT 1 FROM jobs WHERE server = servers.uuid AND state = 'queued' AND held = 0)
            OR EXISTS (SELECT 1 FROM schedule_news WHERE server = servers.uuid)
            OR EXISTS (SELECT 1 FROM user_statements WHERE server = servers.uuid AND state = 'pending') AS work
        FROM servers WHERE retired = 0)",

    R"(CREATE VIEW server_facts AS SELECT
        s.uuid AS uuid, s.label AS label, s.owner AS owner, s.identity AS identity,
        s.source AS source, s.registered AS registered,
        MAX(s.last_seen, COALESCE((SELECT seen FROM presence WHERE server = s.uuid), 0)) AS last_seen,
        COALESCE(e.deposited, 0) AS escrow_deposited,
        COALESCE(p.proven, 0) AS proven, COALESCE(p.owner, '') AS proven_by,
        e.deposited IS NOT NULL AS escrowed,
        COALESCE((SELECT MIN(deposited) FROM escrow WHERE server = s.uuid AND subkey = s.subkey), 0) AS subkey_since,
        EXISTS (SELECT 1 FROM schedules WHERE server = s.uuid AND kind = 'rotate' AND enabled = 1) AS rotates,
        COALESCE((SELECT MAX(told) FROM identity_changes WHERE server = s.uuid AND state = 'changed'), 0)
            AS identity_changed,
        COALESCE(r.fetched, 0) AS fetched, COALESCE(r.owner, '') AS fetched_by,
        COALESCE((SELECT expires FROM key_expiry WHERE fingerprint = s.identity), 0) AS key_expires,
        COALESCE(c.cron, '') AS cron, COALESCE(c.splay, 0) AS splay, COALESCE(c.created, 0) AS schedule_created,
        COALESCE(i.cron, '') AS increment_cron, COALESCE(i.splay, 0) AS increment_splay,
        COALESCE(i.created, 0) AS increment_created,
        COALESCE((SELECT reported FROM backups WHERE server = s.uuid AND removed = 0
            ORDER BY reported DESC LIMIT 1), 0) AS last_backup,
        COALESCE((SELECT reported FROM backups WHERE server = s.uuid AND removed = 0 AND kind = 'full'
            ORDER BY reported DESC LIMIT 1), 0) AS last_full,
        COALESCE((SELECT MAX(proven) FROM backups WHERE server = s.uuid AND removed = 0 AND proven > 0), 0)
            AS restored,
        COALESCE(f.proof_failed, 0) AS restore_failed, COALESCE(f.proof_text, '') AS restore_failed_text,
        COALESCE(f.proof_by, '') AS restore_failed_by,
        COALESCE(j.id, '') AS last_job, COALESCE(j.state, '') AS last_job_state,
        COALESCE(j.finished, 0) AS last_job_finished, COALESCE(j.error_text, '') AS last_job_error
        FROM servers s
        LEFT JOIN escrow e ON e.rowid = (SELECT rowid FROM escrow WHERE server = s.uuid AND subkey = s.subkey
            ORDER BY deposited DESC, rowid DESC LIMIT 1)
        LEFT JOIN proofs p ON p.server = s.uuid AND p.subkey = s.subkey AND p.sha256 = e.sha256
        LEFT JOIN escrow_requests r ON r.rowid = (SELECT rowid FROM escrow_requests WHERE server = s.uuid
            ORDER BY fetched DESC, rowid DESC LIMIT 1)
        LEFT JOIN backups f ON f.server = s.uuid AND f.set_id = (SELECT set_id FROM backups
            WHERE server = s.uuid AND removed = 0 AND proof_failed > 0 ORDER BY proof_failed DESC LIMIT 1)
        LEFT JOIN schedules c ON c.server = s.uuid AND c.kind = 'backup' AND c.enabled = 1
        LEFT JOIN schedules i ON i.server = s.uuid AND i.kind = 'incremental' AND i.enabled = 1
        LEFT JOIN jobs j ON j.id = (SELECT id FROM jobs WHERE server = s.uuid AND kind = 'backup'
            AND grp = '' AND state IN ('succeeded', 'failed', 'expired') ORDER BY finished DESC LIMIT 1)
        WHERE s.retired = 0)",

    R"(CREATE VIEW group_members AS SELECT
        s.uuid AS server, s.owner AS owner, t.grp AS grp, s.label AS label,
        MAX(s.last_seen, COALESCE((SELECT seen FROM presence WHERE server = s.uuid), 0)) AS last_seen,
        t.reported AS reported, t.state AS state,
        COALESCE((SELECT reported FROM backups WHERE server = s.uuid AND removed = 0
            ORDER BY reported DESC LIMIT 1), 0) AS last_backup,
        (SELECT COUNT(*) FROM jobs WHERE server = s.uuid AND state IN ('leased', 'running')) AS busy
        FROM server_states t JOIN servers s ON s.uuid = t.server WHERE t.grp <> '' AND s.retired = 0)",

    R"(CREATE VIEW group_facts AS SELECT
        g.id AS schedule, g.owner AS owner, g.grp AS grp, g.kind AS kind, g.cron AS cron, g.splay AS splay,
        g.created AS created,
        (SELECT COUNT(*) FROM group_members m WHERE m.owner = g.owner AND m.grp = g.grp) AS members,
        COALESCE((SELECT MAX(b.reported) FROM backups b JOIN group_members m ON m.server = b.server
            WHERE m.owner = g.owner AND m.grp = g.grp AND b.removed = 0), 0) AS last_backup,
        COALESCE((SELECT MAX(b.reported) FROM backups b JOIN group_members m ON m.server = b.server
            WHERE m.owner = g.owner AND m.grp = g.grp AND b.removed = 0 AND b.kind = 'full'), 0) AS last_full,
        COALESCE(j.id, '') AS last_job, COALESCE(j.state, '') AS last_job_state,
        COALESCE(j.server, '') AS last_job_server, COALESCE(j.finished, 0) AS last_job_finished,
        COALESCE(j.error_text, '') AS last_job_error
        FROM group_schedules g
        LEFT JOIN jobs j ON j.id = (SELECT id FROM jobs WHERE schedule = g.id
            AND state IN ('succeeded', 'failed', 'expired') ORDER BY finished DESC LIMIT 1))",
};

}  // namespace

void drop_views(Session& session) {
    for (const auto view : views) session << "DROP VIEW IF EXISTS " + std::string(view);
}

void make_views(Session& session) {
    for (const auto statement : make) session << std::string(statement);
}

}  // namespace strongroom::dispatcher
