"""The stand-in for Redshift: that it behaves, and refuses, as Redshift does."""
import os
import socket
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from harness.redshift import ROLE, Warehouse, wire
from harness.redshift.session import md5_password
from harness.wait import wait_until


def sqlstate(execute, *args):
    with pytest.raises(psycopg.Error) as raised:
        execute(*args)
    return raised.value.sqlstate


def extended(conn, sql, *params):
    """Run it through Parse, Bind and Execute; its rows, as text."""
    result = conn.pgconn.exec_params(sql.encode(), [str(p).encode() for p in params] or None)
    code = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
    if code:
        raise psycopg.errors.lookup(code.decode())(result.error_message.decode())
    return [tuple(result.get_value(row, column).decode() for column in range(result.nfields))
            for row in range(result.ntuples)]


@pytest.fixture
def psql(warehouse):
    def run(*commands, env=(), **conninfo):
        values = {'host': warehouse.redshift.host, 'port': warehouse.redshift.port,
                  'dbname': warehouse.dbname, 'user': warehouse.user,
                  'password': warehouse.password, **conninfo}
        program = warehouse.redshift.cluster.bindir / 'psql'
        return subprocess.run(
            [program, '-XAtq', ' '.join(f'{name}={value}' for name, value in values.items()),
             *(word for command in commands for word in ('-c', command))],
            env={**os.environ, **dict(env)}, capture_output=True, text=True)
    return run


def raw_startup(redshift, password, **parameters):
    """The fields of the error that a startup with these parameters ends with."""
    with socket.create_connection((redshift.host, redshift.port)) as sock:
        connection = wire.Connection(sock)
        body = b''.join(f'{name}\0{value}\0'.encode() for name, value in parameters.items())
        connection.send(struct.pack('>II', len(body) + 9, 3 << 16) + body + b'\0')
        kind, body = connection.receive()
        if kind == b'R':
            answer = md5_password(parameters['user'], password, body[4:])
            connection.send(wire.message(b'p', answer.encode() + b'\0'))
            kind, body = connection.receive()
        return wire.read_fields(body) if kind == b'E' else None


# startup

def test_it_says_that_it_is_redshift(warehouse, psql):
    info = warehouse.conn.info
    assert info.server_version == 80002
    assert info.parameter_status('padb_version').startswith('1.0.')
    assert info.parameter_status('standard_conforming_strings') is None
    assert warehouse.value('SELECT version()').startswith('PostgreSQL 8.0.2 on ')
    assert ' Redshift 1.0.' in warehouse.value('SELECT version()')
    assert warehouse.value('SHOW server_version') == '8.0.2'
    done = psql('SELECT 1 + 1')
    assert (done.stdout, done.returncode) == ('2\n', 0)


@pytest.mark.parametrize('parameter, code', [
    ({}, None), ({'application_name': 'x'}, None), ({'extra_float_digits': '2'}, None),
    ({'extra_float_digits': '3'}, '22023'), ({'geqo': 'off'}, '42704'),
    ({'options': '-c geqo=off'}, '42704'), ({'IntervalStyle': 'iso_8601'}, '42704'),
    ({'standard_conforming_strings': 'on'}, '42704'), ({'replication': 'database'}, '42704'),
    ({'client_protocol_version': '2'}, '42704')])
def test_startup_parameters(warehouse, parameter, code):
    fields = raw_startup(warehouse.redshift, warehouse.password, user=warehouse.user,
                         database=warehouse.dbname, **parameter)
    assert (fields or {}).get('C') == code
    assert code is None or fields['S'] == 'FATAL'


def test_psql_with_an_unknown_startup_parameter(psql):
    done = psql('SELECT 1', env={'PGOPTIONS': '-c work_mem=1MB'})
    assert done.returncode == 2
    assert 'unrecognized configuration parameter "options"' in done.stderr


@pytest.mark.parametrize('user, password, database, code', [
    (None, 'wrong', None, '28000'), ('nobody', 'wrong', None, '28000'),
    (None, None, 'postgres', '3D000'), (None, None, 'none', '3D000')])
def test_who_may_not_come_in(warehouse, user, password, database, code):
    fields = raw_startup(warehouse.redshift, password or warehouse.password,
                         user=user or warehouse.user, database=database or warehouse.dbname)
    assert fields['C'] == code
    if code == '28000':
        assert fields['M'].startswith('password authentication failed for user "')


