"""In what order the statements of a transaction get to a store: whoever reads
sees what was written before, and nothing of what comes after."""
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


def trigger(db, when, body, table='wh'):
    db.sql(f"""CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body}; RETURN NEW; END $$""")
    db.sql(f'CREATE TRIGGER fire {when} ON {table} FOR EACH '
           f"{'ROW' if 'ROW' in body or 'NEW' in body else 'STATEMENT'} EXECUTE FUNCTION fire()")


@pytest.mark.parametrize('command', ['insert', 'copy'])
@pytest.mark.parametrize('body', [
    'INSERT INTO seen SELECT NULL, count(*) FROM wh',
    'INSERT INTO seen SELECT NEW.name, count(*) FROM wh WHERE id = NEW.id',
])
def test_after_triggers_see_the_rows_of_their_statement(db, wh, command, body):
    trigger(db, 'AFTER INSERT', body)
    if command == 'insert':
        db.sql("INSERT INTO wh SELECT i, 'n' || i FROM generate_series(1, 5) i")
    else:
        with db.conn.cursor() as cursor, cursor.copy('COPY wh FROM STDIN') as copy:
            for i in range(1, 6):
                copy.write_row((i, f'n{i}'))
    assert db.sql('SELECT * FROM seen ORDER BY 1') == (
        [(f'n{i}', 1) for i in range(1, 6)] if 'NEW.' in body else [(None, 5)])


def test_a_function_sees_what_its_statement_has_stored_so_far(db, wh):
    db.sql("""CREATE FUNCTION so_far() RETURNS bigint LANGUAGE plpgsql AS $$
        BEGIN RETURN (SELECT count(*) FROM wh); END $$""")
    db.sql("INSERT INTO wh SELECT i, so_far() FROM generate_series(1, 4) i")
    assert wh.sql('SELECT id, name FROM landed ORDER BY id') == [
        (i, str(i - 1)) for i in range(1, 5)]


def test_a_trigger_may_refer_to_the_row_that_it_is_fired_for(db, wh):
    trigger(db, 'AFTER INSERT', 'INSERT INTO child VALUES (1, NEW.id)')
    db.sql("INSERT INTO wh SELECT i FROM generate_series(1, 5) i")
    assert wh.sql('SELECT of FROM child ORDER BY 1') == [(i,) for i in range(1, 6)]


def test_rows_are_not_lost_with_a_subtransaction_that_reads_them(db, wh):
    trigger(db, 'BEFORE INSERT', """BEGIN
            INSERT INTO seen SELECT NEW.name, count(*) FROM wh;
            PERFORM 1 / (NEW.id %% 2);
        EXCEPTION WHEN division_by_zero THEN NULL; END""".replace('%%', '%'))
    db.sql("INSERT INTO wh SELECT i, 'n' || i FROM generate_series(1, 6) i")
    assert wh.value('SELECT count(*) FROM landed') == 6
    assert db.sql('SELECT * FROM seen ORDER BY 1') == [('n1', 0), ('n3', 2), ('n5', 4)]


def test_an_error_that_a_function_catches_is_not_forgotten(db, wh):
    """It is of rows that the function has nothing to do with."""
    trigger(db, 'BEFORE INSERT', """BEGIN
            INSERT INTO seen SELECT NEW.name, count(*) FROM wh;
        EXCEPTION WHEN unique_violation THEN NULL; END""")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction, match='cannot go on'):
        db.sql("INSERT INTO wh VALUES (1), (1), (2), (3)")
    assert wh.value('SELECT count(*) FROM landed') == 0
    db.sql("INSERT INTO wh VALUES (1), (2)")
    assert wh.value('SELECT count(*) FROM landed') == 2


@pytest.mark.parametrize('query', [
    'SELECT id + 10000 FROM wh UNION ALL SELECT id + 20000 FROM wh',
    'SELECT 10000 + g * 10 FROM generate_series(1, 3000) g WHERE 3000 = '
    '(SELECT count(*) FROM wh WHERE id > 0 AND g > 0)',
])
def test_a_statement_does_not_see_its_own_rows(db, wh, query):
    wh.sql("INSERT INTO landed SELECT i, 'n' FROM generate_series(1, 3000) i")
    rows = db.value(f'SELECT count(*) FROM ({query}) q (id)')
    db.sql(f"INSERT INTO wh SELECT id, repeat('x', 100) FROM ({query}) q (id)")
    assert wh.value('SELECT count(*) FROM landed') == 3000 + rows


def test_a_cursor_does_not_see_what_comes_after_it(db, wh):
    wh.sql("INSERT INTO landed VALUES (1, 'n')")
    with db.conn.transaction():
        db.sql('DECLARE c CURSOR FOR SELECT id FROM wh')
        db.sql('INSERT INTO wh VALUES (2)')
        with db.conn.transaction():
            db.sql('INSERT INTO wh VALUES (3)')
        assert db.sql('FETCH ALL FROM c') == [(1,)]
        assert db.value('SELECT count(*) FROM wh') == 3


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
