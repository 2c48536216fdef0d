BEGIN TRANSACTION;
CREATE TABLE attempts (
        line INTEGER NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL, attempt INTEGER NOT NULL,
        started REAL NOT NULL, finished REAL NOT NULL, error TEXT NOT NULL,
        PRIMARY KEY (line, node, visit, attempt)
    ) WITHOUT ROWID;
CREATE TABLE drivers (
        id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, boot TEXT NOT NULL,
        namespace INTEGER NOT NULL, pid INTEGER NOT NULL, start INTEGER NOT NULL, beats INTEGER NOT NULL
    );
CREATE TABLE flows (
        digest TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL, created REAL NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "flows" VALUES('6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46','asks','1','{"flow":"asks","vars":{"n":7},"line":[{"id":"go","signal":"go","set":{"n":"${n + 1}"}}]}',1.79589182151015830041e+09);
CREATE TABLE followers (
        join_id INTEGER NOT NULL, idx INTEGER NOT NULL, missing INTEGER NOT NULL, PRIMARY KEY (join_id, idx)
    ) WITHOUT ROWID;
CREATE TABLE joins (
        id INTEGER PRIMARY KEY, line INTEGER NOT NULL, label TEXT NOT NULL, state TEXT NOT NULL, total INTEGER NOT NULL,
        remaining INTEGER NOT NULL, unopened INTEGER NOT NULL, stop_on_failure INTEGER NOT NULL,
        bound INTEGER NOT NULL, after TEXT, span REAL, queued INTEGER NOT NULL DEFAULT 0, UNIQUE (line, label)
    );
CREATE TABLE large_values (
        run TEXT NOT NULL, sha256 TEXT NOT NULL, store TEXT NOT NULL, written REAL NOT NULL, body BLOB NOT NULL,
        UNIQUE (run, sha256)
    );
CREATE TABLE lines (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, path TEXT NOT NULL, parent INTEGER, join_id INTEGER,
        idx INTEGER NOT NULL, block INTEGER NOT NULL, status TEXT NOT NULL, cursor INTEGER NOT NULL,
        seq INTEGER NOT NULL, epoch INTEGER NOT NULL, owner INTEGER, halt INTEGER NOT NULL, due REAL,
        attempt INTEGER NOT NULL, began REAL, executor TEXT, crashes INTEGER NOT NULL, state TEXT,
        tasks INTEGER NOT NULL, vars TEXT, vars_at INTEGER NOT NULL, flow TEXT, queue TEXT,
        rings INTEGER NOT NULL, rung REAL, result TEXT, error TEXT, finished REAL
    );
INSERT INTO "lines" VALUES(1,1,'',NULL,NULL,0,0,'SUCCESS',0,2,2,NULL,0,NULL,1,1.79589182151290416714e+09,NULL,0,NULL,1,'{"n":8}',1,NULL,NULL,0,NULL,'1',NULL,1.79589182151365971563e+09);
INSERT INTO "lines" VALUES(2,2,'',NULL,NULL,0,0,'SIGNAL',0,1,1,NULL,0,NULL,1,1.79589182151421928408e+09,NULL,0,'["go"]',0,'{"n":7}',0,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "lines" VALUES(3,3,'',NULL,NULL,0,0,'READY',0,0,0,NULL,0,NULL,0,NULL,NULL,0,NULL,0,'{"n":7}',0,NULL,'gpu',1,1795891821.53454,NULL,NULL,NULL);
CREATE TABLE logs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, line INTEGER NOT NULL, node TEXT NOT NULL,
        visit INTEGER NOT NULL, attempt INTEGER NOT NULL, at REAL NOT NULL, level TEXT, text TEXT NOT NULL
    );
CREATE TABLE progress (
        line INTEGER PRIMARY KEY, run INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
        report TEXT NOT NULL
    );
CREATE TABLE rounds (
        run INTEGER NOT NULL, round INTEGER NOT NULL, status TEXT NOT NULL, finished REAL NOT NULL, error TEXT,
        tasks INTEGER NOT NULL, vars TEXT, PRIMARY KEY (run, round)
    ) WITHOUT ROWID;
CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, flow TEXT NOT NULL, version TEXT NOT NULL,
        digest TEXT NOT NULL, status TEXT NOT NULL, wish TEXT, key TEXT, vars TEXT NOT NULL, executor TEXT,
        created REAL NOT NULL, started REAL, deadline REAL, finished REAL, variables TEXT, error TEXT,
        round INTEGER NOT NULL DEFAULT 1, pruned INTEGER NOT NULL DEFAULT 0
    );
