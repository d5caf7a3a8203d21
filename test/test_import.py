"""IMPORT FOREIGN SCHEMA makes a table of every stream, or of every shard."""
import psycopg
import pytest


@pytest.fixture
def streams(db, sql_server, kinesis, make_stream, put):
    """Two streams, of 1 and 2 shards, with 5 records each, and schema imported."""
    sql_server(db, kinesis.url)
    db.sql('CREATE SCHEMA imported')
    names = [make_stream(kinesis, shards) for shards in (1, 2)]
    for name in names:
        put(kinesis.client(), name, [{'id': i} for i in range(5)])
    return names


def tables(db):
    return [name for name, in db.sql(
        "SELECT relname FROM pg_class WHERE relnamespace = 'imported'::regnamespace ORDER BY 1")]


def test_a_table_for_every_stream(db, streams):
    one, two = streams
    db.sql(f'IMPORT FOREIGN SCHEMA aws LIMIT TO ("{one}", "{two}") FROM SERVER aws INTO imported')
    assert tables(db) == sorted(streams)
    row = db.sql(f'SELECT * FROM imported."{two}" WHERE data @> \'{{"id": 3}}\'')[0]
    assert len(row) == 5 and row[4] == {'id': 3} and row[2].startswith('shardId-')


def test_except_leaves_a_stream_out(db, streams):
    one, two = streams
    db.sql(f'IMPORT FOREIGN SCHEMA aws EXCEPT ("{one}") FROM SERVER aws INTO imported')
    assert two in tables(db) and one not in tables(db)


def test_a_table_for_every_shard(db, streams):
    _, two = streams
    shards = [f'{two}_shardId-00000000000{i}' for i in range(2)]
    listed = ', '.join(f'"{shard}"' for shard in shards)
    db.sql(f"IMPORT FOREIGN SCHEMA aws LIMIT TO ({listed}) FROM SERVER aws INTO imported "
           "OPTIONS (per 'shard')")
    assert tables(db) == shards
    assert sum(db.value(f'SELECT count(*) FROM imported."{shard}"') for shard in shards) == 5


@pytest.mark.parametrize('options, message', [
    ("per 'table'", 'invalid value for option "per"'), ("each 'shard'", 'invalid option "each"')])
def test_wrong_options(db, sql_server, kinesalite, options, message):
    sql_server(db, kinesalite.url)
    with pytest.raises(psycopg.Error, match=message):
        db.sql(f'IMPORT FOREIGN SCHEMA aws FROM SERVER aws INTO public OPTIONS ({options})')


def test_its_columns_have_the_types_of_the_system(db, streams):
    for name in ('text', 'numeric', 'jsonb', 'timestamptz'):
        db.sql(f'CREATE DOMAIN public."{name}" AS pg_catalog."{name}" CHECK (false)')
    db.sql('SET search_path = public, pg_catalog')
    db.sql(f'IMPORT FOREIGN SCHEMA aws LIMIT TO ("{streams[0]}") FROM SERVER aws INTO imported')
    assert db.value(f'SELECT count(*) FROM imported."{streams[0]}"') == 5
    assert db.sql("""SELECT DISTINCT typnamespace::regnamespace::pg_catalog.text
        FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
        WHERE attrelid = %s::regclass""", f'imported."{streams[0]}"') == [('pg_catalog',)]
