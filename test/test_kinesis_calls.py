"""Single calls of Kinesis against answers made to order: what the readers of
answers accept and refuse, retries, and listings."""
import base64
import datetime
import json
import pathlib
import socket
import threading
import time

import psycopg
import pytest

UTC = datetime.timezone.utc


@pytest.fixture
def answers(new_proxy, kinesalite):
    """A proxy that answers in the server's place."""
    return new_proxy(kinesalite)


@pytest.fixture
def get(unit, answers):
    """Columns of unit.get_records(), as dictionaries."""
    def run(body=None, iterator='it', **when):
        if body is not None:
            answers.clear()
            answers.raw('GetRecords', body if isinstance(body, bytes) else
                        json.dumps(body).encode(), **when)
        cursor = unit.execute('SELECT * FROM unit.get_records(%s, %s)',
                              (answers.url, iterator))
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor]
    return run


def record(**changes):
    made = {'SequenceNumber': '7', 'ApproximateArrivalTimestamp': 1.5, 'Data': 'YQ==',
            'PartitionKey': 'k', **changes}
    return {name: value for name, value in made.items() if value is not ...}


def page(*records, **changes):
    return {'Records': list(records), 'NextShardIterator': 'next', 'MillisBehindLatest': 0,
            **changes}


# the page

def test_a_page(get):
    rows = get(page(record(), record(SequenceNumber='8', Data='', PartitionKey='ключ')))
    assert [(r['sequence_number'], r['partition_key'], r['data']) for r in rows] == [
        ('7', 'k', b'a'), ('8', 'ключ', b'')]
    assert rows[0]['next_iterator'] == 'next' and rows[0]['millis_behind_latest'] == 0


@pytest.mark.parametrize('body, iterator, behind', [
    (b' { "Records" : [ ] } ', None, -1),
    (b'{"Records":[],"NextShardIterator":null,"MillisBehindLatest":null,"ChildShards":null}',
     None, -1),
    (b'{"Unknown":{"Records":[{}],"a":[[1,2],{"b":null}]},"NextShardIterator":"x\\n",'
     b'"MillisBehindLatest":12,"Records":[]}', 'x\n', 12),
    (b'{"NextShardIterator":"\\u00e9\\/","MillisBehindLatest":1.2E4,"Records":[]}', 'é/', 12000)])
def test_a_page_without_records(get, body, iterator, behind):
    assert [(r['sequence_number'], r['next_iterator'], r['millis_behind_latest'])
            for r in get(body)] == [(None, iterator, behind)]


PLAIN = (b'{"Records":['
         b'{"SequenceNumber":"495","ApproximateArrivalTimestamp":1763866000.123,'
         b'"Data":"aGVsbG8gd29ybGQ=","PartitionKey":"a key"},'
         b'{"Data":"YQ==","PartitionKey":"","EncryptionType":"NONE","SequenceNumber":"496",'
         b'"ApproximateArrivalTimestamp":1763866001}],'
         b'"NextShardIterator":"next","MillisBehindLatest":0}')


def test_a_page_as_servers_write_it(get):
    rows = get(PLAIN)
    assert [(r['sequence_number'], r['partition_key'], r['data'], r['arrived'].microsecond)
            for r in rows] == [('495', 'a key', b'hello world', 123000), ('496', '', b'a', 0)]


@pytest.mark.parametrize('written, as_if', [
    (b'"a key"', rb'"\u0061 key"'), (b'"aGVsbG8gd29ybGQ="', rb'"aGVsbG8gd29ybGQ\u003d"'),
    (b'"495"', b' "495"'), (b'1763866000.123', b'1.763866000123E9'),
    (b'"a key"}', b'"a key","Unknown":{}}'), (b'"a key"}', b'"a key" }'),
    (b'"SequenceNumber":"495"', b'"SequenceNumber":"1","SequenceNumber":"495"'),
    (b'{"Data":"YQ=="', b'{"Data":"Yg==","Data":"YQ=="')])
def test_a_record_reads_the_same_however_it_is_written(get, written, as_if):
    assert written in PLAIN
    assert get(PLAIN.replace(written, as_if, 1)) == get(PLAIN)


