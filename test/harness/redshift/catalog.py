"""What a database of the stand-in has that PostgreSQL has not: the type
SUPER, functions, and the system tables that tell of loads.

Schema standin is the stand-in's own; what clients see is in pg_catalog.
"""
import threading

VERSION = ('PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 '
           '(Red Hat 3.4.2-6.fc3), Redshift 1.0.77467')
PADB_VERSION = '1.0.77467'
SUPER_OID = 4000

SETUP = """
SET allow_system_table_mods = on;
CREATE SCHEMA standin;
GRANT USAGE ON SCHEMA standin TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;

-- its text is JSON; no string becomes one but by json_parse()
CREATE TYPE pg_catalog.super;
CREATE FUNCTION pg_catalog.super_in(cstring) RETURNS pg_catalog.super
    LANGUAGE internal IMMUTABLE STRICT AS 'any_in';
CREATE FUNCTION pg_catalog.super_out(pg_catalog.super) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT AS 'json_out';
CREATE TYPE pg_catalog.super (INPUT = super_in, OUTPUT = super_out, LIKE = json);
CREATE CAST (json AS super) WITHOUT FUNCTION;
CREATE CAST (super AS json) WITHOUT FUNCTION;

CREATE FUNCTION standin.has_duplicate_keys(document json) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF json_typeof(document) = 'object' THEN
        RETURN (SELECT count(*) <> count(DISTINCT key)
                       OR bool_or(standin.has_duplicate_keys(value)) FROM json_each(document));
    ELSIF json_typeof(document) = 'array' THEN
        RETURN (SELECT bool_or(standin.has_duplicate_keys(value))
                FROM json_array_elements(document) AS e(value));
    END IF;
    RETURN false;
END $$;
CREATE FUNCTION pg_catalog.json_parse(document text) RETURNS super
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF standin.has_duplicate_keys(document::json) THEN
        RAISE EXCEPTION 'Input JSON has duplicate keys' USING ERRCODE = '22P02';
    END IF;
    RETURN document::json::super;
END $$;
CREATE FUNCTION pg_catalog.json_serialize(super) RETURNS varchar
    LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::json::text';

ALTER FUNCTION pg_catalog.version() RENAME TO postgresql_version;
CREATE FUNCTION pg_catalog.version() RETURNS text
    LANGUAGE sql STABLE AS $$SELECT '{version}'::text$$;
CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp
    LANGUAGE sql STABLE AS $$SELECT (statement_timestamp() AT TIME ZONE 'UTC')::timestamp(0)$$;
CREATE FUNCTION pg_catalog.nvl(anycompatible, anycompatible) RETURNS anycompatible
    LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, $2)';
CREATE FUNCTION pg_catalog.pg_last_copy_id(integer) RETURNS integer
    LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION pg_catalog.pg_last_query_id(integer) RETURNS integer
    LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION pg_catalog.pg_last_copy_count(bigint) RETURNS bigint
    LANGUAGE sql AS 'SELECT $1';

-- one writer at a time; the caller's snapshot is from before the wait
CREATE FUNCTION standin.write_lock(target regclass) RETURNS oid
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', target);
    RETURN target::oid;
END $$;

CREATE FUNCTION standin.refuse(code integer, reason text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'R' || code, MESSAGE = reason;
END $$;
CREATE FUNCTION standin.first_bytes(value text, n integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    cut text := left(value, n);
BEGIN
    WHILE octet_length(cut) > n LOOP
        cut := left(cut, greatest(length(cut) - (octet_length(cut) - n + 3) / 4, 0));
    END LOOP;
    RETURN cut;
END $$;

CREATE TABLE standin.load (
    user_id integer, query_id integer, transaction_id bigint, session_id integer,
    table_id integer, table_name text, data_source text, file_format text, status text,
    start_time timestamp, end_time timestamp, loaded_rows bigint, error_count bigint);
CREATE TABLE standin.load_file (
    user_id integer, query_id integer, file_name text, lines_scanned bigint,
    bytes_scanned bigint, record_time timestamp);
CREATE TABLE standin.load_error (
    user_id integer, query_id integer, session_id integer, transaction_id bigint,
    table_id integer, start_time timestamp, file_name text, line_number bigint,
    column_name text, column_type text, column_length text, position integer,
    raw_line text, raw_field_value text, error_code integer, error_message text,
    fields json);

CREATE FUNCTION standin.visible(user_id integer) RETURNS boolean
    LANGUAGE sql STABLE AS
    'SELECT user_id = oid::integer OR rolsuper FROM pg_roles WHERE rolname = current_user';
CREATE FUNCTION standin.ascii(value text) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$SELECT regexp_replace(value, '[^ -~]', '.', 'g')$$;

CREATE VIEW pg_catalog.stl_load_errors AS
SELECT user_id AS userid, 0 AS slice, table_id AS tbl, start_time AS starttime,
       session_id AS session, query_id AS query, file_name::char(256) AS filename, line_number,
       column_name::char(127) AS colname, column_type::char(10) AS type,
       column_length::char(10) AS col_length, position,
       standin.ascii(raw_line)::char(1024) AS raw_line,
       standin.ascii(raw_field_value)::char(1024) AS raw_field_value,
       error_code AS err_code, error_message::char(100) AS err_reason, 0 AS is_partial,
       0::bigint AS start_offset, (-1)::bigint AS copy_job_id
FROM standin.load_error WHERE standin.visible(user_id);
CREATE VIEW pg_catalog.stl_loaderror_detail AS
SELECT e.user_id AS userid, 0 AS slice, e.session_id AS session, e.query_id AS query,
       e.file_name::char(256) AS filename, e.line_number, f.field::integer AS field,
       (f.value ->> 'name')::char(1024) AS colname,
       standin.ascii(f.value ->> 'value')::char(1024) AS value,
       (f.value ->> 'value' IS NULL)::integer AS is_null,
       (f.value ->> 'type')::char(10) AS type, (f.value ->> 'length')::char(10) AS col_length
FROM standin.load_error e, json_array_elements(e.fields) WITH ORDINALITY AS f(value, field)
WHERE standin.visible(user_id);
CREATE VIEW pg_catalog.sys_load_error_detail AS
SELECT user_id, query_id::bigint, transaction_id, session_id,
       current_database()::char(64) AS database_name, table_id, start_time,
       file_name::char(256), line_number, column_name::char(127), column_type::char(10),
       column_length::char(10), position, error_code, error_message::char(512)
FROM standin.load_error WHERE standin.visible(user_id);
CREATE VIEW pg_catalog.sys_load_history AS
SELECT user_id, query_id::bigint, transaction_id, session_id,
       current_database()::text AS database_name, status, table_name, start_time, end_time,
       data_source, file_format, loaded_rows, error_count
FROM standin.load WHERE standin.visible(user_id);
CREATE VIEW pg_catalog.sys_load_detail AS
SELECT user_id, query_id::bigint, file_name::char(256), bytes_scanned, lines_scanned,
       record_time
FROM standin.load_file WHERE standin.visible(user_id);
CREATE VIEW pg_catalog.stl_load_commits AS
SELECT user_id AS userid, query_id AS query, file_name::char(256) AS filename, lines_scanned,
       record_time AS curtime
FROM standin.load_file WHERE standin.visible(user_id);
CREATE VIEW pg_catalog.stv_db_isolation_level AS
SELECT current_database()::char(128) AS db_name, '{isolation}'::char(20) AS isolation_level;
GRANT SELECT ON ALL TABLES IN SCHEMA standin TO PUBLIC;
"""
VIEWS = ('stl_load_errors', 'stl_loaderror_detail', 'sys_load_error_detail', 'sys_load_history',
         'sys_load_detail', 'stl_load_commits', 'stv_db_isolation_level')
SERVERLESS_LACKS = ('stl_load_errors', 'stl_loaderror_detail', 'stl_load_commits')


class Catalog:
    """The system tables of one database, written outside of any client's
    transaction: what they tell stays when it is rolled back."""

    def __init__(self, cluster, dbname, isolation, serverless):
        self._lock = threading.Lock()
        self._conn = cluster.connect(dbname=dbname)
        self._conn.execute(SETUP.replace('{version}', VERSION).replace(
            '{isolation}', 'Serializable' if isolation == 'serializable'
            else 'Snapshot Isolation'))
        for view in VIEWS:
            if serverless and view in SERVERLESS_LACKS:
                self._conn.execute(f'DROP VIEW pg_catalog.{view}')
            else:
                self._conn.execute(f'GRANT SELECT ON pg_catalog.{view} TO PUBLIC')
        self.super_oid = self._conn.execute("SELECT 'super'::regtype::oid").fetchone()[0]

    def insert(self, table, **values):
        names = ', '.join(values)
        holes = ', '.join(['%s'] * len(values))
        with self._lock:
            self._conn.execute(f'INSERT INTO standin.{table} ({names}) VALUES ({holes})',
                               list(values.values()))

    def close(self):
        self._conn.close()
