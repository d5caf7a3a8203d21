"""What a local transaction sees of a store: one state of it, and its own rows."""
import threading

import psycopg
import pytest

from harness.records import ids

SUM = 'SELECT sum(n) FROM wh'


@pytest.fixture
def wh(db, store):
    """Foreign tables wh over 100 rows of 1 and other over one of 0, and iso,
    which tells the isolation level there."""
    store.server(db)
    for name, rows in (('landed', 100), ('other', 0)):
        store.table(name, 'id int, n int')
        store.sql(f'INSERT INTO {name} SELECT i, 1 FROM generate_series(1, {rows}) i')
    store.sql("CREATE VIEW iso AS SELECT current_setting('transaction_isolation') AS level")
    store.sql('GRANT SELECT ON iso TO loader')
    for name, columns, there in (('wh', 'id int, n int', 'landed'), ('other', 'id int, n int', 'other'),
                                 ('iso', 'level text', 'iso')):
        db.sql(f"CREATE FOREIGN TABLE {name} ({columns}) SERVER warehouse "
               f"OPTIONS (schema_name 'public', table_name '{there}')")
    return store


def move(store):
    """Somebody else moves what half of the rows have to the other table."""
    store.sql('BEGIN; INSERT INTO other SELECT id, n FROM landed WHERE id > 50; '
              'DELETE FROM landed WHERE id > 50; COMMIT')


def test_scans_of_a_statement_see_one_state(db, wh):
    with db.conn.transaction():
        db.sql("DECLARE c CURSOR FOR SELECT n FROM wh UNION ALL SELECT n FROM other")
        total = sum(n for n, in db.sql('FETCH 10 FROM c'))
        move(wh)
        assert total + sum(n for n, in db.sql('FETCH ALL FROM c')) == 100


@pytest.mark.parametrize('level', ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'])
def test_statements_of_a_transaction_see_one_state_and_their_own_rows(db, wh, level):
    with db.conn.transaction():
        db.sql(f'SET TRANSACTION ISOLATION LEVEL {level}')
        before = db.value(SUM)
        move(wh)
        assert (before, db.value(SUM), db.value('SELECT count(*) FROM other')) == (100, 100, 0)
        db.sql('INSERT INTO other VALUES (1000, 5)')
        assert db.value('SELECT sum(n) FROM other') == 5
        assert db.value('SELECT level FROM iso') == (
            'serializable' if level == 'SERIALIZABLE' else 'repeatable read')
    assert (db.value(SUM), db.value('SELECT sum(n) FROM other')) == (50, 55)


def test_what_was_changed_meanwhile_is_a_serialization_failure(db, wh):
    """As postgres_fdw has it: for a unique key that somebody else has taken."""
    wh.sql('ALTER TABLE landed ADD UNIQUE (id)')
    wh.sql("""CREATE FUNCTION add() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE public.landed SET n = n + NEW.n WHERE id = NEW.id; RETURN NULL; END $$""")
    wh.sql('CREATE TRIGGER add BEFORE INSERT ON landed FOR EACH ROW EXECUTE FUNCTION add()')
    with pytest.raises(psycopg.errors.SerializationFailure), db.conn.transaction():
        db.sql(SUM)
        wh.sql('UPDATE landed SET n = 7 WHERE id = 7')
        db.sql('INSERT INTO wh VALUES (7, 1)')
    db.sql('INSERT INTO wh VALUES (7, 1)')
    assert wh.value('SELECT n FROM landed WHERE id = 7') == 8


# the level that a load of a pipeline has is told by the rows
TELLING = """
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.name := pg_catalog.current_setting('transaction_isolation'); RETURN NEW; END $$;
    CREATE TRIGGER tell BEFORE INSERT ON landed FOR EACH ROW EXECUTE FUNCTION tell();
"""


@pytest.mark.parametrize('command, level', [
    (None, 'read committed'),
    ('INSERT INTO wh SELECT id, name FROM src', 'read committed'),
    ('INSERT INTO wh SELECT s.id, s.name FROM src s WHERE (SELECT count(*) FROM wh) < 100',
     'repeatable read'),
])
def test_a_load_has_a_snapshot_only_for_its_scans(db, store, source, kinesalite, put, command, level):
    """Loads that wait for each other's rows go on after the wait, then."""
    stream = source()
    store.server(db)
    store.table('landed', 'id int, name text')
    store.sql(TELLING)
    store.sql(f'ALTER ROLE loader IN DATABASE {store.dbname} '
              "SET default_transaction_isolation = 'serializable'")
    db.sql("CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    put(kinesalite.client(), stream, ids(5))
    target = {'target': 'wh'} if command is None else {'command': command}
    db.pipeline('p', 'src', enabled=False, **target)
    db.sql("CALL tracking.run_pipeline('p')")
    put(kinesalite.client(), stream, ids(5, 5))
    db.sql("CALL tracking.run_pipeline('p')")
    assert store.sql('SELECT name, count(*) FROM landed GROUP BY 1') == [(level, 10)]


def test_a_reset_waits_for_a_load_and_forgets_what_it_left(db, store, source, kinesalite, put,
                                                           wait_until):
    stream = source()
    store.server(db)
    store.table('landed', 'id int, name text')
    db.sql("CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    put(kinesalite.client(), stream, ids(5))
    db.pipeline('p', 'src', target='wh', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    (table,), = store.sql("SELECT tablename FROM pg_tables WHERE tablename LIKE 'tracking_p%'")
    with store.conn.transaction():
        store.sql(f"UPDATE {table} SET position = 'somewhere' WHERE shard_id <> ''")
        reset = threading.Thread(target=db.sql,
                                 args=("SELECT tracking.reset_pipeline('p', 'trim_horizon')",))
        reset.start()
        wait_until(lambda: store.value(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid "
            "FROM pg_stat_activity WHERE datname = current_database())"))
    reset.join()
    # a row without a shard says who fills the store
    assert store.value(f"SELECT count(*) FROM {table} WHERE shard_id <> ''") == 0
