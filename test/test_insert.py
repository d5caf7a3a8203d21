"""INSERT and COPY publish: packed, resent in part, and every row accounted for."""
import json
import threading
import time

import psycopg
import pytest

from test_select import read_by_boto3

COLUMNS = """id int, name text, page text OPTIONS (path '$.context.page'), props jsonb,
    tags text[], amount numeric, ok boolean, at timestamptz,
    key text OPTIONS (metadata 'partition_key'),
    hash text OPTIONS (metadata 'explicit_hash_key'),
    seq numeric OPTIONS (metadata 'sequence_number')"""


@pytest.fixture
def table(db, sql_server, make_stream):
    """Make table t over a new stream of a server, reached by url."""
    def make(server, url=None, shards=1, columns=COLUMNS, **options):
        stream = make_stream(server, shards)
        sql_server(db, url or server.url, **options)
        db.foreign_table('t', columns, stream)
        return stream
    return make


def sent(proxy):
    """Number of records of each PutRecords that the proxy saw."""
    return [len(json.loads(e['body'])['Records']) for e in proxy.requests('PutRecords')]


def test_what_another_client_reads(db, table, kinesis):
    stream = table(kinesis)
    db.sql("""INSERT INTO t (id, name, page, props, tags, amount, ok, at, key) VALUES
        (1, E'q"\\\\\\n\\u00e9\\U0001F600', '/x', '{"a": [1, {"b": null}]}', '{a,"b,c"}', 892.20,
         true, '2026-01-02 03:04:05.678+00', 'one'),
        (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'two')""")
    records = [r for _, r in read_by_boto3(kinesis.client(), stream)]
    assert [r['PartitionKey'] for r in records] == ['one', 'two']
    first = json.loads(records[0]['Data'])
    at = first.pop('at')
    assert first == {
        'id': 1, 'name': 'q"\\\né😀', 'context': {'page': '/x'}, 'props': {'a': [1, {'b': None}]},
        'tags': ['a', 'b,c'], 'amount': 892.2, 'ok': True}
    assert b'892.20' in records[0]['Data']
    assert at.startswith('2026-01-02T03:04:05.678')
    # a column that is NULL is left out
    assert json.loads(records[1]['Data']) == {'id': 2}


def test_round_trip(db, table, kinesis):
    table(kinesis, shards=2)
    db.sql("""INSERT INTO t (id, name, page, props, tags, amount, ok, at)
        SELECT i, 'n' || i, '/p' || i, jsonb_build_object('i', i), ARRAY['a', i::text],
               i / 7.0, i % 2 = 0, timestamptz '2026-01-01 00:00:00.123456Z' + i * interval '1 h'
        FROM generate_series(1, 300) i""")
    assert db.sql('SELECT count(*), count(DISTINCT id) FROM t') == [(300, 300)]
    assert db.value("""SELECT count(*) FROM t WHERE name = 'n' || id AND page = '/p' || id
        AND props = jsonb_build_object('i', id) AND tags = ARRAY['a', id::text]
        AND amount = id / 7.0 AND ok = (id % 2 = 0)
        AND at = timestamptz '2026-01-01 00:00:00.123456Z' + id * interval '1 h'""") == 300


def test_rows_are_packed(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url)
    db.sql("INSERT INTO t (id) SELECT generate_series(1, 1200)")
    assert sent(proxy) == [500, 500, 200]
    assert db.value('SELECT count(DISTINCT id) FROM t') == 1200


def test_requests_keep_to_their_size(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url)
    db.sql("INSERT INTO t (id, name) SELECT i, repeat('x', 900000) FROM generate_series(1, 12) i")
    assert max(sent(proxy)) <= 5 and sum(sent(proxy)) == 12
    assert db.value('SELECT sum(length(name)) FROM t') == 12 * 900000


def test_copy(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url)
    with db.conn.cursor().copy('COPY t (id, name) FROM STDIN') as copy:
        for i in range(1000):
            copy.write_row((i, f'n{i}'))
    assert db.sql('SELECT count(DISTINCT id), min(name) FROM t') == [(1000, 'n0')]
    assert len(sent(proxy)) <= 3