@pytest.mark.parametrize('at', range(1, len(PLAIN), 3))
def test_a_page_that_is_cut_is_no_page(get, at):
    with pytest.raises(psycopg.Error, match='Not JSON'):
        get(PLAIN[:at])


@pytest.mark.parametrize('bad', [b'"a\tkey"', b'"a\xffkey"', b'"a key""', b'"a key",', b'"a key"]'])
def test_a_plain_record_is_checked_as_any_other(get, bad):
    with pytest.raises(psycopg.Error, match='Not JSON'):
        get(PLAIN.replace(b'"a key"', bad, 1))


def test_members_that_are_null_or_unknown_or_in_another_order(get):
    row, = get(b'{"Records":[{"EncryptionType":null,"Data":"YQ==","Extra":{"Data":"Yg=="},'
               b'"PartitionKey":null,"ApproximateArrivalTimestamp":null,"SequenceNumber":"1"}]}')
    assert (row['sequence_number'], row['partition_key'], row['data']) == ('1', '', b'a')
    assert row['arrived'] == datetime.datetime(2000, 1, 1, tzinfo=UTC)


def test_many_records(get):
    n = 12_345
    rows = get(page(*[record(SequenceNumber=str(i), Data=base64.b64encode(b'%d' % i).decode())
                      for i in range(n)]))
    assert [(r['sequence_number'], r['data']) for r in rows] == [
        (str(i), b'%d' % i) for i in range(n)]


def test_escapes(get):
    data = bytes(range(256))
    text = base64.b64encode(data).decode().replace('/', r'\/').replace('A', r'\u0041')
    row, = get(b'{"Records":[{"SequenceNumber":"1","PartitionKey":"a\\"\\u00e9\\ud83d\\ude00\\n",'
               b'"Data":"' + text.encode() + b'"}]}')
    assert row['data'] == data and row['partition_key'] == 'a"é😀\n'


def test_a_key_that_cannot_be_text_is_a_string_of_json(get):
    row, = get(b'{"Records":[{"SequenceNumber":"1","PartitionKey":"a\\u0000b","Data":""}]}')
    assert row['partition_key'] == r'"a\u0000b"'


@pytest.mark.parametrize('data', ['YQ=', 'YQ', 'Y', '!!!!', 'YR==', 'YQ== '])
def test_data_that_is_not_base64_is_no_error(get, data):
    assert [r['data'] for r in get(page(record(Data=data)))] == [None]


@pytest.mark.parametrize('number, micros', [
    ('0', 0), ('1763866000', 1763866000_000000), ('1763866000.123', 1763866000_123000),
    ('1.763866000123E9', 1763866000_123000), ('1.7638660001E+09', 1763866000_100000),
    ('1763866000123e-3', 1763866000_123000), ('1763866000.1229999', 1763866000_123000),
    ('1763866000.12300001', 1763866000_123000), ('1763866000.0000005', 1763866000_000001),
    ('1763866000.00000049', 1763866000_000000), ('0.00000001e17', 1000000000_000000),
    ('1763866000.000000000000000000000000009', 1763866000_000000), ('-1.5', -1_500000),
    ('1e-999999999999', 0), ('0e999999999999', 0), ('0.0000000000000000000001', 0)])
def test_times_are_exact(get, number, micros):
    row, = get(b'{"Records":[{"SequenceNumber":"1","Data":"",'
               b'"ApproximateArrivalTimestamp":' + number.encode() + b'}]}')
    epoch = datetime.datetime(1970, 1, 1, tzinfo=UTC)
    assert row['arrived'] == epoch + datetime.timedelta(microseconds=micros)


def unread(port):
    """Bytes that came to this port of the machine and were not read yet."""
    for line in pathlib.Path('/proc/net/tcp').read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(':')[1], 16) == port:
            return int(fields[4].split(':')[1], 16)
    return 0