def test_tls(new_redshift, new_warehouse, certificate, warehouse):
    secured = new_warehouse(new_redshift(certificate=certificate))
    with secured.connect(sslmode='verify-full', sslrootcert=str(certificate.ca)) as conn:
        assert conn.pgconn.ssl_in_use
        assert conn.execute('SELECT 1').fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match='does not support SSL'):
        warehouse.connect(sslmode='require')


# what is refused, over both protocols

REFUSED = [
    ('COPY t FROM STDIN', '0A000'), ('COPY t TO STDOUT', '42601'),
    ("COPY t FROM '/tmp/file' CSV", '0A000'),
    ("UNLOAD ('SELECT 1') TO 's3://b/k'", '42601'),
    ('INSERT INTO t (id) VALUES (1) RETURNING id', '42601'),
    ('INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING', '42601'),
    ('INSERT INTO t (id) VALUES (1), ((SELECT 2))', '0A000'),
    ('UPDATE t SET (id, name) = (1, name)', '42601'),
    ('SELECT ARRAY[1]', '0A000'), ("SELECT '{1}'::int[]", '0A000'),
    ('SELECT id[1] FROM t', '42601'),
    ('SELECT 1 = ANY (SELECT 1)', '42601'), ('SELECT (1, 2) = (1, 2)', '0A000'),
    ('SELECT ROW(1, 2)', '42883'), ('SELECT DISTINCT ON (id) id FROM t', '42601'),
    ('SELECT * FROM t FOR UPDATE', '42601'), ('SELECT * FROM LATERAL (SELECT 1) x', '0A000'),
    ('CREATE INDEX i ON t (id)', '0A000'), ('CREATE UNIQUE INDEX i ON t (id)', '0A000'),
    ('CREATE SEQUENCE s', '0A000'), ('CREATE TYPE e AS ENUM ()', '0A000'),
    ('CREATE TRIGGER x', '0A000'), ('CREATE EXTENSION hstore', '0A000'),
    ('CREATE TABLE u (id serial)', '42704'), ('CREATE TABLE u (x uuid)', '42704'),
    ('CREATE TABLE u (x json)', '42704'), ('CREATE TABLE u (x jsonb)', '42704'),
    ('CREATE TABLE u (x bytea)', '42704'), ('CREATE TABLE u (x int[])', '0A000'),
    ('CREATE TABLE u (x int CHECK (x > 0))', '42601'),
    ('CREATE TABLE u (x varchar(65536))', '22023'),
    ('CREATE TABLE u (x int) PARTITION BY RANGE (x)', '42601'),
    ('CREATE TEMP TABLE u (x int) ON COMMIT DROP', '42601'),
    ('SELECT generate_series(1, 3)', '42883'), ('SELECT * FROM generate_series(1, 3)', '0A000'),
    ('SELECT pg_advisory_lock(1)', '42883'), ('SELECT gen_random_uuid()', '42883'),
    ("SELECT to_json('a')", '42883'), ("SELECT '{}'::super -> 'a'", '42883'),
    ('SAVEPOINT s', '42601'), ('ROLLBACK TO SAVEPOINT s', '42601'), ('LISTEN x', '42601'),
    ('DO $$BEGIN END$$', '42601'), ("SELECT E'a'", '42601'), ("SELECT U&'a'", '42883'),
    ("SET standard_conforming_strings = on", '42704'), ('SET work_mem = 1', '42704'),
    ('SET extra_float_digits = 3', '22023'), ('LOCK TABLE t IN SHARE MODE', '42601'),
    ('MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE', '42601'),
    ('PREPARE TRANSACTION \'x\'', '42601'), ('COMMIT AND CHAIN', '42601'),
    ('nonsense', '42601'), ('SELECT', '42601'), ('SELECT 1 1', '42601'), ('SELECT "', '42601'),
]


@pytest.fixture(scope='module')
def with_table(redshift):
    database = Warehouse(redshift)
    database.sql('CREATE TABLE t (id int, name varchar(10))')
    yield database
    database.drop()


@pytest.mark.parametrize('sql, code', REFUSED)
def test_refused(with_table, sql, code):
    with_table.redshift.clear()
    assert sqlstate(with_table.sql, sql) == code
    assert sqlstate(extended, with_table.conn, sql) == code
    assert len(with_table.redshift.operations('refused')) == 2
    assert with_table.value('SELECT count(*) FROM t') == 0


