"""Records with nothing in them, as change-data streams send behind each delete."""
import gzip

import psycopg
import pytest
import zstandard

from harness.kpl import aggregate

NOTHING = {
    'no bytes': b'', 'white space': b' \r\n\t ', 'gzip of nothing': gzip.compress(b''),
    'gzip of white space': gzip.compress(b'\n'),
    'zstd of nothing': zstandard.ZstdCompressor().compress(b''),
    'zstd to be skipped': b'\x5f\x2a\x4d\x18\x01\0\0\0x',
}
GOOD = ['{"id":1}', '{"id":2}']
BAD = ['oops', '{"id":1', '5', b'\x1f\x8b', '{"id":1} {']


def mixed(bad=()):
    return [GOOD[0], *NOTHING.values(), GOOD[1], aggregate(['', '{"id":3}', ' ']), *bad]


def test_nothing_is_no_row(db, table):
    table(mixed(), "id int, why text OPTIONS (metadata 'decode_error')")
    assert db.sql('SELECT * FROM t') == [(1, None), (2, None), (3, None)]
    assert db.value('SELECT count(*) FROM t') == 3
    plan = [line.strip() for line, in db.sql('EXPLAIN ANALYZE SELECT id FROM t')]
    assert f'Empty: {len(NOTHING) + 2}' in plan


def test_nothing_is_an_error_if_the_table_says_so(db, table):
    table(mixed(), "id int, why text OPTIONS (metadata 'decode_error')", empty='error')
    for query in 'SELECT * FROM t', 'SELECT count(*) FROM t':
        with pytest.raises(psycopg.Error, match='record is empty') as raised:
            db.sql(query)
        assert raised.value.sqlstate == '22P02'
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD on_error 'null')")
    assert sorted(db.sql('SELECT * FROM t'), key=str) == [
        (1, None), (2, None), (3, None)] + [(None, 'record is empty')] * (len(NOTHING) + 2)
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET empty 'skip')")
    assert db.sql('SELECT * FROM t') == [(1, None), (2, None), (3, None)]


def test_values_of_the_option(db, table):
    table([])
    with pytest.raises(psycopg.Error) as raised:
        db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD empty 'null')")
    assert raised.value.diag.message_hint == 'Use one of "skip", "error".'


@pytest.mark.parametrize('documents', ['auto', 'one'])
@pytest.mark.parametrize('empty', ['skip', 'error'])
@pytest.mark.parametrize('on_error', ['error', 'null', 'skip'])
def test_count_and_rows_agree(db, table, on_error, empty, documents):
    """Whatever there is to read of a record, and also where nothing of the payload is asked for."""
    bad = BAD if on_error != 'error' else []
    records = mixed(bad) if empty == 'skip' or on_error != 'error' else GOOD
    if documents == 'one':
        bad += ['[]', '{}{}'] if on_error != 'error' else []
    table(records, """id int, name text, key text OPTIONS (metadata 'partition_key'),
          data bytea OPTIONS (metadata 'data')""", on_error=on_error, empty=empty)
    rows = db.sql('SELECT * FROM t')
    assert db.value('SELECT count(*) FROM t') == len(rows)
    assert db.sql('SELECT key, data FROM t') == [row[2:] for row in rows]
    assert db.sql('SELECT data FROM t') == [row[3:] for row in rows]
    assert db.sql('SELECT id FROM t') == [row[:1] for row in rows]


def test_one_document_or_none(db, table):
    """A record without any is none, also where there is to be one in each."""
    table(['{"id":1}', '', ' ', '[]'], 'id int', documents='one', on_error='skip')
    assert db.sql('SELECT id FROM t') == [(1,)]
    # an unread record counts as the document that it should be
    assert db.value('SELECT count(*) FROM t') == 3


@pytest.mark.parametrize('compression', ['gzip', 'zstd', 'zlib'])
def test_nothing_needs_no_compression(db, table, compression):
    table(['', ' '], "id int, why text OPTIONS (metadata 'decode_error')",
          compression=compression, on_error='null')
    assert db.sql('SELECT * FROM t') == [(None, f'record is not compressed with {compression}')]


