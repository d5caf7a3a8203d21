"""What on_error does to a scan, whatever else is in its statement."""
import psycopg
import pytest

# of each column the second record holds what its type does not take
KINDS = {
    'int': ('int', '1', '"x"'),
    'json': ('jsonb', '{"a": 1}', '"\\u0000"'),
    'timestamp': ('timestamptz', '"2026-01-01 00:00Z"', '"soon"'),
    'bit': ('bit(3)', '"101"', '"2"'),
    'array': ('int[]', '[1]', '["x"]'),
    'enum': ('mood', '"glad"', '"none"'),
    'domain': ('small', '"9"', '"99"'),
    'checked': ('checked', '"9"', '"99"'),
}


@pytest.fixture
def read(db, stream_of):
    """read(kind): a table t over a good record, a bad one and a good one."""
    db.sql("CREATE TYPE mood AS ENUM ('glad', 'sad')")
    db.sql('CREATE DOMAIN small AS int CHECK (VALUE < 10)')
    db.sql("""CREATE FUNCTION fine(i int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN
            IF i > 10 THEN RAISE EXCEPTION 'not fine: %', i USING ERRCODE = '22003'; END IF;
            RETURN true;
        END $$""")
    db.sql('CREATE DOMAIN checked AS int CHECK (fine(VALUE))')
    db.sql('CREATE TABLE big AS SELECT i FROM generate_series(1, 20000) i; ANALYZE big')
    db.sql('SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; '
           'SET min_parallel_table_scan_size = 0')

    def make(kind, on_error='skip'):
        column, good, bad = KINDS[kind]
        records = [f'{{"n": {n}, "v": {bad if n == 2 else good}}}' for n in (1, 2, 3)]
        db.foreign_table('t', f'n int, v {column}', stream_of(records), on_error=on_error)
        return [(1, True), (3, True)] if on_error == 'skip' else \
            [(1, True), (None, False), (3, True)]
    return make


QUERY = 'SELECT n, v IS NOT NULL FROM t, (SELECT max(i) FROM big) b (i) WHERE b.i = 20000'


@pytest.mark.parametrize('kind, on_error', [
    *((kind, 'skip') for kind in KINDS), ('int', 'null'), ('checked', 'null')])
def test_beside_a_gather(db, read, kind, on_error):
    expected = read(kind, on_error)
    assert any('Gather' in line for line, in db.sql(f'EXPLAIN {QUERY}'))
    assert db.sql(QUERY) == expected


@pytest.mark.parametrize('kind, hold', [('int', ''), ('checked', ''), ('checked', 'WITH HOLD')])
def test_in_a_cursor(db, read, kind, hold):
    expected = read(kind)
    with db.conn.transaction():
        db.sql(f'DECLARE c CURSOR {hold} FOR {QUERY}')
        rows = db.sql('FETCH 1 FROM c')
        with pytest.raises(psycopg.errors.DivisionByZero), db.conn.transaction():
            db.sql('SELECT 1 / 0')
        assert rows + db.sql('FETCH ALL FROM c') == expected


def test_a_function_in_a_parallel_query_says_what_it_is_to_be(db, read):
    """From 17 on there may be subtransactions in it."""
    expected = read('checked')
    db.sql("""CREATE FUNCTION t_rows() RETURNS SETOF t PARALLEL RESTRICTED STABLE LANGUAGE plpgsql
        AS $$ BEGIN RETURN QUERY SELECT * FROM t; END $$""")
    query = QUERY.replace('FROM t,', 'FROM t_rows(),')
    assert any('Gather' in line for line, in db.sql(f'EXPLAIN {query}'))
    if db.conn.info.server_version >= 170000:
        assert db.sql(query) == expected
    else:
        with pytest.raises(psycopg.errors.NumericValueOutOfRange) as raised:
            db.sql(query)
        assert 'PARALLEL UNSAFE' in raised.value.diag.message_hint
    db.sql('ALTER FUNCTION t_rows() PARALLEL UNSAFE')
    assert db.sql(query) == expected


def test_a_pipeline_rejects_beside_a_gather(db, read):
    read('checked')
    db.sql("""CREATE FUNCTION load() RETURNS SETOF int LANGUAGE plpgsql AS $$
        BEGIN
            SET LOCAL parallel_setup_cost = 0;
            SET LOCAL parallel_tuple_cost = 0;
            SET LOCAL min_parallel_table_scan_size = 0;
            RETURN QUERY SELECT n FROM t, (SELECT max(i) FROM big) b (i)
                WHERE b.i = 20000 AND v IS NOT NULL;
        END $$""")
    db.sql('CREATE TABLE landed (n int)')
    db.pipeline('p', 't', command='INSERT INTO landed SELECT * FROM load()', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT n FROM landed ORDER BY n') == [(1,), (3,)]
    assert db.sql('SELECT sqlstate, reason FROM tracking.dead_letter') == [
        ('22003', 'column "v": not fine: 99')]
