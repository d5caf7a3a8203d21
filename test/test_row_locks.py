"""SELECT ... FOR UPDATE and its kin: rows are locked where they are, or it is
an error."""
import psycopg
import pytest


@pytest.fixture
def wh(db, store):
    store.server(db)
    store.table('landed', 'id int PRIMARY KEY, name text')
    store.sql("INSERT INTO landed SELECT i, 'n' || i FROM generate_series(1, 10) i")
    db.sql("CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    db.sql('CREATE TABLE l AS SELECT i AS id FROM generate_series(1, 10) i')
    return store


def locked(store, strength='NO KEY UPDATE'):
    """The rows that somebody else cannot lock."""
    free = {i for i, in store.sql(f'SELECT id FROM landed FOR {strength} SKIP LOCKED')}
    return set(range(1, 11)) - free


@pytest.mark.parametrize('query, rows', [
    ('SELECT * FROM wh WHERE id = 3 FOR UPDATE', {3}),
    ('SELECT * FROM wh WHERE id < 3 FOR NO KEY UPDATE', {1, 2}),
    ('SELECT * FROM wh WHERE id = 3 FOR SHARE', {3}),
    ('SELECT * FROM wh FOR UPDATE', set(range(1, 11))),
    ('SELECT * FROM wh JOIN l USING (id) WHERE wh.id = 5 FOR UPDATE', {5}),
    ('SELECT * FROM wh JOIN l USING (id) WHERE wh.id = 5 FOR UPDATE OF wh', {5}),
    ('SELECT * FROM wh JOIN l USING (id) WHERE wh.id = 5 FOR UPDATE OF l', set()),
    ('SELECT * FROM wh JOIN l USING (id) WHERE wh.id = 5', set()),
    ('SELECT * FROM (SELECT * FROM wh WHERE id = 6 OFFSET 0) s FOR UPDATE', {6}),
    ('SELECT * FROM v FOR UPDATE', {7}),
    ('SELECT * FROM parted WHERE id = 8 FOR UPDATE', {8}),
    ('UPDATE l SET id = l.id FROM wh WHERE wh.id = l.id AND wh.id = 9', set()),
])
def test_rows_are_locked_there(db, wh, query, rows):
    db.sql('CREATE VIEW v AS SELECT * FROM wh WHERE id = 7')
    db.sql('CREATE TABLE parted (id int, name text) PARTITION BY RANGE (id)')
    if 'parted' in query:
        db.sql('ALTER TABLE parted ATTACH PARTITION wh FOR VALUES FROM (1) TO (100)')
    with db.conn.transaction():
        db.sql(query)
        assert locked(wh) == rows
    assert locked(wh) == set()


def test_a_lock_is_as_strong_as_was_asked_for(db, wh):
    with db.conn.transaction():
        db.sql('SELECT * FROM wh WHERE id = 1 FOR KEY SHARE')
        assert (locked(wh), locked(wh, 'UPDATE')) == (set(), {1})


@pytest.mark.parametrize('kind, wait', [('insert', ''), ('select', 'NOWAIT')])
def test_who_cannot_have_a_lock_waits_or_is_told(db, wh, kind, wait):
    with wh.conn.transaction():
        wh.sql("UPDATE landed SET name = 'taken' WHERE id = 2")
        if wait:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                db.sql('SELECT * FROM wh WHERE id = 2 FOR UPDATE NOWAIT')
            assert db.sql('SELECT id FROM wh WHERE id < 4 ORDER BY 1 FOR UPDATE SKIP LOCKED') == [
                (1,), (3,)]
        else:
            db.sql("SET statement_timeout = '300ms'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                db.sql('SELECT * FROM wh WHERE id = 2 FOR UPDATE')


def test_the_lock_is_in_the_plan(db, wh):
    plan = db.sql('EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM wh WHERE id = 2 FOR SHARE NOWAIT')
    assert 'Remote SQL: SELECT "id", "name" FROM "public"."landed" WHERE "id" = 2 FOR SHARE NOWAIT' \
        in [line.strip() for line, in plan]


@pytest.mark.parametrize('dialect', ['detected', 'redshift'])
def test_redshift_has_no_row_locks(db, warehouse, dialect):
    said = ", dialect 'redshift'" if dialect == 'redshift' else ''
    db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
           f"(host '{warehouse.redshift.host}', port '{warehouse.redshift.port}', "
           f"dbname '{warehouse.dbname}', sslmode 'disable'{said})")
    db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS '
           f"(user '{warehouse.user}', password '{warehouse.password}')")
    warehouse.sql('CREATE TABLE t (id int)')
    db.sql("CREATE FOREIGN TABLE t (id int) SERVER warehouse OPTIONS (schema_name 'public')")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='lock') as raised:
        db.sql('SELECT * FROM t FOR UPDATE')
    assert 'OF' in raised.value.diag.message_hint
    db.sql('CREATE TABLE l (id int)')
    assert db.sql('SELECT t.id FROM t, l FOR UPDATE OF l') == []


def test_a_stream_has_no_row_locks(db, stream_of):
    db.foreign_table('t', 'id int', stream_of([{'id': 1}]))
    db.sql('CREATE TABLE l AS SELECT 1 AS id')
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='lock'):
        db.sql('SELECT * FROM t FOR SHARE')
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='lock'):
        db.sql('SELECT * FROM t JOIN l USING (id) FOR UPDATE')
    assert db.sql('SELECT id FROM t JOIN l USING (id) FOR UPDATE OF l') == [(1,)]
    assert db.conn.execute('UPDATE l SET id = 2 FROM t WHERE t.id = l.id').rowcount == 1
