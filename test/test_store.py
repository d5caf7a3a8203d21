"""A store: rows inserted here are there, in a transaction of its own."""
import threading

import psycopg
import pytest

METHODS = ['copy_stdin', 'insert']


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture
def wh(db, store, method):
    """Foreign table wh over table landed of the store, and local table l."""
    store.server(db, load_method=method)
    store.table('landed', 'id int PRIMARY KEY, name text')
    db.sql("CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    db.sql('CREATE TABLE l (id int)')
    return store


def count(store):
    return store.value('SELECT count(*) FROM landed')


def test_rows_arrive(db, wh):
    db.sql("INSERT INTO wh SELECT i, 'name ' || i FROM generate_series(1, 5000) i")
    assert wh.sql('SELECT count(*), sum(id), min(name) FROM landed') == [(5000, 12502500, 'name 1')]


def test_statement_reports_its_rows(db, wh):
    assert db.conn.execute('INSERT INTO wh VALUES (1), (2)').rowcount == 2


def test_copy_into_the_foreign_table(db, wh):
    with db.conn.cursor() as cursor, cursor.copy('COPY wh (name, id) FROM STDIN') as copy:
        for i in range(3000):
            copy.write_row((f'line\n{i}', i))
    assert wh.value(r"SELECT count(*) FROM landed WHERE name = E'line\n' || id") == 3000


def test_commit_and_rollback_are_one(db, wh):
    with pytest.raises(psycopg.Error, match='division by zero'):
        with db.conn.transaction():
            db.sql('INSERT INTO l VALUES (1)')
            db.sql('INSERT INTO wh VALUES (1)')
            db.sql('SELECT 1 / 0')
    assert (count(wh), db.value('SELECT count(*) FROM l')) == (0, 0)
    with db.conn.transaction():
        db.sql('INSERT INTO l VALUES (1)')
        db.sql('INSERT INTO wh VALUES (1)')
        assert count(wh) == 0
        assert db.value('SELECT count(*) FROM wh') == 1
    assert (count(wh), db.value('SELECT count(*) FROM l')) == (1, 1)


def test_savepoints(db, wh):
    with db.conn.transaction():
        db.sql('INSERT INTO wh VALUES (1)')
        with pytest.raises(psycopg.errors.DivisionByZero), db.conn.transaction():
            db.sql('INSERT INTO wh VALUES (2)')
            with db.conn.transaction():
                db.sql('INSERT INTO wh VALUES (3)')
            db.sql('SELECT 1 / 0')
        with db.conn.transaction():
            db.sql('INSERT INTO wh VALUES (4)')
    assert wh.sql('SELECT id FROM landed ORDER BY id') == [(1,), (4,)]


def test_an_error_of_the_store_keeps_its_words(db, wh):
    db.sql('INSERT INTO wh VALUES (1)')
    with pytest.raises(psycopg.errors.UniqueViolation) as raised:
        db.sql('INSERT INTO wh VALUES (1)')
    assert raised.value.diag.message_detail == 'Key (id)=(1) already exists.'
    # and the session goes on
    db.sql('INSERT INTO wh VALUES (2)')
    assert count(wh) == 2


def test_an_error_of_the_store_in_a_savepoint(db, wh):
    with db.conn.transaction():
        db.sql('INSERT INTO wh VALUES (1)')
        with pytest.raises(psycopg.errors.UniqueViolation), db.conn.transaction():
            db.sql('INSERT INTO wh VALUES (2), (1)')
        db.sql('INSERT INTO wh VALUES (3)')
    assert wh.sql('SELECT id FROM landed ORDER BY id') == [(1,), (3,)]


def test_deferred_constraint_of_the_store_fails_the_commit(db, wh):
    wh.sql('ALTER TABLE landed ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED')
    with pytest.raises(psycopg.errors.UniqueViolation):
        with db.conn.transaction():
            db.sql('INSERT INTO l VALUES (1)')
            db.sql("INSERT INTO wh VALUES (1, 'x'), (2, 'x')")
    assert (count(wh), db.value('SELECT count(*) FROM l')) == (0, 0)


def test_reading_and_writing_one_store_at_once(db, wh):
    """A COPY makes way for the scan, which begins before and ends after it."""
    db.sql('INSERT INTO wh SELECT i FROM generate_series(1, 3000) i')
    db.sql("INSERT INTO wh SELECT id + 10000, repeat('x', 200) FROM wh")
    assert count(wh) == 6000
    db.sql("""CREATE FUNCTION one_more(i int) RETURNS int LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO wh VALUES (i + 20000); RETURN i + 30000; EXCEPTION WHEN division_by_zero
        THEN RETURN 0; END $$""")
    db.sql("INSERT INTO wh SELECT one_more(i), repeat('y', 40000) FROM generate_series(1, 20) i")
    assert wh.value('SELECT count(*) FROM landed WHERE id > 20000') == 40


def test_partition_in_the_store(db, wh):
    db.sql('CREATE TABLE parted (id int, name text) PARTITION BY LIST (id)')
    db.sql('ALTER TABLE parted ATTACH PARTITION wh FOR VALUES IN (1, 2, 3)')
    db.sql('CREATE TABLE rest PARTITION OF parted DEFAULT')
    db.sql('INSERT INTO parted SELECT i FROM generate_series(1, 5) i')
    assert (count(wh), db.value('SELECT count(*) FROM rest')) == (3, 2)


def test_prepared_transaction_is_refused(new_cluster, new_db, store):
    db = new_db(new_cluster(conf='max_prepared_transactions = 2\n'))
    store.server(db)
    store.table('landed', 'id int')
    db.sql("CREATE FOREIGN TABLE landed (id int) SERVER warehouse")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='cannot PREPARE'):
        db.sql("BEGIN; INSERT INTO landed VALUES (1); PREPARE TRANSACTION 'x'")
    db.sql('ROLLBACK')
    assert count(store) == 0


