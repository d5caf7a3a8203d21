"""What is sent to a stream or a store does not depend on the session's settings."""
import json

import psycopg
import pytest

from test_select import read_by_boto3

# a session that has everything otherwise
ODD = """SET datestyle = 'SQL, DMY'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = -5;
    SET bytea_output = 'escape'; SET timezone = 'Asia/Kolkata'; SET search_path = app, public;
    SET quote_all_identifiers = on"""

# type, value, text in a store, value in a stream's JSON if that is another
VALUES = [
    ('regclass', "'app.things'", 'app.things'),
    ('regtype', "'app.mood'", 'app.mood'),
    ('regproc', "'app.odd'", 'app.odd'),
    ('regclass[]', "'{app.things,pg_class}'", '{app.things,pg_class}', ['app.things', 'pg_class']),
    ('interval', "'1 year -2 mons 03:04:05'", '10 mons 03:04:05'),
    ('float8', '0.1::float8 + 0.2::float8', '0.30000000000000004', 0.30000000000000004),
    ('float4', '1 / 3.0', '0.33333334', 0.33333334),
    ('point', "'(0.1,0.30000000000000004)'", '(0.1,0.30000000000000004)'),
    ('bytea', r"'\x0041ff'", r'\x0041ff'),
    ('bytea[]', r"""'{"\\x0041ff"}'""", r'{"\\x0041ff"}', [r'\x0041ff']),
    ('date', "'2026-02-01'", '2026-02-01'),
    ('timestamptz', "'2026-02-01 20:00+00'", '2026-02-01 20:00:00+00', '2026-02-01T20:00:00+00:00'),
    ('daterange', "'[2026-02-01,2026-03-01)'", '[2026-02-01,2026-03-01)'),
    ('tstzrange', "'[2026-02-01 20:00+00,)'", '["2026-02-01 20:00:00+00",)'),
    ('tstzmultirange', "'{[2026-02-01 20:00+00,)}'", '{["2026-02-01 20:00:00+00",)}'),
    ('timestamptz[]', "'{2026-02-01 20:00+00}'", '{"2026-02-01 20:00:00+00"}',
     ['2026-02-01T20:00:00+00:00']),
    ('app.pair', r"""ROW('app.things', '2026-02-01 20:00+00', 0.1::float8 + 0.2::float8,
        ROW('1 day', '\x41'))""",
     r'(app.things,"2026-02-01 20:00:00+00",0.30000000000000004,"(""1 day"",""\\\\x41"")")',
     {'c': 'app.things', 'at': '2026-02-01T20:00:00+00:00', 'f': 0.30000000000000004,
      'inner': {'i': '1 day', 'b': r'\x41'}}),
    ('money', "'1234.5'", '$1,234.50'),
    ('app.moment', "'2026-02-01 20:00+00'", '2026-02-01 20:00:00+00', '2026-02-01T20:00:00+00:00'),
]
COLUMNS = ', '.join(f'c{i} {type}' for i, (type, *_) in enumerate(VALUES))
INSERT = f"INSERT INTO t SELECT n, {', '.join(f'({value})::{type}' for type, value, *_ in VALUES)} " \
    'FROM generate_series(0, 1) n'
TYPES = """
    CREATE SCHEMA app;
    CREATE TABLE app.things (id int);
    CREATE TYPE app.mood AS ENUM ('glad');
    CREATE FUNCTION app.odd() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE DOMAIN app.moment AS timestamptz;
    CREATE TYPE app.detail AS (i interval, b bytea);
    CREATE TYPE app.pair AS (c regclass, at timestamptz, f float8, inner_detail app.detail);
    ALTER TYPE app.pair RENAME ATTRIBUTE inner_detail TO "inner";
"""


@pytest.fixture
def types(db):
    db.sql(TYPES)


@pytest.mark.parametrize('settings', ['', ODD], ids=['plain', 'odd'])
def test_values_of_a_stream(db, types, sql_server, kinesalite, make_stream, settings):
    stream = make_stream(kinesalite)
    sql_server(db, kinesalite.url)
    db.foreign_table('t', f"n int, {COLUMNS}, key timestamptz OPTIONS (metadata 'partition_key')",
                     stream)
    db.sql(settings)
    db.sql(INSERT.replace(' FROM generate', ", '2026-02-01 20:00+00' FROM generate"))
    records = [r for _, r in read_by_boto3(kinesalite.client(), stream)]
    for n, record in enumerate(records):
        sent = json.loads(record['Data'])
        assert sent.pop('n') == n
        assert list(sent.values()) == [json_value[0] if json_value else text
                                       for _, _, text, *json_value in VALUES]
        assert record['PartitionKey'] == '2026-02-01 20:00:00+00'
    assert len(records) == 2


@pytest.mark.parametrize('settings', ['', ODD], ids=['plain', 'odd'])
@pytest.mark.parametrize('type, value, data', [
    ('interval', "'1 day'", b'1 day'), ('timestamptz', "'2026-02-01 20:00+00'",
                                        b'2026-02-01 20:00:00+00'),
    ('regclass', "'app.things'", b'app.things')])
