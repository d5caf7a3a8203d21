"""Statements of a transaction at a store: their order, their savepoints."""
import psycopg
import pytest


@pytest.fixture(params=['copy_stdin', 'insert'])
def wh(db, store, request):
    """Foreign tables wh and child over tables of the store, and table seen."""
    store.server(db, load_method=request.param)
    store.table('landed', 'id int PRIMARY KEY, name text')
    store.table('child', 'id int, of int')
    store.sql('ALTER TABLE child ADD FOREIGN KEY (of) REFERENCES landed')
    store.sql('GRANT REFERENCES, SELECT ON landed TO loader')
    for name, columns, there in (('wh', 'id int, name text', 'landed'),
                                 ('child', 'id int, of int', 'child')):
        db.sql(f"CREATE FOREIGN TABLE {name} ({columns}) SERVER warehouse "
               f"OPTIONS (schema_name 'public', table_name '{there}')")
    db.sql('CREATE TABLE seen (what text, n int)')
    return store


def test_a_cursor_survives_a_savepoint_in_which_it_was_begun(db, wh):
    wh.sql("INSERT INTO landed SELECT i, 'n' FROM generate_series(1, 500) i")
    with db.conn.transaction():
        db.sql('DECLARE c CURSOR FOR SELECT id FROM wh')
        db.sql("""DECLARE d CURSOR FOR SELECT g, w.id FROM generate_series(1, 3) g,
            LATERAL (SELECT id FROM wh WHERE id > g * 100 AND id <= g * 200 OFFSET 0) w""")
        assert len(db.sql('FETCH 50 FROM d')) == 50
        with pytest.raises(psycopg.errors.DivisionByZero), db.conn.transaction():
            assert db.sql('FETCH 2 FROM c') == [(1,), (2,)]
            assert len(db.sql('FETCH 100 FROM d')) == 100
            db.sql('INSERT INTO wh VALUES (-1)')
            db.sql('SELECT 1 / 0')
        assert db.sql('FETCH ALL FROM c') == [(i,) for i in range(3, 501)]
        assert len(db.sql('FETCH ALL FROM d')) == 500 - 150
    assert wh.value('SELECT count(*) FROM landed') == 500


def test_an_error_of_a_cursor_in_a_savepoint_leaves_the_transaction(db, wh):
    wh.sql('CREATE VIEW failing AS SELECT i, 1 / (i - 150) FROM generate_series(1, 500) i (i)')
    wh.sql('GRANT SELECT ON failing TO loader')
    db.sql("CREATE FOREIGN TABLE failing (i int, \"?column?\" int) SERVER warehouse "
           "OPTIONS (schema_name 'public')")
    with db.conn.transaction():
        db.sql('INSERT INTO wh VALUES (1)')
        db.sql('DECLARE c CURSOR FOR SELECT * FROM failing')
        assert len(db.sql('FETCH 10 FROM c')) == 10
        with pytest.raises(psycopg.errors.DivisionByZero), db.conn.transaction():
            db.sql('FETCH ALL FROM c')
        db.sql('INSERT INTO wh VALUES (2)')
    assert wh.value('SELECT count(*) FROM landed') == 2