def test_a_raw_value_may_be_empty(db, table):
    table([b'', b' ', gzip.compress(b''), b'x'], "payload bytea, why text OPTIONS (metadata 'decode_error')",
          format='raw', on_error='null')
    every = [(b'', None), (b' ', None), (b'', None), (b'x', None)]
    assert db.sql('SELECT * FROM t') == every
    assert db.value('SELECT count(*) FROM t') == 4
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD empty 'skip')")
    assert db.sql('SELECT * FROM t') == [row for row in every if row[0]]
    assert db.value('SELECT count(*) FROM t') == 2
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET empty 'error')")
    assert db.sql('SELECT * FROM t') == [
        row if row[0] else (None, 'record is empty') for row in every]
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET on_error 'skip')")
    assert db.value('SELECT count(*) FROM t') == 2


def test_metadata_of_nothing_cannot_fail(db, stream_of):
    """A key that is no number, and a payload that is no JSON, are those of no row."""
    db.foreign_table('t', """id int, key int OPTIONS (metadata 'partition_key'),
                             data jsonb OPTIONS (metadata 'data')""",
                     stream_of([('{"id":1}', '7'), ('', 'x'), (' ', '8'), ('', '2026-01-01')]))
    for what in 'id, key, data', 'key, data', 'key':
        rows = db.sql(f'SELECT {what} FROM t')
        assert rows == [{'id, key, data': (1, 7, {'id': 1}), 'key, data': (7, {'id': 1}),
                         'key': (7,)}[what]]


# in a pipeline

def counts(db, name):
    return db.sql(f"SELECT sum({name})::int FROM tracking.pipeline_status") + db.sql(
        f'SELECT sum({name})::int FROM tracking.batch')


def test_a_pipeline_counts_them(db, table):
    """Once, however often its command reads them."""
    table(mixed(['oops']))
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', command='INSERT INTO target SELECT a.id FROM t a, t b WHERE a.id = b.id',
                enabled=False, batch_rows=3)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id FROM target ORDER BY 1') == [(1,), (2,), (3,)]
    assert counts(db, 'empty') == [(len(NOTHING) + 2,)] * 2
    assert counts(db, 'dead_letters') == [(1,)] * 2
    assert db.value('SELECT sum(records) FROM tracking.pipeline_status') == len(mixed()) + 3
    assert db.sql('SELECT reason FROM tracking.dead_letter') == [
        ('record is not valid JSON: unexpected character at byte 0',)]


def test_a_pipeline_counts_them_by_shard(db, make_stream, put, kinesalite, sql_server):
    stream = make_stream(kinesalite, 3)
    put(kinesalite.client(), stream,
        [('' if i % 3 else '{"id":%d}' % i, str(i)) for i in range(60)])
    sql_server(db, kinesalite.url)
    db.foreign_table('t', "id int, shard text OPTIONS (metadata 'shard_id')", stream)
    db.foreign_table('every', "payload bytea, shard text OPTIONS (metadata 'shard_id')", stream,
                     format='raw')
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT count(*) FROM target') == 20
    assert db.sql('SELECT shard_id, empty FROM tracking.checkpoint WHERE empty > 0 ORDER BY 1') == (
        db.sql("SELECT shard, count(*) FROM every WHERE payload = '' GROUP BY 1 ORDER BY 1"))
    assert counts(db, 'empty') == [(40,)] * 2


def test_nothing_is_a_dead_letter_if_the_table_says_so(db, table):
    table(['', '{"id":1}', ' '], 'id int', empty='error')
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT data, sqlstate, reason FROM tracking.dead_letter ORDER BY id') == [
        (b'', '22P02', 'record is empty'), (b' ', '22P02', 'record is empty')]
    assert counts(db, 'empty') == [(0,)] * 2
    # replayed where nothing is nothing, they are done with
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET empty 'skip')")
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 2
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
    assert db.sql('SELECT id FROM target') == [(1,)]


def test_an_empty_record_does_not_show_that_a_command_works(db, table):
    """Over nothing every command works: none of its records is to blame for what fails anyway."""
    table(['{"id":1}', *[''] * 30, '{"id":2}'])
    db.sql("""CREATE TABLE target (id int);
              CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE EXCEPTION 'out of order' USING ERRCODE = 'P0001'; END $$;
              CREATE TRIGGER refuse BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION refuse()""")
    db.pipeline('p', 't', target='target', enabled=False)
    with pytest.raises(psycopg.Error, match='out of order'):
        db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
