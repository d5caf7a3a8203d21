"""SELECT: every record of a stream, exactly, whatever the network does."""
import datetime
import decimal
import json
import threading
import time
import uuid

import psycopg
import pytest


@pytest.fixture
def table(db, sql_server, kinesis, make_stream, put):
    """Make table t over a new stream with these records, on each server."""
    def make(columns, records=(), shards=1, **options):
        stream = make_stream(kinesis, shards)
        put(kinesis.client(), stream, records)
        sql_server(db, kinesis.url)
        db.foreign_table('t', columns, stream, **options)
        return stream
    return make


def read_by_boto3(client, stream):
    """(shard, record) of all that a stream has."""
    for shard in client.list_shards(StreamName=stream)['Shards']:
        iterator = client.get_shard_iterator(
            StreamName=stream, ShardId=shard['ShardId'],
            ShardIteratorType='TRIM_HORIZON')['ShardIterator']
        while iterator:
            answer = client.get_records(ShardIterator=iterator)
            yield from ((shard['ShardId'], record) for record in answer['Records'])
            iterator = answer['Records'] and answer.get('NextShardIterator')


def test_scalar_types(db, table):
    table('a smallint, b int, c bigint, d numeric, e real, f double precision, g text, '
          'h varchar(20), i boolean, j timestamptz, k date, l uuid, m jsonb, n int[], '
          'o text[], p bytea, q inet, r interval, "S x" text',
          ['{"a":-32768,"b":2147483647,"c":-9223372036854775808,"d":892.20,"e":0.5,'
           '"f":1e300,"g":"\\u00e9\\ud83d\\ude00 \\"q\\" \\n","h":"h","i":true,'
           '"j":"2026-02-03T04:05:06.789Z","k":"2026-02-03",'
           '"l":"00000000-0000-0000-0000-00000000000a",'
           '"m":{"x":[1,2.50,null]},"n":[1,null,3],"o":["a","b,c",null],'
           '"p":"\\\\x00ff","q":"::1","r":"1 day","S x":"odd"}'])
    assert db.sql("SELECT * FROM t") == [(
        -32768, 2147483647, -9223372036854775808, decimal.Decimal('892.20'), 0.5, 1e300,
        'é😀 "q" \n', 'h', True,
        datetime.datetime(2026, 2, 3, 4, 5, 6, 789000, datetime.timezone.utc),
        datetime.date(2026, 2, 3), uuid.UUID(int=10), {'x': [1, 2.5, None]}, [1, None, 3],
        ['a', 'b,c', None], b'\x00\xff', db.value("SELECT '::1'::inet"),
        datetime.timedelta(days=1), 'odd')]
    # numbers keep their digits, which a tree of doubles would not
    assert db.value("SELECT d::text || ' ' || (m->'x'->1)::text FROM t") == '892.20 2.50'


def test_absent_null_and_extra_members(db, table):
    table('id int, name text', ['{"id":1}', '{"id":2,"name":null,"other":{"id":9}}', '{}'])
    assert sorted(db.sql('SELECT id, name FROM t'), key=str) == [
        (1, None), (2, None), (None, None)]


def test_keys_match_exactly_or_else_ignoring_case(db, table):
    table('id int, name text', ['{"ID":1,"Name":"go"}', '{"ID":7,"id":2,"NAME":"x","name":"exact"}'])
    assert sorted(db.sql('SELECT id, name FROM t')) == [(1, 'go'), (2, 'exact')]


def test_paths(db, table):
    table("""page text OPTIONS (path '$.context.page'),
             second int OPTIONS (path '$.items[1].id'),
             whole jsonb OPTIONS (path '$.context'),
             odd text OPTIONS (path '$."odd key".x')""",
          ['{"context":{"page":"/","deep":{"page":"no"}},"items":[{"id":1},{"id":2}],'
           '"odd key":{"x":"y"}}',
           '{"context":"no object","items":[]}'])
    assert sorted(db.sql('SELECT * FROM t'), key=str) == [
        ('/', 2, {'page': '/', 'deep': {'page': 'no'}}, 'y'),
        (None, None, 'no object', None)]


def test_metadata_is_what_the_service_says(db, table, kinesis):
    stream = table("""id int, st text OPTIONS (metadata 'stream'),
        sh text OPTIONS (metadata 'shard_id'), seq numeric OPTIONS (metadata 'sequence_number'),
        pk text OPTIONS (metadata 'partition_key'), raw bytea OPTIONS (metadata 'data'),
        at timestamptz OPTIONS (metadata 'approximate_arrival_timestamp'),
        err text OPTIONS (metadata 'decode_error')""",
                   [('{"id":%d}' % i, 'key "%d" \u00e9' % i) for i in range(20)], shards=3)
    expected = sorted(
        (json.loads(r['Data'])['id'], stream, shard, decimal.Decimal(r['SequenceNumber']),
         r['PartitionKey'], r['Data'], None)
        for shard, r in read_by_boto3(kinesis.client(), stream))
    assert db.sql('SELECT id, st, sh, seq, pk, raw, err FROM t ORDER BY id') == expected
    assert db.value("SELECT bool_and(at BETWEEN now() - interval '1 minute' AND "
                    "now() + interval '1 second') FROM t")


