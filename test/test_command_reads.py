"""A command that never reads its source would do all that it does again with
every batch; one that ends its transaction would end the batch's."""
import psycopg
import pytest

BOUNDS = 'SELECT $1 + $2'      # a command over a table has to use them

OBJECTS = """
    CREATE TABLE target (id int, name text);
    CREATE TABLE all_events (id int, name text);
    ALTER FOREIGN TABLE src INHERIT all_events;
    CREATE VIEW seen AS SELECT id FROM src WHERE id > 0;
    CREATE VIEW seen_again AS SELECT * FROM seen;
    CREATE VIEW passed_on AS SELECT * FROM target;
    CREATE RULE pass AS ON INSERT TO passed_on DO INSTEAD INSERT INTO target SELECT * FROM src;
    CREATE MATERIALIZED VIEW latest AS SELECT 1 AS id;
    CREATE FUNCTION plain(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE FUNCTION look() RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM src';
    CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
    CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
    CREATE OPERATOR === (FUNCTION = same, LEFTARG = int, RIGHTARG = int);
    CREATE PROCEDURE work() LANGUAGE sql AS 'INSERT INTO target SELECT * FROM src';
    CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO target SELECT * FROM src; RETURN new; END$$;
    CREATE TABLE ticks (at timestamptz);
    CREATE TRIGGER fire AFTER INSERT ON ticks EXECUTE FUNCTION fire();
    CREATE TABLE parts (n int) PARTITION BY LIST (n);
    CREATE TABLE part PARTITION OF parts DEFAULT;
    CREATE TRIGGER fire AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION fire();
    CREATE TABLE referring (id int REFERENCES keys);
    CREATE TABLE keyed (id bigint PRIMARY KEY, n int) PARTITION BY RANGE (id);
    CREATE TABLE keyed_1 PARTITION OF keyed DEFAULT;
    CREATE TABLE landed (id bigint PRIMARY KEY, n int)
"""

READS = [
    'INSERT INTO target SELECT * FROM src',
    'SELECT count(*) FROM src',
    'INSERT INTO target SELECT s.id, o.name FROM src s JOIN other o USING (id)',
    'INSERT INTO target (id) SELECT id FROM seen_again',
    'INSERT INTO target SELECT * FROM all_events',
    'WITH w AS (SELECT * FROM src) INSERT INTO target SELECT * FROM w',
    'WITH w AS (INSERT INTO target SELECT * FROM src RETURNING id) SELECT count(*) FROM w',
    'INSERT INTO target (id) SELECT 1 UNION ALL SELECT id FROM src',
    'UPDATE target SET name = (SELECT max(name) FROM src)',
    'DELETE FROM target WHERE EXISTS (SELECT FROM src WHERE src.id = target.id)',
    'DELETE FROM target USING src WHERE src.id = target.id',
    'MERGE INTO target t USING src s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name',
    'SELECT 1; INSERT INTO target SELECT * FROM src;',
    'INSERT INTO target VALUES (1) RETURNING (SELECT count(*) FROM src)',
    'INSERT INTO passed_on VALUES (1)',
    'CREATE TEMP TABLE batch ON COMMIT DROP AS SELECT * FROM seen',
    "EXPLAIN ANALYZE INSERT INTO target SELECT * FROM src",
    # code may read anything
    'INSERT INTO target (id) SELECT look()', 'INSERT INTO target (id) SELECT * FROM look()',
    'SELECT one()', 'SELECT 1 === 1', 'CALL work()', 'DO $$BEGIN PERFORM * FROM src; END$$',
    "SELECT query_to_xml('SELECT * FROM src', true, true, '')",
    'INSERT INTO ticks VALUES (now())', 'INSERT INTO parts VALUES (1)',
    'REFRESH MATERIALIZED VIEW latest',
]

