//! The tables that the console needs: accounts, sessions, unmasking, and what the queue is searched by.

/// A step of [`super::schema`]; it names tables of the first step only.
pub const CONSOLE: &str = "
CREATE TABLE account (
    person    TEXT NOT NULL PRIMARY KEY,     -- the name as it is compared
    name      TEXT NOT NULL,
    role      TEXT NOT NULL CHECK (role IN ('reviewer', 'dpo', 'auditor', 'administrator')),
    mail      TEXT NOT NULL,                 -- their own addresses, JSON array: nobody decides about their own mail
    unmask    INTEGER NOT NULL,              -- may ask to see what is masked
    password  TEXT,                          -- Argon2id (PHC string); NULL: signs in elsewhere
    totp      BLOB,                          -- secret of the second factor, sealed to store.pub
    totp_step INTEGER NOT NULL DEFAULT 0,    -- the last code's; none is taken twice
    disabled  INTEGER,
    created   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
    id     BLOB NOT NULL PRIMARY KEY,        -- SHA-256 of what the browser holds
    person TEXT NOT NULL REFERENCES account (person),
    began  INTEGER NOT NULL,
    seen   INTEGER NOT NULL,
    ends   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_person ON session (person);

-- Also of names that nobody has, so that an answer does not tell the two apart.
CREATE TABLE sign_in_failure (
    who BLOB NOT NULL,                       -- hash of the name as it is compared
    at  INTEGER NOT NULL
);
CREATE INDEX sign_in_failure_who ON sign_in_failure (who, at);

CREATE TABLE unmasking (
    n        INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL REFERENCES incident (n),
    person   TEXT NOT NULL,
    actor    TEXT NOT NULL,
    asked    INTEGER NOT NULL,
    until    INTEGER                         -- NULL: waits for a second person
);
CREATE INDEX unmasking_incident ON unmasking (incident, person);

-- What held mail is found by, without the private key and without a word of it: keyed hashes.
CREATE TABLE mark (
    incident INTEGER NOT NULL REFERENCES incident (n),
    kind     TEXT NOT NULL CHECK (kind IN ('sender', 'unit', 'recipient', 'domain', 'attachment')),
    hash     BLOB NOT NULL,
    PRIMARY KEY (incident, kind, hash)
) WITHOUT ROWID;
CREATE INDEX mark_hash ON mark (kind, hash);

-- What the queue is sorted and filtered by. A row says that the marks are there, too.
CREATE TABLE desk (
    incident   INTEGER PRIMARY KEY REFERENCES incident (n),
    confidence INTEGER NOT NULL,             -- 0 nothing found, 1 possible, 2 likely, 3 certain
    places     TEXT NOT NULL,                -- coarse places, blank on both sides of each
    people     INTEGER NOT NULL
);
CREATE INDEX recipient_rule ON recipient (rule);
";