def test_keys(db, table, kinesalite):
    stream = table(kinesalite, shards=4)
    db.sql("INSERT INTO t (id) SELECT generate_series(1, 200)")
    keys = [r['PartitionKey'] for _, r in read_by_boto3(kinesalite.client(), stream)]
    assert len(set(keys)) == 200
    assert len({shard for shard, _ in read_by_boto3(kinesalite.client(), stream)}) == 4
    db.sql("INSERT INTO t (id, key, hash) VALUES (-1, 'é', '0'), "
           "(-2, 'k', '340282366920938463463374607431768211455')")
    shards = {r['PartitionKey']: shard
              for shard, r in read_by_boto3(kinesalite.client(), stream)}
    assert shards['é'] == 'shardId-000000000000'
    assert shards['k'] == 'shardId-000000000003'


ODD = "E'caf\\u00e9 \\n\\U0001F600'"


@pytest.mark.parametrize('key, sqlstate, told', [
    ("''", '22001', '0 characters'), ("repeat('x', 257)", '22001', 'begins with "' + 'x' * 64 + '".'),
    (f"{ODD} || repeat('x', 300)", '22001', r'"caf\u00e9 \u000a\ud83d\ude00xxx'),
    ("repeat(U&'\\+01F600', 257)", '22001', '257 characters')])
def test_a_partition_key_that_the_service_refuses(db, table, kinesalite, proxy, key, sqlstate, told):
    table(kinesalite, proxy.url)
    with pytest.raises(psycopg.Error, match='partition key of row 3 ') as raised:
        db.sql(f"INSERT INTO t (id, key) VALUES (1, 'a'), (2, NULL), (3, {key})")
    assert raised.value.sqlstate == sqlstate and sent(proxy) == []
    assert told in raised.value.diag.message_primary + raised.value.diag.message_detail


def test_a_partition_key_is_counted_in_characters_not_units(db, table, lenient_moto):
    stream = table(lenient_moto)
    db.sql("INSERT INTO t (id, key) VALUES (1, repeat(U&'\\+01F600', 256))")
    assert [r['PartitionKey'] for _, r in read_by_boto3(lenient_moto.client(), stream)] == [
        '\U0001F600' * 256]


def test_an_explicit_hash_key_that_the_service_refuses(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url)
    too_large = ['340282366920938463463374607431768211456', '1' + '0' * 39, '9' * 44]
    malformed = ['', '-1', '007', '00', '+1', '1.0', '1e3', ' 1', '1 ', '0x1f', '\u0661', '9' * 39 + 'x']
    for key in too_large + malformed:
        with pytest.raises(psycopg.Error, match='explicit hash key of row 2 ') as raised:
            db.sql('INSERT INTO t (id, hash) VALUES (1, NULL), (2, %s), (3, NULL)', key)
        assert raised.value.sqlstate == ('22003' if key in too_large else '22P02'), key
        assert json.dumps(key) in raised.value.diag.message_detail
    with pytest.raises(psycopg.Error, match='explicit hash key of row 2 '):
        with db.conn.cursor().copy('COPY t (id, hash) FROM STDIN') as copy:
            copy.write_row((1, None))
            copy.write_row((2, '-1'))
    assert sent(proxy) == []


UNWRITABLE = """stream text OPTIONS (metadata 'stream'), shard text OPTIONS (metadata 'shard_id'),
    seq numeric OPTIONS (metadata 'sequence_number'),
    sub bigint OPTIONS (metadata 'sub_sequence_number'),
    arrived timestamptz OPTIONS (metadata 'approximate_arrival_timestamp'),
    problem text OPTIONS (metadata 'decode_error')"""