def test_one_shard_as_a_table(db, table, kinesis):
    stream = table('id int', [{'id': i} for i in range(30)], shards=3,
                   shard='shardId-000000000001')
    expected = sorted(json.loads(r['Data'])['id']
                      for shard, r in read_by_boto3(kinesis.client(), stream)
                      if shard == 'shardId-000000000001')
    assert [r[0] for r in db.sql('SELECT id FROM t ORDER BY 1')] == expected


def test_raw_format(db, table):
    payloads = [b'', b'\x00\xff binary', 'text é'.encode()]
    table('payload bytea', payloads, format='raw')
    assert sorted(bytes(r[0]) for r in db.sql('SELECT payload FROM t')) == sorted(payloads)


def test_start(db, table, kinesis, put, wait_until):
    stream = table('id int', [{'id': 1}])
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD start 'latest')")
    assert db.value('SELECT count(*) FROM t') == 0
    (_, first), = read_by_boto3(kinesis.client(), stream)
    # a millisecond, to which arrivals are told, lies between
    beyond = first['ApproximateArrivalTimestamp'] + datetime.timedelta(milliseconds=2)
    wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) > beyond)
    between = datetime.datetime.now(datetime.timezone.utc)
    put(kinesis.client(), stream, [{'id': 2}])
    db.sql(f"ALTER FOREIGN TABLE t OPTIONS (SET start '{between.isoformat()}')")
    assert db.sql('SELECT id FROM t') == [(2,)]
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET start 'trim_horizon')")
    assert db.value('SELECT count(*) FROM t') == 2


def test_empty_stream(db, table):
    table('id int', shards=4)
    assert db.sql('SELECT * FROM t') == []


