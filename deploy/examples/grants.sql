-- The least that backups need. Run as the database's administrator; `strongroom-agent check` names what is missing.
-- MariaDB, for mariadb-backup:
CREATE USER IF NOT EXISTS strongroom@localhost IDENTIFIED BY 'CHANGE-ME';
GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO strongroom@localhost;

-- To see the replication state (docs/replicas.md), in addition; before MariaDB 10.5 and for MySQL REPLICATION CLIENT:
GRANT SLAVE MONITOR ON *.* TO strongroom@localhost;

-- For proof-figures, in addition: GRANT SELECT ON *.* TO strongroom@localhost;

-- MariaDB, for mariadb-dump, in addition:
-- GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON *.* TO strongroom@localhost;

-- MariaDB, for mydumper, in addition:
-- GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO strongroom@localhost;

-- MySQL 8, for xtrabackup instead:
-- GRANT BACKUP_ADMIN, RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT ON *.* TO strongroom@localhost;
-- GRANT SELECT ON performance_schema.log_status TO strongroom@localhost;
