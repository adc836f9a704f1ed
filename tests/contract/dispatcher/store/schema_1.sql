-- The first schema, word for word, with a little of everything in it. Never changed.
CREATE TABLE users (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    public_key  TEXT NOT NULL,
    token_hash  TEXT NOT NULL UNIQUE,
    created     BIGINT NOT NULL) WITHOUT ROWID;
CREATE TABLE servers (
    uuid        TEXT NOT NULL PRIMARY KEY,
    owner       TEXT NOT NULL REFERENCES users (fingerprint),
    identity    TEXT NOT NULL UNIQUE,
    subkey      TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    token_hash  TEXT NOT NULL UNIQUE,
    label       TEXT NOT NULL,
    recovery    TEXT NOT NULL,
    registered  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    retired     BIGINT NOT NULL,
    version     TEXT NOT NULL,
    source      TEXT NOT NULL,
    store       TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX servers_by_owner ON servers (owner);
CREATE TABLE registration_codes (
    hash    TEXT NOT NULL PRIMARY KEY,
    owner   TEXT NOT NULL REFERENCES users (fingerprint),
    label   TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    used_by TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE schedules (
    id        TEXT NOT NULL PRIMARY KEY,
    server    TEXT NOT NULL REFERENCES servers (uuid),
    kind      TEXT NOT NULL,
    cron      TEXT NOT NULL,
    splay     BIGINT NOT NULL,
    enabled   BIGINT NOT NULL,
    created   BIGINT NOT NULL,
    next_slot BIGINT NOT NULL,
    UNIQUE (server, kind)) WITHOUT ROWID;
CREATE INDEX schedules_by_slot ON schedules (enabled, next_slot);
CREATE TABLE jobs (
    id           TEXT NOT NULL PRIMARY KEY,
    server       TEXT NOT NULL REFERENCES servers (uuid),
    kind         TEXT NOT NULL,
    schedule     TEXT NOT NULL,
    slot         BIGINT NOT NULL,
    state        TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    created      BIGINT NOT NULL,
    started      BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL,
    finished     BIGINT NOT NULL,
    stage        TEXT NOT NULL,
    plain_bytes  BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    total_bytes  BIGINT NOT NULL,
    set_id       TEXT NOT NULL,
    error_kind   TEXT NOT NULL,
    error_stage  TEXT NOT NULL,
    error_text   TEXT NOT NULL,
    error_hint   TEXT NOT NULL,
    slot_key     TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE INDEX jobs_by_server ON jobs (server, state, created);
CREATE INDEX jobs_by_lease ON jobs (state, lease_until);
CREATE INDEX jobs_by_schedule ON jobs (schedule, state);
CREATE TABLE backups (
    set_id       TEXT NOT NULL,
    server       TEXT NOT NULL REFERENCES servers (uuid),
    kind         TEXT NOT NULL,
    job          TEXT NOT NULL,
    created      BIGINT NOT NULL,
    finished     BIGINT NOT NULL,
    plain_bytes  BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    segments     BIGINT NOT NULL,
    source       TEXT NOT NULL,
    server_version TEXT NOT NULL,
    store        TEXT NOT NULL,
    schedule     TEXT NOT NULL,
    slot         BIGINT NOT NULL,
    reported     BIGINT NOT NULL,
    PRIMARY KEY (server, set_id)) WITHOUT ROWID;
CREATE TABLE escrow (
    id         TEXT NOT NULL PRIMARY KEY,
    server     TEXT NOT NULL REFERENCES servers (uuid),
    subkey     TEXT NOT NULL,
    recipients TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    record     TEXT NOT NULL,
    deposited  BIGINT NOT NULL);
CREATE INDEX escrow_by_server ON escrow (server, subkey, deposited);
CREATE TRIGGER escrow_keep_update BEFORE UPDATE ON escrow BEGIN SELECT RAISE(ABORT, 'escrow records are append-only'); END;
CREATE TRIGGER escrow_keep_delete BEFORE DELETE ON escrow BEGIN SELECT RAISE(ABORT, 'escrow records are append-only'); END;
CREATE TABLE seen_messages (
    sender   TEXT NOT NULL,
    message  TEXT NOT NULL,
    received BIGINT NOT NULL,
    digest   TEXT NOT NULL,
    reply    TEXT NOT NULL,
    PRIMARY KEY (sender, message));
CREATE INDEX seen_messages_by_time ON seen_messages (received);
CREATE TABLE audit (
    seq     BIGINT NOT NULL PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    time    BIGINT NOT NULL,
    owner   TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    outcome TEXT NOT NULL,
    text    TEXT NOT NULL);
CREATE INDEX audit_by_owner ON audit (owner, seq);
CREATE TRIGGER audit_keep_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_keep_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

INSERT INTO users VALUES ('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'alice', 'key', 'hash-of-token', 1000);
INSERT INTO servers VALUES ('00000000-0000-4000-8000-000000000001', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB', 'CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC', 'key', 'hash-of-agent-token', 'host', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 1100, 1200, 0, '0.1.0', '', '');
INSERT INTO registration_codes VALUES ('hash-of-code', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'host', 1000, 2000, 1100, '00000000-0000-4000-8000-000000000001');
INSERT INTO schedules VALUES ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 'backup', '0 3 * * *', 60, 1, 1150, 10800000);
INSERT INTO jobs VALUES ('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000001', 'escrow', '', 0, 'succeeded', 1, 'registration', 1100, 1110, 0, 1120, '', 0, 0, 0, '', '', '', '', '', '00000000-0000-4000-8000-000000000003');
INSERT INTO jobs VALUES ('00000000-0000-4000-8000-000000000004', '00000000-0000-4000-8000-000000000001', 'backup', '', 0, 'failed', 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 1100, 1110, 0, 1400, '', 0, 0, 0, '', 'source', 'dump', 'no grant', '', '00000000-0000-4000-8000-000000000004');
INSERT INTO backups VALUES ('20261122T013700Z-3f9a2c1b', '00000000-0000-4000-8000-000000000001', 'full', '', 1250, 1290, 10, 5, 1, 'mariadb-backup', '10.11', 'file:///b', '', 0, 1300);
INSERT INTO escrow VALUES ('00000000-0000-4000-8000-000000000005', '00000000-0000-4000-8000-000000000001', 'CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'digest', 'MQ==', 1120);
INSERT INTO seen_messages VALUES ('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'message', 1100, 'digest', 'cmVwbHk=');
INSERT INTO audit VALUES (1, 'a1', 1000, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'operator', 'user.add', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'ok', 'one');
INSERT INTO audit VALUES (2, 'a2', 1000, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'registration.create', 'host', 'ok', 'two, "quoted"');
INSERT INTO audit VALUES (3, 'a3', 1100, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB', 'register', '00000000-0000-4000-8000-000000000001', 'ok', 'three');
PRAGMA user_version = 1;