def test_what_cannot_be_prepared(warehouse):
    for sql in ('CREATE TABLE u (id int)', 'TRUNCATE t', 'LOCK t', 'VACUUM',
                f"COPY t FROM 's3://b/k' IAM_ROLE '{ROLE}' JSON 'auto'"):
        assert sqlstate(extended, warehouse.conn, sql) == '0A000'


def test_a_refused_statement_fails_its_transaction(warehouse):
    warehouse.sql('CREATE TABLE t (id int)')
    for run in (warehouse.conn.execute, lambda sql: extended(warehouse.conn, sql)):
        warehouse.sql('BEGIN')
        warehouse.sql('INSERT INTO t VALUES (1)')
        assert sqlstate(run, 'INSERT INTO t VALUES (1) RETURNING id') == '42601'
        assert sqlstate(run, 'INSERT INTO t VALUES (2)') == '25P02'
        warehouse.sql('COMMIT')
    assert warehouse.value('SELECT count(*) FROM t') == 0


def test_a_statement_of_more_than_16_mb(warehouse):
    warehouse.sql('CREATE TABLE t (name varchar(max))')
    rows = ', '.join(["('%s')" % ('x' * 60000)] * 300)
    assert sqlstate(warehouse.sql, f'INSERT INTO t VALUES {rows}') == '54000'
    assert sqlstate(extended, warehouse.conn, f'INSERT INTO t VALUES {rows}') == '54000'


# what is taken

def test_statements_and_parameters(warehouse, psql):
    warehouse.sql('CREATE TABLE t (id int, name varchar(10))')
    warehouse.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL), (-3, 'c')")
    assert extended(warehouse.conn, 'INSERT INTO t (id, name) VALUES ($1, $2)', 4, 'd') == []
    assert extended(warehouse.conn, 'SELECT name FROM t WHERE id = $1::int', 4) == [('d',)]
    assert warehouse.sql('SELECT name FROM t WHERE id = %s', 1) == [('a',)]
    cursor = warehouse.conn.cursor()
    for n in range(3):
        cursor.execute('SELECT id FROM t WHERE id > %s ORDER BY 1 LIMIT 2', (n,), prepare=True)
    assert cursor.fetchall() == [(4,)]
    assert warehouse.sql('WITH x AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM t) '
                         'SELECT n, CASE WHEN id IN (1, 2) THEN \'low\' ELSE \'high\' END '
                         'FROM x WHERE n BETWEEN 2 AND 3 ORDER BY n') == [(2, 'low'), (3, 'low')]
    warehouse.sql("UPDATE t SET name = 'x' FROM (SELECT 1 AS one) s WHERE t.id = s.one")
    warehouse.sql('DELETE FROM t USING (SELECT 2 AS two) s WHERE t.id = s.two')
    assert psql("INSERT INTO t VALUES (5, 'e'); INSERT INTO t VALUES (6, 'f')",
                'SELECT count(*) FROM t').stdout == '5\n'
    warehouse.sql("BEGIN; INSERT INTO t VALUES (7, 'g'); ROLLBACK")
    assert warehouse.value('SELECT count(*) FROM t') == 5


def test_many_rows_of_literals(warehouse):
    warehouse.sql('CREATE TABLE t (id int, name varchar(20))')
    rows = ', '.join(f"({n}, 'it''s \\\\ {n}')" for n in range(100000))
    warehouse.sql(f'INSERT INTO t (id, name) VALUES {rows}')
    assert warehouse.sql('SELECT count(*), sum(id), max(name) FROM t') == [
        (100000, 4999950000, "it's \\ 99999")]
    assert sqlstate(warehouse.sql, "INSERT INTO t (id) VALUES (1), (2) RETURNING id") == '42601'


def test_several_statements_are_one_transaction(warehouse):
    warehouse.sql('CREATE TABLE t (id int)')
    assert sqlstate(warehouse.sql, 'INSERT INTO t VALUES (1); INSERT INTO none VALUES (1)') \
        == '42P01'
    assert warehouse.value('SELECT count(*) FROM t') == 0


def test_settings(warehouse):
    assert warehouse.value('SHOW query_group') == 'default'
    warehouse.sql("SET query_group TO 'loads'")
    assert warehouse.value('SHOW query_group') == 'loads'
    warehouse.sql('RESET query_group; SET statement_timeout = 60000; SET timezone TO UTC')
    assert warehouse.value('SHOW query_group') == 'default'
    assert warehouse.value('SHOW statement_timeout') == '1min'