@pytest.fixture
def piecewise(wait_until):
    """piecewise(pieces, chunked): URL of a server that answers once, with one piece
    after the other, each when what came before has been read."""
    listeners = []

    def serve(listener, pieces, chunked):
        connection, (_, port) = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.recv(65536)
            length = 'Transfer-Encoding: chunked' if chunked else \
                f'Content-Length: {sum(map(len, pieces))}'
            connection.sendall(f'HTTP/1.1 200 OK\r\n{length}\r\n\r\n'.encode())
            for piece in pieces:
                wait_until(lambda: unread(port) == 0, what='the last piece to be read')
                connection.sendall(b'%x\r\n%s\r\n' % (len(piece), piece) if chunked else piece)
            if chunked:
                connection.sendall(b'0\r\n\r\n')

    def make(pieces, chunked):
        listener = socket.create_server(('127.0.0.1', 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, pieces, chunked), daemon=True).start()
        return f'http://127.0.0.1:{listener.getsockname()[1]}'
    yield make
    for listener in listeners:
        listener.close()


def whole(unit, url):
    return unit.execute('SELECT * FROM unit.get_records(%s, $$it$$)', (url,)).fetchall()


ODD = (b'{"Records":[{"SequenceNumber":"1","Data":"YQ==","PartitionKey":"k"}, {"Data":"Yg==",'
       b'"SequenceNumber":"2","Odd":[{}],"PartitionKey":"\\u00e9"},{"SequenceNumber":"3",'
       b'"Data":"Y2\\/j","PartitionKey":"k","ApproximateArrivalTimestamp":1763866000}],'
       b'"NextShardIterator":"\\u0061"}')
LARGE = json.dumps(page(*[record(SequenceNumber=str(i), Data='QUJD' * size)
                          for i, size in enumerate((1, 50_000, 2, 3, 100_000, 1))])).encode()


BODIES = {'plain': PLAIN, 'odd': ODD, 'large': LARGE, 'large plain': LARGE.replace(b' ', b'')}


@pytest.mark.parametrize('chunked', [False, True], ids=['length', 'chunked'])
@pytest.mark.parametrize('body, size', [
    ('plain', 1), ('plain', 7), ('plain', 150), ('odd', 1), ('odd', 40), ('large', 10_000),
    ('large', 65_536), ('large plain', 10_000), ('large plain', 65_536)])
def test_answers_in_pieces_are_read_like_whole_ones(unit, piecewise, body, size, chunked):
    body = BODIES[body]
    at_once = whole(unit, piecewise([body], False))
    assert at_once and at_once == whole(unit, piecewise(
        [body[i:i + size] for i in range(0, len(body), size)], chunked))


def test_child_shards(get):
    child = {'ShardId': 's-2', 'ParentShards': ['s-0', 's-1'],
             'HashKeyRange': {'StartingHashKey': '0', 'EndingHashKey': '9', 'More': [1]}, 'x': {}}
    row, = get(page(NextShardIterator=None, ChildShards=[
        child, {**child, 'ParentShards': ['s-0'], 'ShardId': 's-3'}]))
    assert row['child_shards'] == ['s-2<s-0,s-1:0-9', 's-3<s-0:0-9']
    assert row['next_iterator'] is None


@pytest.mark.parametrize('body, why', [
    (b'', 'byte 0'), (b'<html>', 'byte 0'), (b'null', 'null'), (b'[]', 'type'), (b'{"a":1', 'byte'),
    (b'{} x', 'byte 3'), (b'{"Records":{}}', 'type'), (b'{"Records":[1]}', 'no object'),
    (b'{"Records":[{"SequenceNumber":"1"}]}', 'no Data'),
    (b'{"Records":[{"Data":"YQ=="}]}', 'no SequenceNumber'),
    (b'{"Records":[{"SequenceNumber":"1x","Data":""}]}', 'digits'),
    (b'{"Records":[{"SequenceNumber":"","Data":""}]}', 'length'),
    (b'{"Records":[{"SequenceNumber":"%s","Data":""}]}' % (b'1' * 130), 'length'),
    (b'{"Records":[{"SequenceNumber":"1","Data":"","ApproximateArrivalTimestamp":1e30}]}',
     'out of range'),
    (b'{"Records":[{"SequenceNumber":"1","Data":"","ApproximateArrivalTimestamp":-9e12}]}',
     'out of range'),
    (b'{"MillisBehindLatest":1e30}', 'out of range'),
    (b'{"NextShardIterator":"a\\u0000"}', 'not text'),
    (b'{"ChildShards":[{"ShardId":"x"}]}', 'ParentShards'),
    (b'{"Records":[{"SequenceNumber":"1","Data":"\xff"}]}', 'byte')])
