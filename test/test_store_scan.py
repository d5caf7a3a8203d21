"""SELECT from a store: its rows, and which clauses go there."""
import psycopg
import pytest

COLUMNS = ('id int, big bigint, small smallint, amount numeric(12, 2), ratio double precision, '
           'name text, code varchar(10), day date, at timestamp, seen timestamptz, ok boolean')


@pytest.fixture
def wh(db, store):
    store.server(db)
    store.table('landed', COLUMNS)
    db.sql(f'CREATE FOREIGN TABLE wh ({COLUMNS}) SERVER warehouse '
           "OPTIONS (schema_name 'public', table_name 'landed')")
    store.sql("""INSERT INTO landed SELECT i, i * 10000000000, i, i / 100.0, i / 3.0, 'n' || i % 10,
        'c' || i, date '2026-01-01' + i, timestamp '2026-01-01' + i * interval '1 hour',
        timestamptz '2026-01-01 00:00Z' + i * interval '1 hour', i % 2 = 0
        FROM generate_series(1, 2500) i""")
    store.sql('INSERT INTO landed DEFAULT VALUES')
    return store


def remote_sql(db, query):
    lines = [row for row, in db.sql(f'EXPLAIN (VERBOSE, COSTS OFF) {query}')]
    return [line.split('Remote SQL: ')[1] for line in lines if 'Remote SQL' in line]


def where(db, clause):
    sql, = remote_sql(db, f'SELECT id FROM wh WHERE {clause}')
    return sql.partition(' WHERE ')[2]


def test_rows_come_as_they_are(db, wh):
    query = 'SELECT * FROM {} ORDER BY id'
    assert db.sql(query.format('wh')) == wh.sql(query.format('landed'))


def test_only_wanted_columns_are_fetched(db, wh):
    assert remote_sql(db, 'SELECT name FROM wh WHERE ok') == [
        'SELECT "name", "ok" FROM "public"."landed"']
    assert remote_sql(db, 'SELECT count(*) FROM wh') == ['SELECT NULL FROM "public"."landed"']
    assert db.value('SELECT count(*) FROM wh') == 2501


@pytest.mark.parametrize('clause, remote', [
    ('id = 7', '"id" = 7'),
    ('7 > id', '"id" < 7'),
    ('id <> -7', '"id" <> (-7)'),
    ('id >= 3000000000', '"id" >= 3000000000'),
    ('small <= 3::int8', '"small" <= 3'),
    ('amount < 1.5', '"amount" < \'1.5\''),
    ('ratio > 2.5', '"ratio" > \'2.5\''),
    ("name = 'it''s\\'", '"name" = \'it\'\'s\\\''),
    ("code = 'c7'", '"code" = \'c7\''),
    ("code IN ('c7', 'c8')", '"code" IN (\'c7\', \'c8\')'),
    ('id IN (1, 2, NULL)', '"id" IN (1, 2, NULL)'),
    ("day = '2026-01-03'", '"day" = \'2026-01-03\''),
    ("at BETWEEN '2026-01-01' AND '2026-01-02'",
     '"at" >= \'2026-01-01 00:00:00\' AND "at" <= \'2026-01-02 00:00:00\''),
    ('name IS NULL', '"name" IS NULL'),
    ('name IS NOT NULL AND id = 1', '"name" IS NOT NULL AND "id" = 1'),
])
def test_clauses_that_go_to_the_store(db, wh, clause, remote):
    assert where(db, clause) == remote
    assert (db.value(f'SELECT count(*) FROM wh WHERE {clause}') ==
            wh.value(f'SELECT count(*) FROM landed WHERE {clause}'))


@pytest.mark.parametrize('clause', [
    "name > 'n5'", "name <> 'n5'", "name LIKE 'n%'", 'id + 1 = 7', 'id = small', 'id NOT IN (1, 2)',
    'id = 7 OR id = 8 AND ok', 'random() > 2', 'day < now()', "day = at", 'id IS DISTINCT FROM 7',
    "code = ANY (ARRAY[name, 'x'])"])
def test_clauses_that_stay(db, wh, clause):
    assert where(db, clause) == ''
    if 'random' not in clause:
        assert (db.value(f'SELECT count(*) FROM wh WHERE {clause}') ==
                wh.value(f'SELECT count(*) FROM landed WHERE {clause}'))


def test_time_zones_and_styles_do_not_matter(db, wh):
    db.sql("SET timezone = 'America/New_York'; SET datestyle = 'German'; SET extra_float_digits = 0")
    at = "timestamptz '02.01.2026 07:00:00 UTC'"
    assert db.value(f'SELECT id FROM wh WHERE seen = {at}') == 31
    assert db.sql('SELECT count(*) FROM wh WHERE ratio = 1000/3.0::float8') == [(1,)]
    assert wh.value('SELECT count(*) FROM landed') == 2501