def test_cursors(warehouse):
    warehouse.sql('CREATE TABLE t (id int)')
    warehouse.sql('INSERT INTO t VALUES (1), (2), (3)')
    warehouse.sql('BEGIN')
    warehouse.sql('DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id')
    assert warehouse.sql('FETCH FORWARD 2 FROM c') == [(1,), (2,)]
    assert warehouse.sql('FETCH 2 FROM c') == [(3,)]
    warehouse.sql('CLOSE c')
    warehouse.sql('COMMIT')


def test_table_attributes_are_taken_and_keys_not_enforced(warehouse):
    warehouse.sql('''CREATE TABLE IF NOT EXISTS public.t (
        id bigint IDENTITY(10, 5) ENCODE az64, k int DISTKEY SORTKEY UNIQUE DEFAULT 1 + 1,
        ref int REFERENCES t (id), name varchar(20) ENCODE zstd NOT NULL,
        amount decimal(10, 2), plain numeric, at timestamp without time zone,
        PRIMARY KEY (id, k), FOREIGN KEY (ref) REFERENCES t (id))
        BACKUP NO DISTSTYLE KEY COMPOUND SORTKEY (k, name)''')
    warehouse.sql("INSERT INTO t (k, name) VALUES (1, 'a'), (1, 'b'), (DEFAULT, 'c')")
    assert warehouse.sql('SELECT id, k FROM t ORDER BY id') == [(10, 1), (15, 1), (20, 2)]
    assert sqlstate(warehouse.sql, "INSERT INTO t (k, name) VALUES (NULL, 'a')") == '23502'
    assert sqlstate(warehouse.sql, 'INSERT INTO t (k) VALUES (1)') == '23502'
    warehouse.sql("INSERT INTO t (name, plain) VALUES ('d', 1.7)")
    assert warehouse.value('SELECT plain FROM t WHERE plain IS NOT NULL') == 2
    warehouse.sql('ALTER TABLE t ADD COLUMN extra varchar(3) ENCODE lzo')
    assert sqlstate(warehouse.sql, "UPDATE t SET extra = 'äb€'") == '22001'
    warehouse.sql('DROP TABLE IF EXISTS t, none')


@pytest.mark.parametrize('declared, fits, message', [
    ('varchar(4)', 'aä.', 'value too long for type character varying(4)'),
    ('text', 'x' * 256, 'value too long for type character varying(256)'),
    ('varchar', 'x' * 256, 'value too long for type character varying(256)'),
    ('varchar(max)', 'ä' * 32767, 'value too long for type character varying(65535)')],
    ids=['varchar(4)', 'text', 'varchar', 'varchar(max)'])
def test_lengths_are_bytes(warehouse, declared, fits, message):
    warehouse.sql(f'CREATE TABLE t (name {declared})')
    warehouse.sql('CREATE TEMP TABLE stage (LIKE t)')
    for table in ('t', 'stage'):
        warehouse.sql(f'INSERT INTO {table} VALUES (%s)', fits)
        with pytest.raises(psycopg.errors.StringDataRightTruncation) as raised:
            warehouse.sql(f'INSERT INTO {table} VALUES (%s)', fits + 'ä')
        assert raised.value.diag.message_primary == message
        assert raised.value.diag.constraint_name is None


def test_a_backslash_escapes(warehouse):
    assert warehouse.value(r"SELECT 'a\\b''c\'d'") == "a\\b'c'd"
    assert warehouse.value('SELECT %s::varchar', 'a\\b') == 'a\\b'
    assert warehouse.value('SELECT "one" FROM (SELECT 1 AS "ONE") x') == 1


def test_super(warehouse):
    warehouse.sql('CREATE TABLE t (s super)')
    warehouse.sql('''INSERT INTO t SELECT JSON_PARSE('{"a":[1,{"b":null}]}')''')
    cursor = warehouse.conn.execute('SELECT s FROM t')
    assert cursor.description[0].type_code == 4000
    assert cursor.fetchall() == [('{"a":[1,{"b":null}]}',)]
    assert warehouse.value('SELECT JSON_SERIALIZE(s) FROM t') == '{"a":[1,{"b":null}]}'
    assert sqlstate(warehouse.sql, '''SELECT JSON_PARSE('[{"a":1,"a":2}]')''') == '22P02'
    assert sqlstate(warehouse.sql, "SELECT JSON_PARSE('{')") == '22P02'
    assert sqlstate(warehouse.sql, "INSERT INTO t VALUES ('{}')") == '0A000'