def test_answers_that_are_refused(get, body, why):
    with pytest.raises(psycopg.Error) as raised:
        get(body)
    assert raised.value.sqlstate == 'HV000'
    assert why in raised.value.diag.message_detail
    assert get(page(record()))[0]['data'] == b'a'


def test_an_iterator_is_escaped_again(get, answers):
    iterator = 'a"\\/\n é'
    get(page(NextShardIterator=iterator), iterator=iterator)
    assert json.loads(answers.requests('GetRecords')[0]['body'])['ShardIterator'] == iterator


# retries

def shards(*names, **more):
    return json.dumps({'Shards': [{'ShardId': name} for name in names], **more}).encode()


@pytest.fixture
def list_shards(unit, answers):
    def run(stream='s', max_retries=2):
        return [row[0] for row in unit.execute('SELECT * FROM unit.list_shards(%s, %s, %s)',
                                               (answers.url, stream, max_retries))]
    return run


def stats(unit):
    return unit.execute('SELECT calls, retries, throttles FROM unit.aws_stats()').fetchone()


def test_retries_after_passing_faults(list_shards, answers, unit):
    # first, as libcurl by itself replaces a kept connection that was reset
    answers.reset('ListShards', first=1)
    answers.error('ListShards', 'InternalFailure', status=500, first=1)
    answers.error('ListShards', 'ProvisionedThroughputExceededException', first=1)
    answers.raw('ListShards', shards('a'))
    assert list_shards(max_retries=3) == ['a']
    assert stats(unit) == (1, 3, 1)


def test_retries_are_bounded_and_counted(list_shards, answers):
    answers.error('ListShards', 'ProvisionedThroughputExceededException', 'Rate exceeded')
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded) as raised:
        list_shards(max_retries=2)
    detail = raised.value.diag.message_detail
    assert 'ProvisionedThroughputExceededException: Rate exceeded.' in detail
    assert 'Tried 3 times' in detail and 'injected-request-id' in detail
    assert len(answers.requests()) == 3


def test_every_attempt_is_signed_anew(list_shards, answers):
    answers.raw('ListShards', b'{"__type":"InternalFailure"}', status=500,
                headers=[('x-amz-retry-after', '1100')], first=1)
    answers.raw('ListShards', shards('a'))
    list_shards(max_retries=1)
    first, second = (entry['headers'] for entry in answers.requests())
    assert first['X-Amz-Date'] < second['X-Amz-Date']
    assert first['Authorization'] != second['Authorization']


@pytest.mark.parametrize('code', ['ResourceNotFoundException', 'AccessDeniedException',
                                  'ExpiredIteratorException', 'ValidationException',
                                  'InvalidSignatureException'])
def test_what_no_retry_helps(list_shards, answers, code):
    answers.error('ListShards', code)
    with pytest.raises(psycopg.Error):
        list_shards(max_retries=5)
    assert len(answers.requests()) == 1


def test_the_service_may_ask_for_patience(list_shards, answers):
    answers.raw('ListShards', b'{"__type":"InternalFailure"}', status=500,
                headers=[('x-amz-retry-after', '700')], first=1)
    answers.raw('ListShards', shards('a'))
    began = time.monotonic()
    assert list_shards(max_retries=1) == ['a']
    assert time.monotonic() - began >= 0.7


def test_a_wrong_secret_is_tried_once(list_shards, answers):
    """The clocks agree, so a new signature would not help."""
    date = time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime())
    answers.raw('ListShards', b'{"__type":"InvalidSignatureException"}', status=403,
                headers=[('Date', date)])
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
        list_shards(max_retries=5)
    assert len(answers.requests()) == 1


@pytest.mark.parametrize('date', ['', 'now', 'Thu, 99 Foo 2026 00:00:00 GMT', 'Thu'])
def test_a_date_that_cannot_be_read(list_shards, answers, date):
    answers.raw('ListShards', b'{"__type":"RequestExpired"}', status=403,
                headers=[('Date', date)])
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
        list_shards(max_retries=5)
    assert len(answers.requests()) == 1


def test_a_clock_that_stays_wrong(list_shards, answers):
    answers.raw('ListShards', b'{"__type":"RequestExpired"}', status=403,
                headers=[('Date', 'Thu, 01 Jan 2026 00:00:00 GMT')])
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
        list_shards(max_retries=5)
    assert len(answers.requests()) == 2


