"""Redshift as a store, by what it takes but COPY: against the stand-in."""
import threading

import psycopg
import pytest


@pytest.fixture
def wh(db, warehouse):
    """Server "warehouse" for a database of the stand-in, to load by INSERT."""
    db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
           f"(host '{warehouse.redshift.host}', port '{warehouse.redshift.port}', "
           f"dbname '{warehouse.dbname}', sslmode 'disable', load_method 'insert')")
    db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS '
           f"(user '{warehouse.user}', password '{warehouse.password}')")
    warehouse.sql('CREATE TABLE t (id int, name varchar(10), at timestamp, amount decimal(12, 2), '
                  'ratio float8, ok bool, doc super)')
    db.sql('CREATE FOREIGN TABLE t (id int, name varchar(10), at timestamp, amount numeric(12, 2), '
           "ratio float8, ok bool, doc jsonb) SERVER warehouse OPTIONS (schema_name 'public')")
    return warehouse


def test_rows_arrive_and_are_read(db, wh):
    rows = [(1, 'it\'s \\ "', '2026-01-01 12:00:00.5', '-1.50', 0.1, True, '{"a": ["\\"\\\\", 1]}'),
            (2, None, None, None, None, None, None),
            (-3, '', '1999-12-31 00:00:00', '0.00', -1e300, False, '[]')]
    for row in rows:
        db.sql('INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s, %s)', *row)
    query = 'SELECT id, name, at::text, amount::text, ratio, ok, doc::text FROM t'
    assert db.sql(query) == rows
    assert wh.sql('SELECT id, name FROM t ORDER BY id') == [(-3, ''), (1, 'it\'s \\ "'), (2, None)]
    assert db.sql("SELECT id FROM t WHERE name = E'it''s \\\\ \"' AND at < '2027-01-01'") == [(1,)]
    assert db.sql('SELECT id FROM t WHERE id IN (2, -3) AND name IS NULL') == [(2,)]


def test_many_rows_and_two_scans(db, wh):
    db.sql("INSERT INTO t SELECT i, 'n' || i FROM generate_series(1, 3000) i")
    assert wh.value('SELECT count(*) FROM t') == 3000
    db.sql('SET enable_hashjoin = off; SET enable_nestloop = off; SET enable_sort = on')
    assert db.value('SELECT count(*) FROM t a JOIN t b ON a.id = b.id') == 3000
    db.sql('INSERT INTO t (id) SELECT id + 10000 FROM t')
    assert wh.value('SELECT count(*) FROM t') == 6000


def test_a_domain_cannot_read_the_store_amid_a_row_of_it(db, wh):
    """The only cursor would have to make way while a row of it is at hand."""
    wh.sql('CREATE TABLE other (n int)')
    wh.sql('INSERT INTO other VALUES (7)')
    db.sql("CREATE FOREIGN TABLE other (n int) SERVER warehouse OPTIONS (schema_name 'public')")
    db.sql("""CREATE FUNCTION found() RETURNS int LANGUAGE plpgsql
        AS $$BEGIN RETURN (SELECT n FROM other); END$$""")
    db.sql('CREATE DOMAIN checked AS int CHECK (found() = 7)')
    db.sql("CREATE FOREIGN TABLE read_checked (id checked) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 't')")
    db.sql('INSERT INTO t (id) VALUES (1), (2)')
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='while a row of its table "t" is read'):
        db.sql('SELECT id FROM read_checked')
    assert db.sql('SELECT id FROM t ORDER BY id') == [(1,), (2,)]


def test_after_triggers_see_rows_and_statements_do_not(db, wh):
    db.sql('CREATE TABLE seen (n int)')
    db.sql("""CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO seen SELECT count(*) FROM t; RETURN NULL; END$$""")
    db.sql('CREATE TRIGGER fire AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION fire()')
    db.sql("INSERT INTO t (id) SELECT i FROM generate_series(1, 2000) i")
    db.sql("""INSERT INTO t (id, name) SELECT id + 10000, repeat('x', 10) FROM t
        UNION ALL SELECT id + 20000, repeat('y', 10) FROM t""")
    assert db.sql('SELECT n FROM seen') == [(2000,), (6000,)]


def test_a_subtransaction_that_fails_fails_all(db, wh):
    with pytest.raises(psycopg.errors.InFailedSqlTransaction) as raised:
        with db.conn.transaction():
            db.sql('INSERT INTO t (id) VALUES (1)')
            with pytest.raises(psycopg.errors.DivisionByZero), db.conn.transaction():
                db.sql('INSERT INTO t (id) VALUES (2)')
                db.sql('SELECT 1 / 0')
    assert 'EXCEPTION' in raised.value.diag.message_hint
    assert wh.value('SELECT count(*) FROM t') == 0
    db.sql('INSERT INTO t (id) VALUES (3)')
    assert wh.value('SELECT count(*) FROM t') == 1


def test_its_default_is_copy_s3(db, wh):
    db.sql('ALTER SERVER warehouse OPTIONS (DROP load_method)')
    with pytest.raises(psycopg.Error, match='cannot be loaded by copy_s3'):
        db.sql('INSERT INTO t (id) VALUES (1)')
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD load_method 'copy_stdin')")
    with pytest.raises(psycopg.Error):
        db.sql('INSERT INTO t (id) VALUES (1)')
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET load_method 'insert')")
    db.sql('INSERT INTO t (id) VALUES (1)')
    assert wh.value('SELECT count(*) FROM t') == 1


@pytest.mark.parametrize('answered', [False, True])
def test_a_lost_answer_to_commit_is_said_to_be_unknown(db, wh, answered):
    db.sql('CREATE TABLE l (id int)')
    db.sql('INSERT INTO t (id) VALUES (1)')
    wh.redshift.cut('commit', answered=answered, first=1)
    with pytest.raises(psycopg.Error, match='while it committed') as raised:
        with db.conn.transaction():
            db.sql('INSERT INTO l VALUES (2)')
            db.sql('INSERT INTO t (id) VALUES (2)')
    assert raised.value.sqlstate == '08007'
    assert db.value('SELECT count(*) FROM l') == 0
    assert wh.value('SELECT count(*) FROM t') == (2 if answered else 1)
    db.sql('INSERT INTO t (id) VALUES (3)')


def test_a_cancel_while_it_commits_says_so(db, wh):
    held = wh.redshift.hold('commit', first=1)
    threading.Thread(target=lambda: (held.wait(), db.conn.cancel()), daemon=True).start()
    with pytest.raises(psycopg.errors.QueryCanceled) as raised:
        db.sql('INSERT INTO t (id) VALUES (1)')
    held.release()
    assert 'whether it did is not known' in raised.value.diag.context


def test_an_error_at_commit_fails_both(db, wh):
    wh.redshift.error('commit', 'XX000', '1023 Serializable isolation violation', first=1)
    with pytest.raises(psycopg.Error, match='1023'):
        db.sql('INSERT INTO t (id) VALUES (1)')
    assert wh.value('SELECT count(*) FROM t') == 0


@pytest.mark.parametrize('op', ['begin', 'insert', 'connect'])
def test_a_broken_connection_is_no_unknown_outcome(db, wh, op):
    wh.redshift.cut(op, first=1)
    with pytest.raises(psycopg.Error) as raised:
        db.sql('INSERT INTO t (id) VALUES (1)')
    assert raised.value.sqlstate in ('08001', '08006')
    db.sql('INSERT INTO t (id) VALUES (2)')
    assert wh.value('SELECT count(*) FROM t') == 1