# transactions

def test_truncate_commits(warehouse):
    warehouse.sql('CREATE TABLE t (id int)')
    warehouse.sql('CREATE TABLE u (id int)')
    warehouse.sql('BEGIN')
    warehouse.sql('INSERT INTO t VALUES (1)')
    warehouse.sql('TRUNCATE u')
    assert warehouse.conn.info.transaction_status.name == 'IDLE'
    assert warehouse.value('SELECT count(*) FROM t') == 1


def in_background(work):
    """Start work in a thread; call what is returned for its result or error."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


def wait_for_lock(warehouse):
    """Wait until a statement waits for a lock."""
    with warehouse.redshift.cluster.connect(dbname=warehouse.dbname) as conn:
        wait_until(lambda: conn.execute('SELECT FROM pg_locks WHERE NOT granted').fetchall(),
                   what='a wait for a lock')


def is_conflict(error):
    assert error.sqlstate == 'XX000'
    assert error.diag.message_primary == '1023'
    assert error.diag.message_detail.startswith('Serializable isolation violation on table - ')
    return True


@pytest.mark.parametrize('wired', [lambda conn, sql: conn.execute(sql), extended],
                         ids=['simple', 'extended'])
def test_writers_of_a_table_wait_for_each_other(warehouse, wired):
    warehouse.sql('CREATE TABLE t (id int)')
    with warehouse.connect() as other:
        for conn in (warehouse.conn, other):
            conn.execute('BEGIN')
        wired(warehouse.conn, 'INSERT INTO t VALUES (1)')
        assert other.execute('SELECT count(*) FROM t').fetchone() == (0,)
        second = in_background(lambda: wired(other, 'INSERT INTO t VALUES (2)'))
        wait_for_lock(warehouse)
        warehouse.sql('COMMIT')
        second.result(30)
        other.execute('COMMIT')
    assert warehouse.value('SELECT count(*) FROM t') == 2


def test_two_who_change_the_same_row(warehouse):
    warehouse.sql('CREATE TABLE t (id int)')
    warehouse.sql('INSERT INTO t VALUES (0)')
    with warehouse.connect() as other:
        for conn in (warehouse.conn, other):
            conn.execute('BEGIN')
        warehouse.sql('UPDATE t SET id = 1 WHERE id = 0')
        second = in_background(lambda: other.execute('UPDATE t SET id = 2 WHERE id = 0'))
        wait_for_lock(warehouse)
        warehouse.sql('COMMIT')
        assert is_conflict(second.exception(30))
        other.execute('ROLLBACK')


def read_and_write(warehouse, lock=None):
    """Two transactions that read a table before they write it; the error that
    the second ends with."""
    first = warehouse.conn
    with warehouse.connect() as second:
        first.execute('BEGIN')
        second.execute('BEGIN')
        if lock is None:
            for conn in (first, second):
                conn.execute('SELECT count(*) FROM t')
        else:
            first.execute(lock)

        def work():
            if lock is not None:
                second.execute(lock)
                second.execute('SELECT count(*) FROM t')
            second.execute('INSERT INTO t VALUES (2)')
            second.execute('COMMIT')
        first.execute('INSERT INTO t VALUES (1)')
        done = in_background(work)
        wait_for_lock(warehouse)
        first.execute('COMMIT')
        error = done.exception(30)
        second.execute('ROLLBACK')
    return error


def test_who_reads_and_then_writes_conflicts_if_serializable(new_redshift, new_warehouse,
                                                             warehouse):
    strict = new_warehouse(new_redshift(isolation='serializable'))
    for each, level in ((warehouse, 'Snapshot Isolation'), (strict, 'Serializable')):
        assert each.value('SELECT trim(isolation_level) FROM stv_db_isolation_level') == level
        each.sql('CREATE TABLE t (id int)')
    assert read_and_write(warehouse) is None
    assert is_conflict(read_and_write(strict))
    assert read_and_write(strict, 'LOCK t') is None
    assert strict.value('SELECT count(*) FROM t') == 3