DOES_NOT = [
    'SELECT 1', "SELECT pg_notify('a', now()::text)", 'NOTIFY a',
    'INSERT INTO target (id) VALUES (1)',
    'INSERT INTO target SELECT * FROM other',
    'INSERT INTO target SELECT * FROM ONLY all_events',
    'INSERT INTO target (id) SELECT plain(id) FROM other',
    'INSERT INTO target (id) SELECT id FROM latest',
    'INSERT INTO keys VALUES (1) ON CONFLICT (id) DO UPDATE SET id = excluded.id + 1',
    'INSERT INTO referring VALUES (1)',
    'INSERT INTO src (id, name) SELECT id, name FROM other',
    'UPDATE target SET name = upper(name)',
    'CREATE TEMP TABLE batch ON COMMIT DROP AS SELECT * FROM other',
    'SELECT 1; SELECT 2',
    'TRUNCATE target',
]

ENDS_A_TRANSACTION = [
    'COMMIT', 'INSERT INTO target SELECT * FROM src; COMMIT', 'ROLLBACK', 'BEGIN',
    'SAVEPOINT a; INSERT INTO target SELECT * FROM src', 'RELEASE a',
    'COPY target FROM STDIN', 'SELECT 1 FROM src; COPY target TO STDOUT',
]


@pytest.fixture
def commands(db, sql_server):
    """No service is asked for what is asked here."""
    sql_server(db, 'http://127.0.0.1:1')
    for name in 'src', 'other':
        db.foreign_table(name, 'id int, name text', name)
    db.sql('CREATE TABLE keys (id int PRIMARY KEY)')
    db.sql(OBJECTS)
    return db


def create(db, source, command):
    with db.conn.transaction(force_rollback=True):
        db.pipeline('p', source, command=command, enabled=False)


def refused(db, source, command, sqlstate):
    with pytest.raises(psycopg.Error) as raised:
        create(db, source, command)
    assert raised.value.sqlstate == sqlstate, command
    return raised.value


def test_what_reads_its_source_is_taken(commands):
    for command in READS:
        create(commands, 'src', command)


def test_what_does_not_is_refused(commands):
    for command in DOES_NOT:
        error = refused(commands, 'src', command, '42P17')
        assert str(error).startswith('the command of pipeline "p" does not read its source, "src"')
        assert 'SELECT ... FROM src' in error.diag.message_hint
    commands.pipeline('p', 'src', target='target', enabled=False)
    with pytest.raises(psycopg.errors.InvalidObjectDefinition):
        commands.sql("SELECT tracking.alter_pipeline('p', command => 'SELECT 1')")
    assert commands.value('SELECT command FROM tracking.pipeline') is None


def test_a_table_is_read_by_what_changes_it(commands):
    for source, taken in (
            ('landed', ['DELETE FROM landed', 'UPDATE landed SET n = 0',
                        'MERGE INTO landed l USING target t ON l.id = t.id WHEN MATCHED THEN DELETE',
                        'WITH gone AS (DELETE FROM landed RETURNING n) '
                        'INSERT INTO target (id) SELECT n FROM gone']),
            ('keyed', ['INSERT INTO target (id) SELECT n FROM keyed_1']),
            ('keyed_1', ['INSERT INTO target (id) SELECT n FROM keyed'])):
        for command in taken:
            create(commands, source, f'{command}; {BOUNDS}')
    for command in ('INSERT INTO landed SELECT id FROM target', 'INSERT INTO landed VALUES (1)',
                    'INSERT INTO landed VALUES (1) ON CONFLICT (id) DO UPDATE SET n = excluded.n',
                    'DELETE FROM target'):
        refused(commands, 'landed', f'{command}; {BOUNDS}', '42P17')


def test_what_ends_a_transaction_is_refused(commands):
    for command in ENDS_A_TRANSACTION:
        error = refused(commands, 'src', command, '0A000')
        assert 'cannot begin or end transactions' in error.diag.message_hint


def test_a_view_that_no_longer_reads_the_source(db, source, kinesalite, put):
    """A worker that begins says so and applies nothing."""
    stream = source()
    put(kinesalite.client(), stream, [{'id': 1}])
    db.sql('CREATE VIEW seen AS SELECT id FROM src')
    db.pipeline('p', 'src', command='INSERT INTO target (id) SELECT id FROM seen', enabled=False)
    db.sql('CREATE OR REPLACE VIEW seen AS SELECT 7 AS id')
    with pytest.raises(psycopg.errors.InvalidObjectDefinition, match='does not read its source'):
        db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT count(*) FROM target') == 0
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