def test_parameters_go_to_the_store(db, wh):
    db.sql("SET plan_cache_mode = force_generic_plan")
    db.sql("PREPARE q(int, text) AS SELECT count(*) FROM wh WHERE id < $1 AND name = $2")
    assert db.value("EXECUTE q(100, 'n1')") == 10
    assert db.value("EXECUTE q(10, 'n2')") == 1
    assert db.value("EXECUTE q(NULL, 'n2')") == 0
    assert remote_sql(db, "EXECUTE q(1, 'x')") == [
        'SELECT "id", "name" FROM "public"."landed" WHERE "id" < $1 AND "name" = $2']
    assert db.value('SELECT count(*) FROM wh WHERE id = (SELECT 5)') == 1


def test_limit_reads_little_and_the_transaction_goes_on(db, wh):
    with db.conn.transaction():
        assert len(db.sql('SELECT id FROM wh LIMIT 3')) == 3
        db.sql('INSERT INTO wh (id) VALUES (9999)')
    assert wh.value('SELECT count(*) FROM landed WHERE id = 9999') == 1


def test_joins_and_rescans(db, wh):
    db.sql('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off')
    assert db.value('SELECT count(*) FROM wh a JOIN wh b ON a.id = b.id WHERE a.id < 6 AND b.id < 6'
                    ) == 5
    assert db.sql('SELECT g, (SELECT count(*) FROM wh WHERE id <= g) FROM generate_series(1, 3) g'
                  ) == [(1, 1), (2, 2), (3, 3)]


def test_cursor_across_savepoints(db, wh):
    with db.conn.transaction():
        db.sql('DECLARE c CURSOR FOR SELECT id FROM wh WHERE id <= 300 ORDER BY id + 0')
        db.sql('DECLARE d CURSOR FOR SELECT id FROM wh WHERE id <= 300')
        assert db.sql('FETCH 1 FROM d') == [(1,)]
        with pytest.raises(psycopg.errors.DivisionByZero), db.conn.transaction():
            db.sql('INSERT INTO wh (id) VALUES (-1)')
            db.sql('SELECT 1 / 0')
        assert len(db.sql('FETCH ALL FROM d')) == 299
        assert len(db.sql('FETCH ALL FROM c')) == 300


def test_dropped_renamed_and_generated_columns(db, store):
    store.server(db)
    store.table('landed', 'a int, "Odd ""name" text, twice int GENERATED ALWAYS AS (a * 2) STORED')
    db.sql("""CREATE FOREIGN TABLE wh (gone int, b text OPTIONS (column_name 'Odd "name'), a int,
        twice int GENERATED ALWAYS AS (a * 2) STORED)
        SERVER warehouse OPTIONS (schema_name 'public', table_name 'landed')""")
    db.sql('ALTER FOREIGN TABLE wh DROP COLUMN gone')
    db.sql("INSERT INTO wh (b, a) VALUES ('x', 1), (NULL, 2)")
    assert store.sql('SELECT * FROM landed ORDER BY a') == [(1, 'x', 2), (2, None, 4)]
    assert db.sql('SELECT * FROM wh ORDER BY a') == [('x', 1, 2), (None, 2, 4)]
    assert db.sql('SELECT w FROM wh w ORDER BY a LIMIT 1')[0][0] == '(x,1,2)'


def test_value_that_does_not_fit_names_its_column(db, wh):
    db.sql("CREATE FOREIGN TABLE odd (name int) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation) as raised:
        db.sql('SELECT * FROM odd')
    assert 'column "name" of a row from a store' in raised.value.diag.context


def test_many_rows_take_little_memory(db, store):
    store.server(db)
    store.sql("CREATE VIEW many AS SELECT i, repeat('x', 1000) AS s FROM generate_series(1, 200000) i")
    store.sql('GRANT SELECT ON many TO loader')
    db.sql("CREATE FOREIGN TABLE many (i int, s text) SERVER warehouse OPTIONS (schema_name 'public')")

    def peak():
        with open(f'/proc/{db.conn.info.backend_pid}/status') as status:
            return next(int(line.split()[1]) for line in status if line.startswith('VmHWM'))
    db.sql('SELECT count(i) FROM many WHERE i < 1000')
    before = peak()
    assert db.value('SELECT sum(length(s)) FROM many') == 200000000
    assert peak() - before < 20000