INSERT INTO "runs" VALUES(1,'1m8hqwyy4tbrxkewn','asks','1','6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46','SUCCESS',NULL,'done','{"n":7}',NULL,1.79589182151015830041e+09,1.79589182151290416714e+09,NULL,1.79589182151365971563e+09,'{"n":8}',NULL,1,0);
INSERT INTO "runs" VALUES(2,'1m8hqwyy968qfwybz','asks','1','6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46','RUNNING',NULL,'open','{"n":7}',NULL,1.79589182151399683953e+09,1.79589182151421928408e+09,NULL,NULL,NULL,NULL,1,0);
INSERT INTO "runs" VALUES(3,'1m8hqwyyyfqgbw6v1','asks','1','6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46','PENDING',NULL,'queued','{"n":7}','inline',1795891821.53454,NULL,NULL,NULL,NULL,NULL,1,0);
CREATE TABLE schedules (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, flow TEXT NOT NULL, version TEXT NOT NULL,
        digest TEXT NOT NULL, vars TEXT NOT NULL, executor TEXT, trigger TEXT NOT NULL, misfire TEXT NOT NULL,
        overlap TEXT NOT NULL, grace INTEGER NOT NULL, starts INTEGER, ends INTEGER, queue TEXT,
        created REAL NOT NULL, paused INTEGER NOT NULL, due INTEGER
    );
CREATE TABLE signals (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, target TEXT NOT NULL, key TEXT, data TEXT NOT NULL,
        created REAL NOT NULL, line INTEGER
    );
INSERT INTO "signals" VALUES(1,1,'go',NULL,'1',1.79589182151274085047e+09,1);
CREATE TABLE slots (
        schedule TEXT NOT NULL, slot INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, run INTEGER,
        noted REAL NOT NULL, PRIMARY KEY (schedule, slot)
    ) WITHOUT ROWID;
CREATE TABLE store (identity TEXT NOT NULL);
INSERT INTO "store" VALUES('53f1f9c2890db78b7ee04bf8b3c9a158');
CREATE TABLE tasks (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL, status TEXT NOT NULL,
        attempt INTEGER NOT NULL, executor TEXT, started REAL NOT NULL, finished REAL NOT NULL, result TEXT, error TEXT,
        assigned TEXT
    );
INSERT INTO "tasks" VALUES(16777216,1,'go',1,'SUCCESS',1,NULL,1.79589182151290416714e+09,1.79589182151357078555e+09,'1',NULL,'{"n":8}');
CREATE UNIQUE INDEX runs_key ON runs (flow, key) WHERE key IS NOT NULL;
CREATE INDEX runs_open ON runs (deadline) WHERE finished IS NULL;
CREATE INDEX runs_half_pruned ON runs (id) WHERE pruned = 1;
CREATE INDEX lines_run ON lines (run);
CREATE INDEX lines_open ON lines (run) WHERE finished IS NULL;
CREATE INDEX lines_queue ON lines (queue, id) WHERE finished IS NULL AND queue IS NOT NULL;
CREATE INDEX lines_join ON lines (join_id, idx) WHERE join_id IS NOT NULL;
CREATE INDEX followers_ready ON followers (join_id, missing);
CREATE UNIQUE INDEX signals_key ON signals (run, key) WHERE key IS NOT NULL;
CREATE INDEX signals_open ON signals (run) WHERE line IS NULL;
CREATE INDEX logs_run ON logs (run, at);
CREATE INDEX progress_run ON progress (run);
CREATE INDEX schedules_due ON schedules (due) WHERE NOT paused;
CREATE INDEX slots_open ON slots (slot) WHERE state IN ('TAKEN', 'WAITING');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('drivers',1);
INSERT INTO "sqlite_sequence" VALUES('runs',3);
INSERT INTO "sqlite_sequence" VALUES('lines',3);
COMMIT;
PRAGMA user_version=1;