def test_a_raw_record(db, types, sql_server, kinesalite, make_stream, settings, type, value, data):
    stream = make_stream(kinesalite)
    sql_server(db, kinesalite.url)
    db.foreign_table('t', f'payload {type}', stream, format='raw')
    db.sql(settings)
    db.sql(f'INSERT INTO t VALUES ({value})')
    assert [r['Data'] for _, r in read_by_boto3(kinesalite.client(), stream)] == [data]


@pytest.mark.parametrize('settings', ['', ODD], ids=['plain', 'odd'])
@pytest.mark.parametrize('method', ['copy_stdin', 'insert'])
def test_values_of_a_store(db, types, store, method, settings):
    """All columns there are texts: they are what was sent."""
    store.server(db, load_method=method)
    store.table('landed', 'n int, ' + ', '.join(f'c{i} text' for i in range(len(VALUES))))
    db.sql(f'CREATE FOREIGN TABLE t (n int, {COLUMNS}) SERVER warehouse '
           "OPTIONS (schema_name 'public', table_name 'landed')")
    db.sql(settings)
    db.sql(INSERT)
    assert store.sql('SELECT * FROM landed ORDER BY n') == [
        (n, *(text for _, _, text, *_ in VALUES)) for n in (0, 1)]


@pytest.mark.parametrize('settings', ['', ODD], ids=['plain', 'odd'])
def test_conditions_of_a_store(db, store, settings):
    store.server(db)
    store.table('landed', 'at timestamptz, ratio float8, day date')
    db.sql('CREATE FOREIGN TABLE t (at timestamptz, ratio float8, day date) SERVER warehouse '
           "OPTIONS (schema_name 'public', table_name 'landed')")
    db.sql(settings)
    db.sql("PREPARE q(timestamptz) AS SELECT * FROM t WHERE at <> timestamptz '2026-02-01 20:00+00' "
           "AND ratio <> 0.1::float8 + 0.2::float8 AND day <> make_date(2026, 2, 1) AND at <> $1")
    db.sql('SET plan_cache_mode = force_custom_plan')
    plan = db.sql("EXPLAIN (VERBOSE, COSTS OFF) EXECUTE q('2026-03-01 00:00+00')")
    where = next(line for line, in plan if 'Remote SQL' in line).partition(' WHERE ')[2]
    assert where == ("\"at\" <> '2026-02-01 20:00:00+00' AND \"ratio\" <> '0.30000000000000004' "
                     "AND \"day\" <> '2026-02-01' AND \"at\" <> '2026-03-01 00:00:00+00'")


def test_user_code_runs_under_the_settings_of_its_session(db, types, store):
    """Between two rows, and in what makes JSON of a type."""
    store.server(db)
    store.table('landed', 'n int, at text, of text')
    db.sql('CREATE FOREIGN TABLE t (n int, at timestamptz, of text) SERVER warehouse '
           "OPTIONS (schema_name 'public', table_name 'landed')")
    db.sql(f"""{ODD};
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.of := NEW.at::text || odd(); RETURN NEW; END $$;
        CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp()""")
    db.sql("INSERT INTO t SELECT n, '2026-02-01 20:00+00' FROM generate_series(1, 3) n")
    assert store.sql('SELECT DISTINCT at, of FROM landed') == [
        ('2026-02-01 20:00:00+00', '02/02/2026 01:30:00 IST1')]
    assert db.value('SHOW timezone') == 'Asia/Kolkata'


def test_a_cast_to_json_finds_what_it_refers_to(db, types, sql_server, kinesalite, make_stream):
    stream = make_stream(kinesalite)
    sql_server(db, kinesalite.url)
    db.sql("""CREATE FUNCTION app.mood_json(m app.mood) RETURNS json LANGUAGE plpgsql AS
            $$BEGIN RETURN json_build_object('mood', m::text, 'odd', odd()); END$$;
        CREATE CAST (app.mood AS json) WITH FUNCTION app.mood_json(app.mood)""")
    db.foreign_table('t', 'm app.mood, at timestamptz', stream)
    db.sql(f"{ODD}; INSERT INTO t VALUES ('glad', '2026-02-01 20:00+00')")
    assert [json.loads(r['Data']) for _, r in read_by_boto3(kinesalite.client(), stream)] == [
        {'m': {'mood': 'glad', 'odd': 1}, 'at': '2026-02-01T20:00:00+00:00'}]


def test_an_error_leaves_the_settings_as_they_were(db, store):
    store.server(db, dialect='redshift', load_method='insert')
    store.table('landed', 'd timestamptz')
    db.sql('CREATE FOREIGN TABLE t (d timestamptz) SERVER warehouse '
           "OPTIONS (schema_name 'public', table_name 'landed')")
    db.sql(ODD)
    with pytest.raises(psycopg.errors.RaiseException, match='Asia/Kolkata SQL, DMY'):
        db.sql("""DO $$ BEGIN
                INSERT INTO t VALUES ('infinity');
            EXCEPTION WHEN datetime_field_overflow THEN
                RAISE '% %', current_setting('timezone'), current_setting('datestyle');
            END $$""")
    assert db.sql("SELECT current_setting('timezone'), current_setting('search_path')") == [
        ('Asia/Kolkata', 'app, public')]