# listings

def test_pages_of_shards(answers, list_shards):
    answers.raw('ListShards', shards('a', 'b', NextToken='one'), first=1)
    answers.raw('ListShards', shards(NextToken='two"\n'), first=1)
    answers.raw('ListShards', shards('c', NextToken=None), first=1)
    assert list_shards() == ['a', 'b', 'c']
    assert [json.loads(e['body']) for e in answers.requests()] == [
        {'StreamName': 's', 'MaxResults': 1000}, {'NextToken': 'one', 'MaxResults': 1000},
        {'NextToken': 'two"\n', 'MaxResults': 1000}]


def test_an_expired_token_starts_the_listing_again(answers, list_shards):
    answers.raw('ListShards', shards('gone', NextToken='old'), first=1)
    answers.error('ListShards', 'ExpiredNextTokenException', first=1)
    answers.raw('ListShards', shards('a', NextToken='new'), first=1)
    answers.raw('ListShards', shards('b'), first=1)
    assert list_shards() == ['a', 'b']


def test_a_token_that_always_expires(answers, list_shards):
    answers.raw('ListShards', shards('a', NextToken='t'), every=2, after=1)
    answers.error('ListShards', 'ExpiredNextTokenException')
    with pytest.raises(psycopg.errors.FdwError, match='could not list the shards of stream "s"'):
        list_shards()


def test_a_stream_by_its_arn(answers, list_shards):
    arn = 'arn:aws:kinesis:us-east-1:123456789012:stream/s'
    answers.raw('ListShards', shards('a'))
    assert list_shards(arn) == ['a']
    assert json.loads(answers.requests()[0]['body'])['StreamARN'] == arn


@pytest.mark.parametrize('body', [b'', b'{}', b'<html>', b'{"Shards":[{}]}', b'{"Shards":null}'])
def test_a_listing_that_is_none(answers, list_shards, body):
    answers.raw('ListShards', body)
    with pytest.raises(psycopg.errors.FdwError, match='could not list the shards of stream "s"'):
        list_shards()


def test_shards_after_a_split_and_a_merge(unit, kinesis, make_stream, wait_until):
    stream, client = make_stream(kinesis, 2), kinesis.client()

    def active():
        return client.describe_stream_summary(StreamName=stream)[
            'StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE'
    client.split_shard(StreamName=stream, ShardToSplit='shardId-000000000000',
                       NewStartingHashKey='1000')
    wait_until(active, what='split')
    client.merge_shards(StreamName=stream, ShardToMerge='shardId-000000000003',
                        AdjacentShardToMerge='shardId-000000000001')
    wait_until(active, what='merge')
    ours = unit.execute('SELECT * FROM unit.list_shards(%s, %s)', (kinesis.url, stream)).fetchall()
    theirs = client.list_shards(StreamName=stream)['Shards']
    assert ours == [
        (s['ShardId'], s.get('ParentShardId'), s.get('AdjacentParentShardId'),
         s['HashKeyRange']['StartingHashKey'], s['HashKeyRange']['EndingHashKey'],
         s['SequenceNumberRange']['StartingSequenceNumber'],
         s['SequenceNumberRange'].get('EndingSequenceNumber')) for s in theirs]
    assert {row[0]: row[1:3] for row in ours}['shardId-000000000004'] == (
        'shardId-000000000003', 'shardId-000000000001')


def test_all_streams(unit, kinesis, make_stream):
    made = {make_stream(kinesis) for _ in range(12)}
    assert made <= {row[0] for row in
                    unit.execute('SELECT * FROM unit.list_streams(%s)', (kinesis.url,))}


def test_pages_of_streams(unit, answers):
    answers.raw('ListStreams', b'{"StreamNames":["a","b"],"HasMoreStreams":true}', first=1)
    answers.raw('ListStreams', b'{"StreamNames":["c"],"HasMoreStreams":false}', first=1)
    assert [row[0] for row in unit.execute('SELECT * FROM unit.list_streams(%s)',
                                           (answers.url,))] == ['a', 'b', 'c']
    assert [json.loads(e['body']) for e in answers.requests()] == [
        {}, {'ExclusiveStartStreamName': 'b'}]
