"""IMPORT FOREIGN SCHEMA makes a table of every stream, or of every shard."""
import uuid

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


@pytest.fixture
def importing(db, sql_server, kinesalite):
    """importing(clauses, ...): the notices of an import, with their hints."""
    sql_server(db, kinesalite.url)
    db.sql('CREATE SCHEMA imported')

    def run(limit='', options=''):
        said = []

        def hear(diag):
            said.append(f'{diag.message_primary} {diag.message_hint or ""}'.rstrip())
        db.conn.add_notice_handler(hear)
        try:
            db.sql(f'IMPORT FOREIGN SCHEMA aws {limit} FROM SERVER aws INTO imported {options}')
        finally:
            db.conn.remove_notice_handler(hear)
        return said
    return run


@pytest.fixture
def named(kinesalite, put):
    """named(name): a stream of that name with one record, which tells it."""
    client, made = kinesalite.client(), []

    def make(name):
        client.create_stream(StreamName=name, ShardCount=1)
        made.append(name)
        client.get_waiter('stream_exists').wait(StreamName=name, WaiterConfig={'Delay': 0.05})
        put(client, name, [{'i_am': name}])
        return name
    yield make
    for name in made:
        client.delete_stream(StreamName=name)


def quoted(names):
    return ', '.join(f'"{name}"' for name in names)


def test_long_names_are_shortened_to_distinct_ones(db, named, importing, kinesalite):
    begin = f'long-{uuid.uuid4().hex}'.ljust(62, 'x')
    fits = named(begin + 'y')
    long = [named(begin + end) for end in ('yz', 'yZ', 'y'.ljust(66, 'z'))]
    others = kinesalite.client().list_streams(Limit=1000)['StreamNames']
    limit = f'EXCEPT ({quoted(set(others) - {fits, *long})})'
    said = importing(limit)
    names = tables(db)
    assert len(names) == 4 and fits in names
    stream_of = {name: db.value(f'SELECT data->>\'i_am\' FROM imported."{name}"')
                 for name in names}
    assert stream_of[fits] == fits and sorted(stream_of.values()) == sorted([fits, *long])
    # what no stream can be called, and still tells which it is
    assert all('~' in name and len(name) == 63 and name.startswith('long-') and name[:40] in begin
               for name in names if name != fits)
    told = [text for text in said if 'becomes' in text]
    assert sorted(told) == sorted(f'stream "{stream}" becomes foreign table "{name}"'
                                  for name, stream in stream_of.items() if name != fits)

    # they are the same from import to import, and names to go by
    one = next(name for name in names if stream_of[name] == long[0])
    db.sql('DROP SCHEMA imported CASCADE; CREATE SCHEMA imported')
    assert importing(f'LIMIT TO ("{one}")') == [
        f'stream "{long[0]}" becomes foreign table "{one}"']
    assert tables(db) == [one]
    named(begin + 'a-new-one')
    db.sql('DROP SCHEMA imported CASCADE; CREATE SCHEMA imported')
    importing(limit.replace('EXCEPT (', f'EXCEPT ("{one}", '))
    assert set(names) - set(tables(db)) == {one} and len(tables(db)) == 4


def test_long_names_keep_their_shard(db, named, importing):
    stream = named(f'shards-{uuid.uuid4().hex}-of-a-stream')
    full = f'{stream}_shardId-000000000000'
    assert len(stream) < 63 < len(full)
    said = importing(f'LIMIT TO ("{full[:63]}")', "OPTIONS (per 'shard')")
    assert tables(db) == [] and len(said) == 2
    name = said[0].split('"')[-2]
    assert said[0] == (f'nothing is imported as "{full[:63]}" Names that are too long are shortened: the '
                       f'table of shard "shardId-000000000000" of stream "{stream}" is "{name}".')
    assert name.endswith('_shardId-000000000000') and len(name) == 63
    said = importing(f'LIMIT TO ("{name}")', "OPTIONS (per 'shard')")
    assert said == [
        f'shard "shardId-000000000000" of stream "{stream}" becomes foreign table "{name}"']
    assert db.value(f'SELECT data->>\'i_am\' FROM imported."{name}"') == stream


def test_what_is_not_there_is_told(db, named, importing):
    stream = named(f'there-{uuid.uuid4().hex}')
    assert importing(f'LIMIT TO ("{stream}", not_there)') == ['nothing is imported as "not_there"']
    assert tables(db) == [stream]
    assert importing('LIMIT TO (not_there)') == [
        'nothing is imported as "not_there"', 'no foreign table is made of server "aws"']
    said = importing(f'EXCEPT ("{stream}", not_there)')
    assert 'nothing is left out as "not_there"' in said and not any(stream in text for text in said)


def test_an_exception_that_was_cut_is_told(db, named, importing):
    stream = named(f'cut-{uuid.uuid4().hex}'.ljust(80, 'x'))
    said = importing(f'EXCEPT ("{stream}")')
    name = next(name for name in tables(db) if name.startswith(stream[:40]))
    assert (f'nothing is left out as "{stream[:63]}" Names that are too long are shortened: the '
            f'table of stream "{stream}" is "{name}".') in said