@pytest.mark.parametrize('statement, why', [
    ('INSERT INTO wh VALUES (1) RETURNING id', 'RETURNING is not supported'),
    ('INSERT INTO wh VALUES (1) ON CONFLICT DO NOTHING', 'ON CONFLICT is not supported'),
    ("UPDATE wh SET name = 'x'", 'cannot update foreign table'),
    ('DELETE FROM wh', 'cannot delete from foreign table'),
])
@pytest.mark.parametrize('method', ['copy_stdin'], indirect=True)
def test_what_a_store_cannot_do(db, wh, statement, why):
    with pytest.raises(psycopg.Error, match=why):
        db.sql(statement)


# faults

def blocked(wh):
    return wh.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                    "AND application_name = 'tracking_fdw' AND datname = current_database()")


@pytest.mark.parametrize('ended_by', ['cancel', 'statement_timeout', 'terminate'])
def test_a_wait_for_the_store_ends_at_once(db, wh, wait_until, ended_by):
    with wh.cluster.connect(dbname=wh.dbname, autocommit=False) as holder:
        holder.execute('LOCK landed IN ACCESS EXCLUSIVE MODE')
        with db.connect() as conn:
            raised = []

            def load():
                try:
                    conn.execute('INSERT INTO wh VALUES (1)')
                except psycopg.Error as error:
                    raised.append(error.sqlstate)
            if ended_by == 'statement_timeout':
                conn.execute("SET statement_timeout = '2s'")
            thread = threading.Thread(target=load)
            thread.start()
            wait_until(lambda: blocked(wh) == 1)
            if ended_by == 'cancel':
                conn.cancel()
            elif ended_by == 'terminate':
                db.sql('SELECT pg_terminate_backend(%s)', conn.info.backend_pid)
            thread.join(20)
            # older clients tell no SQLSTATE of a connection that ends
            assert raised[0] in (('57P01', None) if ended_by == 'terminate' else ('57014',))
            # nor does it go on waiting there
            wait_until(lambda: blocked(wh) == 0)
            holder.rollback()
            if ended_by != 'terminate':
                conn.execute('INSERT INTO wh VALUES (2)')
    assert count(wh) == (0 if ended_by == 'terminate' else 1)


def test_connection_that_the_store_ends_is_made_anew(db, wh):
    db.sql('INSERT INTO wh VALUES (1)')
    pid, = wh.loaders()
    wh.sql('SELECT pg_terminate_backend(%s, 10000)', pid)
    db.sql('INSERT INTO wh VALUES (2)')
    assert wh.loaders() != [pid]
    assert count(wh) == 2


def test_connection_lost_within_a_transaction(db, wh):
    with pytest.raises(psycopg.Error) as raised:
        with db.conn.transaction():
            db.sql('INSERT INTO l VALUES (1)')
            db.sql('INSERT INTO wh VALUES (1)')
            wh.sql('SELECT pg_terminate_backend(%s, 10000)', wh.loaders()[0])
            db.sql('INSERT INTO wh VALUES (2)')
    assert raised.value.sqlstate.startswith('08')
    assert (count(wh), db.value('SELECT count(*) FROM l')) == (0, 0)
    db.sql('INSERT INTO wh VALUES (3)')
    assert count(wh) == 1


def test_connection_lost_before_commit(db, wh):
    with pytest.raises(psycopg.Error) as raised:
        with db.conn.transaction():
            db.sql('INSERT INTO l VALUES (1)')
            db.sql('INSERT INTO wh VALUES (1)')
            wh.sql('SELECT pg_terminate_backend(%s, 10000)', wh.loaders()[0])
    assert raised.value.sqlstate.startswith('08')
    assert (count(wh), db.value('SELECT count(*) FROM l')) == (0, 0)


def test_store_that_is_told_to_end_while_it_commits(db, wh):
    """It may have committed before it says so."""
    wh.sql("""CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); END$$""")
    wh.sql('CREATE CONSTRAINT TRIGGER die AFTER INSERT ON landed DEFERRABLE INITIALLY DEFERRED '
           'FOR EACH ROW EXECUTE FUNCTION die()')
    with pytest.raises(psycopg.Error, match='not known') as raised:
        db.sql('INSERT INTO wh VALUES (1)')
    assert raised.value.sqlstate == '08007'


def test_altered_server_and_mapping_take_effect(db, wh):
    db.sql('INSERT INTO wh VALUES (1)')
    pids = wh.loaders()
    db.sql("ALTER SERVER warehouse OPTIONS (ADD connect_timeout '7s')")
    db.sql('INSERT INTO wh VALUES (2)')
    assert wh.loaders() != pids
    db.sql("ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (SET password 'wrong')")
    with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection):
        db.sql('INSERT INTO wh VALUES (3)')


def test_one_connection_a_session(db, wh):
    for i in range(5):
        db.sql('INSERT INTO wh VALUES (%s)', i)
    db.sql('SELECT count(*) FROM wh a, wh b')
    assert len(wh.loaders()) == 1
