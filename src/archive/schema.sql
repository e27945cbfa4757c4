BEGIN;
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE queue (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, target_us INTEGER NOT NULL,
    safety INTEGER NOT NULL, retired INTEGER NOT NULL
) STRICT;
CREATE TABLE agent (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, pool TEXT NOT NULL, retired INTEGER NOT NULL
) STRICT;
CREATE TABLE gateway (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL
) STRICT;
CREATE TABLE configuration (sequence INTEGER PRIMARY KEY, event BLOB NOT NULL) STRICT;
CREATE TABLE customer (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, forgotten_ms INTEGER) STRICT;
CREATE TABLE contact (
    id INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL, key TEXT NOT NULL, channel TEXT NOT NULL, entry_point TEXT,
    language TEXT, customer INTEGER, continues INTEGER, consult_of INTEGER,
    follow_up INTEGER NOT NULL, recall INTEGER,
    arrived_ms INTEGER NOT NULL, arrived_us INTEGER NOT NULL, waited_before_us INTEGER NOT NULL,
    queue_first TEXT, queue_last TEXT, service TEXT, attributes TEXT,
    answered_ms INTEGER, answered_us INTEGER, answered_queue TEXT,
    ended_ms INTEGER, ended_us INTEGER, end_reason TEXT, disposition TEXT,
    wait_us INTEGER, callback_wait_us INTEGER, talk_us INTEGER NOT NULL DEFAULT 0, hold_us INTEGER NOT NULL DEFAULT 0,
    wrap_up_us INTEGER NOT NULL DEFAULT 0,
    agent_first TEXT, agent_last TEXT,
    offers INTEGER NOT NULL DEFAULT 0, not_taken INTEGER NOT NULL DEFAULT 0,
    connect_failures INTEGER NOT NULL DEFAULT 0, transfers INTEGER NOT NULL DEFAULT 0,
    requeues INTEGER NOT NULL DEFAULT 0, moves INTEGER NOT NULL DEFAULT 0,
    pends INTEGER NOT NULL DEFAULT 0, hand_overs INTEGER NOT NULL DEFAULT 0,
    self_service_entered INTEGER NOT NULL DEFAULT 0,
    self_service_returned INTEGER NOT NULL DEFAULT 0,
    self_service_solved INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX contact_arrived ON contact (arrived_ms);
CREATE INDEX contact_ended ON contact (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX contact_customer ON contact (customer) WHERE customer IS NOT NULL;
CREATE INDEX contact_continues ON contact (continues) WHERE continues IS NOT NULL;
CREATE INDEX contact_recall ON contact (recall) WHERE recall IS NOT NULL;
CREATE TABLE timeline (
    contact INTEGER NOT NULL, sequence INTEGER NOT NULL, n INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL, at_us INTEGER NOT NULL, role TEXT NOT NULL, actor TEXT NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL, became_ready INTEGER NOT NULL, event BLOB NOT NULL,
    PRIMARY KEY (contact, sequence, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE sealed (
    contact INTEGER NOT NULL, sequence INTEGER NOT NULL, customer BLOB, key INTEGER NOT NULL,
    bytes BLOB NOT NULL, PRIMARY KEY (contact, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX sealed_customer ON sealed (customer) WHERE customer IS NOT NULL;
CREATE TABLE feedback (
    contact INTEGER NOT NULL, channel TEXT NOT NULL, sequence INTEGER NOT NULL UNIQUE,
    at_ms INTEGER NOT NULL, queue TEXT, gateway TEXT NOT NULL, score INTEGER,
    scale INTEGER NOT NULL, tenths INTEGER, words INTEGER NOT NULL,
    PRIMARY KEY (contact, channel)
) STRICT, WITHOUT ROWID;
CREATE TABLE self_service (
    contact INTEGER NOT NULL, entered_us INTEGER NOT NULL, entered_ms INTEGER NOT NULL,
    recall INTEGER NOT NULL, tier TEXT NOT NULL, queue TEXT, left_ms INTEGER, left_us INTEGER,
    outcome TEXT, because TEXT, PRIMARY KEY (contact, entered_us)
) STRICT, WITHOUT ROWID;
CREATE TABLE interval (
    queue TEXT NOT NULL, start_ms INTEGER NOT NULL,
    offered INTEGER NOT NULL, answered INTEGER NOT NULL, answered_in_target INTEGER NOT NULL,
    abandoned INTEGER NOT NULL, abandoned_after_target INTEGER NOT NULL,
    answered_wait_us INTEGER NOT NULL, abandoned_wait_us INTEGER NOT NULL,
    wait_max_us INTEGER NOT NULL, talk_us INTEGER NOT NULL, hold_us INTEGER NOT NULL,
    wrap_up_us INTEGER NOT NULL, self_service_entered INTEGER NOT NULL,
    self_service_returned INTEGER NOT NULL, self_service_solved INTEGER NOT NULL,
    PRIMARY KEY (queue, start_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX interval_start ON interval (start_ms);
CREATE TABLE agent_interval (
    agent TEXT NOT NULL, start_ms INTEGER NOT NULL,
    offered INTEGER NOT NULL, not_taken INTEGER NOT NULL, handled INTEGER NOT NULL,
    talk_us INTEGER NOT NULL, hold_us INTEGER NOT NULL, wrap_up_us INTEGER NOT NULL,
    PRIMARY KEY (agent, start_ms)
) STRICT, WITHOUT ROWID;
CREATE TABLE recall (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, version TEXT NOT NULL, scope TEXT NOT NULL,
    level TEXT NOT NULL, expires_us INTEGER NOT NULL,
    started_ms INTEGER NOT NULL, started_us INTEGER NOT NULL, started_role TEXT NOT NULL,
    started_by TEXT NOT NULL, started_why TEXT,
    ended_ms INTEGER, ended_us INTEGER, ended_role TEXT, ended_by TEXT, ended_why TEXT,
    expired INTEGER
) STRICT;
CREATE TABLE recall_level (
    recall INTEGER NOT NULL, sequence INTEGER NOT NULL, n INTEGER NOT NULL, wall_ms INTEGER NOT NULL,
    at_us INTEGER NOT NULL, level TEXT NOT NULL, role TEXT NOT NULL, actor TEXT NOT NULL, why TEXT,
    PRIMARY KEY (recall, sequence, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL, at_us INTEGER NOT NULL,
    role TEXT NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL,
    contact INTEGER, why TEXT, previous BLOB NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_contact ON audit (contact) WHERE contact IS NOT NULL;
CREATE TABLE agent_state (
    agent TEXT NOT NULL, sequence INTEGER NOT NULL, n INTEGER NOT NULL, state TEXT NOT NULL,
    reason TEXT, began_ms INTEGER NOT NULL, began_us INTEGER NOT NULL,
    ended_sequence INTEGER, ended_ms INTEGER, ended_us INTEGER, PRIMARY KEY (agent, sequence, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_state_ended ON agent_state (ended_sequence);
CREATE INDEX agent_state_over ON agent_state (ended_ms) WHERE ended_ms IS NOT NULL;
-- the record's tables of sums
CREATE TABLE work (contact INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;
PRAGMA user_version = 2;
COMMIT;