def test_a_value_for_what_cannot_be_written(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url, columns=f'id int, {UNWRITABLE}')
    columns = {'stream': "'s'", 'shard': "'shardId-000000000000'", 'seq': '1', 'sub': '0',
               'arrived': 'now()', 'problem': "''"}
    for column, value in columns.items():
        with pytest.raises(psycopg.Error, match=f'row 2 .*"{column}"') as raised:
            db.sql(f'INSERT INTO t (id, {column}) VALUES (1, NULL), (2, {value})')
        assert raised.value.sqlstate == '428C9'
    assert sent(proxy) == []
    db.sql(f"INSERT INTO t (id, {', '.join(columns)}) "
           'SELECT 1, s.* FROM (SELECT NULL, NULL, NULL::int, NULL::int, NULL::date, NULL) s')
    db.sql(f"INSERT INTO t (id, {', '.join(columns)}) VALUES (2{', DEFAULT' * len(columns)})")
    assert sent(proxy) == [1, 1]


def test_rows_of_a_stream_are_not_copied_whole(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url, columns=f'id int, {UNWRITABLE}')
    db.sql('INSERT INTO t (id) VALUES (1)')
    with pytest.raises(psycopg.Error, match='row 1 ') as raised:
        db.sql('INSERT INTO t SELECT * FROM t')
    assert raised.value.diag.message_hint
    with pytest.raises(psycopg.Error, match='row 1 '):
        with db.conn.cursor().copy('COPY t (id, seq) FROM STDIN') as copy:
            copy.write_row((2, 3))
    assert sent(proxy) == [1]
    db.sql('INSERT INTO t (id) SELECT id + 1 FROM t')
    assert db.sql('SELECT id FROM t ORDER BY id') == [(1,), (2,)]


def test_a_trigger_does_not_set_what_cannot_be_written(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url, columns=f'id int, {UNWRITABLE}')
    db.sql("""CREATE FUNCTION set_it() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN NEW.seq = 7; RETURN NEW; END';
        CREATE TRIGGER set_it BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION set_it()""")
    with pytest.raises(psycopg.Error, match='row 1 .*"seq"'):
        db.sql('INSERT INTO t (id) VALUES (1) RETURNING seq')
    assert sent(proxy) == []


def test_a_default_of_what_cannot_be_written_gives_nothing(db, table, kinesalite):
    table(kinesalite, columns=f'id int, {UNWRITABLE}')
    db.sql('ALTER FOREIGN TABLE t ALTER arrived SET DEFAULT now()')
    db.sql('INSERT INTO t (id) VALUES (1)')
    with pytest.raises(psycopg.Error, match='row 1 .*"arrived"'):
        db.sql('INSERT INTO t (id, arrived) VALUES (1, now())')
    assert db.value('SELECT count(*) FROM t') == 1


def test_from_stream_to_stream(db, table, make_stream, kinesalite):
    """A pipeline's target is given what can be written of the columns in common."""
    table(kinesalite, columns=f"id int, key text OPTIONS (metadata 'partition_key'), {UNWRITABLE}")
    db.foreign_table('copied', "id int, key text OPTIONS (metadata 'partition_key'), "
                     + UNWRITABLE, make_stream(kinesalite))
    db.sql("INSERT INTO t (id, key) VALUES (1, 'one'), (2, 'two')")
    db.pipeline('copying', 't', target='copied', start_at='trim_horizon')
    db.sql("CALL tracking.run_pipeline('copying')")
    assert db.sql('SELECT id, key FROM copied ORDER BY id') == [(1, 'one'), (2, 'two')]


def fail_records(indexes, code):
    """Say that these records of a PutRecords answer failed."""
    def change(answer):
        for i in indexes:
            if i < len(answer['Records']):
                answer['Records'][i] = {'ErrorCode': code, 'ErrorMessage': 'injected'}
        answer['FailedRecordCount'] = sum('ErrorCode' in r for r in answer['Records'])
        return answer
    return change


@pytest.mark.parametrize('code', ['ProvisionedThroughputExceededException', 'InternalFailure'])
def test_only_what_failed_is_sent_again(db, table, kinesalite, proxy, code):
    table(kinesalite, proxy.url)
    proxy.rewrite('PutRecords', fail_records([3, 7, 250], code), first=1)
    db.sql("INSERT INTO t (id, key) SELECT i, 'k' || i FROM generate_series(0, 299) i")
    assert sent(proxy) == [300, 3]
    again = json.loads(proxy.requests('PutRecords')[1]['body'])['Records']
    assert [r['PartitionKey'] for r in again] == ['k3', 'k7', 'k250']