def test_resharded_stream_in_order(db, table, kinesis, put, wait_until):
    stream = table("id int, sh text OPTIONS (metadata 'shard_id')", [{'id': i} for i in range(50)])
    client = kinesis.client()
    client.split_shard(StreamName=stream, ShardToSplit='shardId-000000000000',
                       NewStartingHashKey=str(2 ** 127))
    wait_until(lambda: client.describe_stream_summary(StreamName=stream)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')
    put(client, stream, [{'id': i} for i in range(50, 100)])
    rows = db.sql('SELECT id, sh FROM t')
    assert sorted(r[0] for r in rows) == list(range(100))
    # all of the parent comes before any of its children
    assert [r[0] for r in rows[:50]] == list(range(50))
    assert len({r[1] for r in rows}) == 3


def test_scan_again_and_again(db, table):
    table('id int', [{'id': i} for i in range(10)], shards=2)
    db.sql('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off')
    assert db.value('SELECT count(*) FROM t a JOIN t b USING (id)') == 10
    with db.conn.transaction():
        db.sql('DECLARE c SCROLL CURSOR FOR SELECT id FROM t')
        forward = db.sql('FETCH ALL FROM c')
        db.sql('MOVE ABSOLUTE 0 FROM c')
        assert db.sql('FETCH ALL FROM c') == forward


# through the proxy, in front of kinesalite

@pytest.fixture
def proxied(db, sql_server, kinesalite, proxy, make_stream, put):
    """Table t over 500 records on 2 shards, read through the proxy."""
    stream = make_stream(kinesalite, 2)
    put(kinesalite.client(), stream, [{'id': i} for i in range(500)])
    sql_server(db, proxy.url, request_timeout='3s')
    db.foreign_table('t', 'id int', stream)
    return proxy


def complete(db):
    return db.sql('SELECT count(*), count(DISTINCT id), sum(id) FROM t') == [
        (500, 500, sum(range(500)))]


@pytest.mark.parametrize('op', ['ListShards', 'GetShardIterator', 'GetRecords'])
def test_passing_faults_are_retried(db, proxied, op):
    for fault in (
            lambda: proxied.error(op, 'ProvisionedThroughputExceededException', first=1),
            lambda: proxied.error(op, 'InternalFailure', status=500, first=1),
            lambda: proxied.raw(op, b'<html>bad gateway</html>', status=502, first=1),
            lambda: proxied.reset(op, first=1),
            lambda: proxied.lose(op, first=1),
            lambda: proxied.cut(op, 20, first=1)):
        proxied.clear()
        fault()
        assert complete(db)
        assert any(e['fault'] for e in proxied.requests(op))


def test_slow_answer(db, proxied):
    proxied.slow('GetRecords', 20000, pause=0.02)
    assert complete(db)


def test_expired_iterator_is_renewed(db, proxied):
    proxied.error('GetRecords', 'ExpiredIteratorException', message='Iterator expired.', first=2)
    assert complete(db)


@pytest.mark.parametrize('op', ['ListShards', 'GetShardIterator', 'GetRecords'])
def test_a_scan_that_cannot_finish_is_an_error(db, proxied, op):
    db.sql("ALTER SERVER aws OPTIONS (ADD max_retries '1')")
    proxied.error(op, 'InternalFailure', status=500)
    with pytest.raises(psycopg.Error, match='could not') as raised:
        db.sql('SELECT count(*) FROM t')
    assert 'InternalFailure' in raised.value.diag.message_detail


def test_one_shard_failing_in_the_middle_is_an_error(db, proxied):
    db.sql("ALTER SERVER aws OPTIONS (ADD max_retries '1')")
    proxied.error('GetRecords', 'InternalFailure', status=500, after=1)
    with pytest.raises(psycopg.Error, match='could not'):
        db.sql('SELECT count(*) FROM t')


@pytest.mark.parametrize('answer', [
    b'', b'{}', b'[]', b'not JSON', b'{"Records":[{}]}', b'{"Records":7}',
    b'{"Records":[{"SequenceNumber":"' + b'1' * 500 + b'","PartitionKey":"k","Data":""}]}'],
    ids=str)
def test_answers_against_the_contract(db, proxied, answer):
    """Nonsense from the far side is an error or a bad record, not a crash."""
    db.sql("ALTER SERVER aws OPTIONS (ADD max_retries '1')")
    db.sql("SET statement_timeout = '10s'")
    proxied.raw('GetRecords', answer)
    with pytest.raises(psycopg.Error):
        db.sql('SELECT * FROM t')
    proxied.clear()
    assert complete(db)


def test_data_that_is_not_base64(db, proxied):
    def spoil(answer):
        for record in answer['Records'][:1]:
            record['Data'] = '*'
        return answer
    proxied.rewrite('GetRecords', spoil)
    with pytest.raises(psycopg.Error, match='base64'):
        db.sql('SELECT * FROM t')


def test_all_shards_at_once(db, sql_server, kinesalite, proxy, make_stream, put):
    stream = make_stream(kinesalite, 16)
    put(kinesalite.client(), stream, [{'id': i} for i in range(200)])
    sql_server(db, proxy.url)
    db.foreign_table('t', 'id int', stream)
    held = proxy.hold('GetRecords', first=16)
    scan = threading.Thread(target=db.sql, args=('SELECT count(*) FROM t',))
    scan.start()
    held.wait(16)
    held.release()
    scan.join()
    assert db.value('SELECT count(*) FROM t') == 200


def test_limit_stops_the_calls(db, sql_server, kinesalite, proxy, make_stream, put):
    stream = make_stream(kinesalite, 1)
    put(kinesalite.client(), stream, [{'id': i} for i in range(30000)])
    sql_server(db, proxy.url)
    db.foreign_table('t', 'id int', stream)
    assert db.value('SELECT count(*) FROM t') == 30000
    all_calls = len(proxy.requests('GetRecords'))
    assert len(db.sql('SELECT id FROM t LIMIT 5')) == 5
    assert len(proxy.requests('GetRecords')) - all_calls < all_calls
    assert len(proxy.requests('GetRecords')) - all_calls <= 2


@pytest.mark.parametrize('op', ['ListShards', 'GetShardIterator', 'GetRecords'])
@pytest.mark.parametrize('how', ['cancel', 'timeout', 'terminate'])
def test_an_interrupt_ends_a_wait_at_once(db, proxied, op, how):
    held = proxied.hold(op)
    errors = []
    victim = db.connect()

    def scan():
        try:
            victim.execute('SELECT count(*) FROM t')
        except psycopg.Error as error:
            errors.append(error.sqlstate or str(error))
    if how == 'timeout':
        victim.execute("SET statement_timeout = '300ms'")
    thread = threading.Thread(target=scan)
    thread.start()
    held.wait()
    began = time.monotonic()
    if how == 'cancel':
        victim.cancel()
    elif how == 'terminate':
        db.sql('SELECT pg_terminate_backend(%s)', victim.info.backend_pid)
    thread.join()
    assert time.monotonic() - began < 1
    assert len(errors) == 1 and (victim.closed if how == 'terminate' else errors[0] == '57014')


def test_tls_is_verified(db, sql_server, kinesis, certificate, make_stream, put):
    stream = make_stream(kinesis)
    put(kinesis.client(), stream, [{'id': 1}])
    sql_server(db, kinesis.tls_url, max_retries=0)
    db.foreign_table('t', 'id int', stream)
    with pytest.raises(psycopg.Error, match='could not') as raised:
        db.sql('SELECT * FROM t')
    assert 'certificate' in raised.value.diag.message_detail
    db.sql(f"ALTER SERVER aws OPTIONS (ADD ca_bundle '{certificate.ca}')")
    assert db.sql('SELECT id FROM t') == [(1,)]
