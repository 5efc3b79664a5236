"""SQL of the response store, for SQLite and PostgreSQL alike, with `?` for parameters."""

STORE_FORMAT = 2
"""Version of `TABLES`, in SQLite's `user_version`."""

TABLES = """
CREATE TABLE responses (
  key TEXT PRIMARY KEY, text TEXT NOT NULL, refused INTEGER NOT NULL, finish_reason TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, model_version TEXT NOT NULL, scores TEXT NOT NULL);
CREATE TABLE calls (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL, issued_at REAL NOT NULL,
  outcome TEXT, detail TEXT, attempts INTEGER, input_tokens INTEGER, output_tokens INTEGER, usd REAL,
  bytes_sent INTEGER, bytes_received INTEGER, cached_tokens INTEGER);
CREATE TABLE texts (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE hits (role TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE servers (model TEXT, address TEXT, structured_output TEXT NOT NULL, PRIMARY KEY (model, address));
"""
LATER_COLUMNS = {"calls": ("cached_tokens",)}
"""Columns of integers, by table, that files of this format may lack: a newer version of blpo has added the columns."""
# calls.outcome: 'ok' or 'failed'; null while in flight, and for ever if the process was killed in flight.

ANSWER = """
SELECT text, refused, finish_reason, input_tokens, output_tokens, model_version, scores FROM responses WHERE key = ?
"""
BEGIN_CALL = "INSERT INTO calls (key, role, model, issued_at) VALUES (?, ?, ?, ?) RETURNING id"
KEEP_ANSWER = """
INSERT INTO responses SELECT key, ?, ?, ?, ?, ?, ?, ? FROM calls WHERE id = ? ON CONFLICT (key) DO NOTHING
"""
FINISH_CALL = """
UPDATE calls SET outcome = 'ok', attempts = ?, bytes_sent = ?, bytes_received = ?, input_tokens = ?, output_tokens = ?,
                 cached_tokens = ?, usd = ? WHERE id = ?
"""
FAIL_CALL = """
UPDATE calls SET outcome = 'failed', attempts = ?, bytes_sent = ?, bytes_received = ?, detail = ? WHERE id = ?
"""
LAST_FAILURE = "SELECT detail FROM calls WHERE key = ? AND outcome = 'failed' ORDER BY id DESC LIMIT 1"
UNANSWERED = """
SELECT key, issued_at FROM calls
WHERE outcome = 'failed' AND key NOT IN (SELECT key FROM calls WHERE outcome = 'ok')
"""
FINISHED = """
SELECT role, finish_reason, count(*) FROM responses JOIN (SELECT DISTINCT key, role FROM calls) AS own USING (key)
GROUP BY role, finish_reason
"""
ADD_HITS = "UPDATE hits SET count = count + ? WHERE role = ?"
FIRST_HITS = "INSERT INTO hits (count, role) VALUES (?, ?)"
HITS = "SELECT * FROM hits"
ISSUED_TWICE = "SELECT count(*) FROM (SELECT 1 FROM calls GROUP BY key HAVING count(*) > 1) AS twice"
PUT_TEXT = "INSERT INTO texts VALUES (?, ?) ON CONFLICT DO NOTHING"
TEXT = "SELECT text FROM texts WHERE sha256 = ?"
SERVERS = "SELECT * FROM servers"
DELETE_SERVER = "DELETE FROM servers WHERE model = ? AND address = ?"
PUT_SERVER = "INSERT INTO servers VALUES (?, ?, ?)"
# Counts that can't be true are in old stores: a negative count would give budget back, a sum of huge counts would fail.
USAGE = """
SELECT role, count(*), count(*) FILTER (WHERE outcome = 'ok'), count(*) FILTER (WHERE outcome = 'failed'),
       sum(CASE WHEN input_tokens BETWEEN 0 AND 100000000 THEN input_tokens END),
       sum(CASE WHEN output_tokens BETWEEN 0 AND 100000000 THEN output_tokens END),
       sum(CASE WHEN usd >= 0 THEN usd END), count(*) FILTER (WHERE outcome = 'ok' AND usd IS NULL),
       sum(bytes_sent), sum(bytes_received), sum(cached_tokens)
FROM calls GROUP BY role
"""