def test_what_cannot_be_sent_is_named(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url, max_retries=1)
    proxy.rewrite('PutRecords', fail_records([1], 'InternalFailure'), first=1)
    proxy.rewrite('PutRecords', fail_records([0], 'InternalFailure'))
    with pytest.raises(psycopg.Error) as raised:
        db.sql("INSERT INTO t (id) VALUES (10), (20), (30)")
    text = raised.value.diag.message_primary + (raised.value.diag.message_detail or '')
    assert '1' in text and 'InternalFailure' in text
    # two of three were taken, so the count of retries began anew
    assert sent(proxy) == [3, 1, 1]


@pytest.mark.parametrize('fault', ['error', 'reset', 'cut'])
def test_passing_faults_are_retried(db, table, kinesalite, proxy, fault):
    table(kinesalite, proxy.url)
    if fault == 'error':
        proxy.error('PutRecords', 'InternalFailure', status=500, first=2)
    elif fault == 'reset':
        proxy.reset('PutRecords', first=2)
    else:
        proxy.cut('PutRecords', 5, first=1)
    db.sql("INSERT INTO t (id) SELECT generate_series(1, 100)")
    # an answer that was lost may mean twice, never less
    assert db.value('SELECT count(DISTINCT id) FROM t') == 100


def test_a_record_over_the_limit(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url)
    db.sql("INSERT INTO t (id, name, key) VALUES (1, repeat('x', 1048576 - 19 - 1), 'k')")
    with pytest.raises(psycopg.Error) as raised:
        db.sql("INSERT INTO t (id, name, key) VALUES (2, repeat('x', 1048576), 'k')")
    assert raised.value.sqlstate != 'XX000'
    assert db.sql('SELECT id FROM t') == [(1,)]


def test_a_path_with_an_index_cannot_be_written(db, table, kinesalite):
    table(kinesalite, columns="a int OPTIONS (path '$.x[0]')")
    with pytest.raises(psycopg.Error):
        db.sql('INSERT INTO t VALUES (1)')


def test_missing_stream(db, table, kinesalite):
    table(kinesalite)
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET stream 'not-there')")
    with pytest.raises(psycopg.Error, match='not-there') as raised:
        db.sql('INSERT INTO t (id) VALUES (1)')
    assert raised.value.diag.message_hint


def test_cancel(db, table, kinesalite, proxy):
    table(kinesalite, proxy.url)
    held = proxy.hold('PutRecords')
    victim = db.connect()
    errors = []

    def insert():
        try:
            victim.execute('INSERT INTO t (id) SELECT generate_series(1, 10)')
        except psycopg.Error as error:
            errors.append(error.sqlstate)
    thread = threading.Thread(target=insert)
    thread.start()
    held.wait()
    began = time.monotonic()
    victim.cancel()
    thread.join()
    assert time.monotonic() - began < 1 and errors == ['57014']


@pytest.mark.parametrize('statement', ['UPDATE t SET id = 1', 'DELETE FROM t', 'TRUNCATE t'])
def test_a_stream_takes_only_inserts(db, table, kinesalite, statement):
    table(kinesalite)
    with pytest.raises(psycopg.Error) as raised:
        db.sql(statement)
    assert raised.value.sqlstate in ('0A000', '55000', '42809')


def test_returning(db, table, kinesis):
    stream = table(kinesis, columns="id int, sh text OPTIONS (metadata 'shard_id'), "
                   "seq numeric OPTIONS (metadata 'sequence_number')", shards=2)
    rows = db.sql('INSERT INTO t (id) SELECT generate_series(1, 5) RETURNING id, sh, seq')
    assert sorted(rows) == sorted(
        (json.loads(r['Data'])['id'], shard, int(r['SequenceNumber']))
        for shard, r in read_by_boto3(kinesis.client(), stream))
