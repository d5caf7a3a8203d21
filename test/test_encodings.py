"""All that goes over the wire is UTF-8, whatever the database is in."""
import json

import psycopg
import pytest

from harness.fake_store import FakeStore
from harness.recorder import Recorder, answer

CODECS = {'UTF8': 'utf-8', 'LATIN1': 'latin-1', 'EUC_JP': 'euc_jp', 'SQL_ASCII': 'utf-8'}
KEYS = ['plain', 'k\u00e9y', '\u65e5\u672c', '\u20ac', 'x\u00a4\u65e5', '\U0001F600', '\u0085', 'tab\t',
        '"', '"q"', '"\\u00e9"', 'a"b\\u65e5\\', "it's", '\u007f']


@pytest.fixture
def database(cluster, new_db):
    made = []

    def make(encoding):
        made.append(new_db(cluster, encoding=encoding))
        made[-1].codec = CODECS[encoding]
        return made[-1]
    yield make
    for each in made:
        each.drop()


@pytest.fixture(params=CODECS)
def encoded(request, database):
    """A database in each of the encodings."""
    return database(request.param)


@pytest.fixture(params=['LATIN1', 'EUC_JP'])
def narrow(request, database):
    return database(request.param)


def holds(db, text):
    """Has the database all these characters?"""
    try:
        text.encode(db.codec)
    except UnicodeEncodeError:
        return False
    return True


def kept(db, key):
    """A partition key as tracking.dead_letter has it."""
    if holds(db, key) and not key.startswith('"'):
        return key
    return json.dumps(key)


def refusal(db, query, *args):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query, *args)
    return raised.value


@pytest.fixture
def keyed(sql_server, make_stream, put, kinesalite):
    """keyed(db, records): table src over a new stream of pairs of payload and
    key, and table target."""
    def make(db, records):
        stream = make_stream(kinesalite)
        put(kinesalite.client(), stream, records)
        sql_server(db, kinesalite.url)
        db.foreign_table('src', "id int, key text OPTIONS (metadata 'partition_key')", stream)
        db.sql('CREATE TABLE target (id int, key text)')
        return stream
    return make


# partition keys

def test_a_column_of_keys(encoded, keyed):
    keyed(encoded, [({'id': n}, key) for n, key in enumerate(KEYS)])
    encoded.sql("ALTER FOREIGN TABLE src OPTIONS (ADD on_error 'skip')")
    assert dict(encoded.sql('SELECT id, key FROM src')) == \
        {n: key for n, key in enumerate(KEYS) if holds(encoded, key)}


def test_dead_letters_have_keys_as_text_of_the_database(encoded, keyed):
    keyed(encoded, [({'id': f'no{n}'}, key) for n, key in enumerate(KEYS)])
    encoded.sql('ALTER FOREIGN TABLE src DROP COLUMN key')
    encoded.pipeline('p', 'src', target='target', enabled=False)
    encoded.sql("CALL tracking.run_pipeline('p')")
    rows = encoded.sql("SELECT convert_from(data, 'UTF8'), partition_key FROM tracking.dead_letter")
    assert dict(rows) == {'{"id":"no%d"}' % n: kept(encoded, key) for n, key in enumerate(KEYS)}


def test_keys_come_back_from_dead_letters_as_they_were(encoded, keyed):
    keyed(encoded, [({'id': n}, key) for n, key in enumerate(KEYS)])
    encoded.sql('ALTER TABLE target ADD CONSTRAINT none CHECK (id < 0)')
    encoded.pipeline('p', 'src', target='target', enabled=False)
    encoded.sql("CALL tracking.run_pipeline('p')")
    assert dict(encoded.sql('SELECT partition_key, sqlstate FROM tracking.dead_letter')) == \
        {kept(encoded, key): '23514' if holds(encoded, key) else '22P05' for key in KEYS}
    encoded.sql('ALTER TABLE target DROP CONSTRAINT none')
    encoded.sql("SELECT tracking.replay_dead_letters('p')")
    assert dict(encoded.sql('SELECT id, key FROM target')) == \
        {n: key for n, key in enumerate(KEYS) if holds(encoded, key)}
    # the others are what they were, and land where nobody asks for the key
    assert {key for key, in encoded.sql('SELECT partition_key FROM tracking.dead_letter')} == \
        {kept(encoded, key) for key in KEYS if not holds(encoded, key)}
    encoded.sql('ALTER FOREIGN TABLE src DROP COLUMN key')
    encoded.sql("SELECT tracking.replay_dead_letters('p')")
    assert encoded.value('SELECT count(*) FROM target') == len(KEYS)


@pytest.mark.parametrize('key', ['a\\u0000b', '\\ud800', '\\u00e9\\u65e5', '\\"', '\\"x\\"'])
def test_keys_that_are_escaped_on_the_wire(encoded, keyed, new_proxy, kinesalite, key):
    keyed(encoded, [({}, 'k')])
    proxy = new_proxy(kinesalite)
    encoded.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")

    def rewritten(page):
        for record in page['Records']:
            record['PartitionKey'] = json.loads(f'"{key}"')
        return page                     # json.dumps() escapes it again
    proxy.rewrite('GetRecords', rewritten)
    encoded.sql('ALTER TABLE target ADD CHECK (id IS NOT NULL)')
    encoded.pipeline('p', 'src', target='target', enabled=False)
    encoded.sql("CALL tracking.run_pipeline('p')")
    before = encoded.sql('SELECT partition_key, sqlstate FROM tracking.dead_letter')
    try:
        text = json.loads(f'"{key}"')
        good = '\0' not in text and holds(encoded, text)
    except UnicodeError:
        good = False
    if good:
        assert before == [(kept(encoded, text), '23514')]
    else:
        assert before == [(f'"{key}"', before[0][1])] and before[0][1][:2] == '22'
    encoded.sql("SELECT tracking.replay_dead_letters('p')")
    assert encoded.sql('SELECT partition_key, sqlstate FROM tracking.dead_letter') == before


@pytest.fixture
def events(sql_server, make_stream, kinesalite):
    """events(db, columns): a table to publish by; what has arrived, as pairs of
    data and key."""
    def make(db, columns):
        stream = make_stream(kinesalite)
        client = kinesalite.client()
        sql_server(db, kinesalite.url)
        db.foreign_table('events', columns, stream)

        def arrived():
            iterator = client.get_shard_iterator(
                StreamName=stream, ShardId='shardId-000000000000',
                ShardIteratorType='TRIM_HORIZON')['ShardIterator']
            return [(r['Data'], r['PartitionKey'])
                    for r in client.get_records(ShardIterator=iterator)['Records']]
        return arrived
    return make


def test_keys_and_payloads_are_published_in_utf8(encoded, events):
    arrived = events(encoded, "name text, key text OPTIONS (metadata 'partition_key')")
    keys = [key for key in KEYS if holds(encoded, key)]
    for key in keys:
        encoded.sql('INSERT INTO events VALUES (%s, %s)', key, key)
    assert [key for _, key in arrived()] == keys
    assert [json.loads(data)['name'] for data, _ in arrived()] == keys


@pytest.mark.parametrize('character', ['\u00e9', '\u65e5', 'x'])
def test_a_key_has_256_characters_in_any_encoding(encoded, events, character):
    if not holds(encoded, character):
        pytest.skip('the database has no such character')
    arrived = events(encoded, "id int, key text OPTIONS (metadata 'partition_key')")
    for n in (1, 85, 127, 128, 255, 256):
        encoded.sql('INSERT INTO events VALUES (1, %s)', character * n)
    assert [len(key) for _, key in arrived()] == [1, 85, 127, 128, 255, 256]
    error = refusal(encoded, 'INSERT INTO events VALUES (1, %s)', character * 257)
    assert error.sqlstate == '22001' and 'has 257 characters' in error.diag.message_primary


def test_what_is_no_utf8_is_not_published(database, events):
    db = database('SQL_ASCII')
    arrived = events(db, "name text, key text OPTIONS (metadata 'partition_key')")
    for row in (r"E'caf\xe9', 'k'", r"'x', E'caf\xe9'"):
        assert refusal(db, f'INSERT INTO events VALUES ({row})').sqlstate == '22021'
    assert arrived() == []


# payloads

@pytest.mark.parametrize('text', ['caf\u00e9', '\u65e5\u672c', '\U0001F600'])
@pytest.mark.parametrize('form', ['raw', 'json', 'escaped'])
def test_a_value_that_the_database_cannot_hold_is_a_dead_letter(
        encoded, sql_server, make_stream, put, kinesalite, text, form):
    stream = make_stream(kinesalite)
    data = {'raw': text, 'json': json.dumps({'name': text}, ensure_ascii=False),
            'escaped': json.dumps({'name': text})}[form]
    put(kinesalite.client(), stream, [data])
    sql_server(encoded, kinesalite.url)
    encoded.foreign_table('src', 'name text', stream, format='raw' if form == 'raw' else 'json')
    encoded.sql('CREATE TABLE target (name text)')
    encoded.pipeline('p', 'src', target='target', enabled=False)
    encoded.sql("CALL tracking.run_pipeline('p')")
    letters = [(bytes(data), sqlstate) for data, sqlstate in encoded.sql(
        'SELECT data, sqlstate FROM tracking.dead_letter')]
    if holds(encoded, text):
        assert encoded.sql('SELECT name FROM target') == [(text,)] and letters == []
    else:
        assert encoded.sql('SELECT name FROM target') == []
        assert letters == [(data.encode(), '22P05')]


def test_a_reason_quotes_what_the_record_says(encoded, keyed):
    keyed(encoded, [({'id': 'n\u00e9'}, 'k')])
    encoded.pipeline('p', 'src', target='target', enabled=False)
    encoded.sql("CALL tracking.run_pipeline('p')")
    assert encoded.value('SELECT reason FROM tracking.dead_letter') == \
        'column "id": invalid input syntax for type integer: "n\u00e9"'


# options

@pytest.mark.parametrize('name', ['\u00e9', '\u65e5'])
def test_a_path_in_quotes(encoded, sql_server, make_stream, put, kinesalite, name):
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [{name: 1}])
    sql_server(encoded, kinesalite.url)
    create = (f"CREATE FOREIGN TABLE t{{}} (a int OPTIONS (path '$.\"{{}}\"')) SERVER aws "
              f"OPTIONS (stream '{stream}')")
    spelled = json.dumps(name)[1:-1]
    if holds(encoded, name):
        for n, path in enumerate((name, spelled)):
            encoded.sql(create.format(n, path))
            assert encoded.value(f'SELECT min(a) FROM t{n}') == 1
            encoded.sql(f'INSERT INTO t{n} VALUES (1)')
        assert encoded.sql('SELECT a FROM t0') == [(1,)] * 3
    else:
        assert refusal(encoded, create.format(0, spelled)).sqlstate == 'HV024'


def test_control_characters_of_any_encoding(encoded):
    """One of C1 is a byte of its own in LATIN1; in EUC_JP such bytes begin others."""
    for value, good in (('a\u0085', False), ('\u009b', False), ('\u2028', False),
                        ('\u00e9\u4e02', True), ('\u65e5\u672c', True)):
        if not holds(encoded, value):
            continue
        create = ('CREATE SERVER s FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
                  f"(host 'h', dbname '{value}')")
        if good:
            encoded.sql(create)
            encoded.sql('DROP SERVER s')
        else:
            assert refusal(encoded, create).sqlstate == 'HV024'


# what servers say

def shown(db, text):
    """As a message has it: nothing of it makes a message fail."""
    if db.codec == 'utf-8' and db.value('SHOW server_encoding') == 'UTF8':
        return text
    return ''.join(c if c.isascii() or holds(db, c) and db.codec != 'utf-8' else '?' for c in text)


def test_the_words_of_a_service(encoded, keyed, new_proxy, kinesalite, wait_until):
    keyed(encoded, [({'id': 1}, 'k')])
    proxy = new_proxy(kinesalite)
    said = 'caf\u00e9 \u65e5\u672c \u20ac'
    proxy.error(None, 'AccessDeniedException', said)
    encoded.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")
    error = refusal(encoded, 'SELECT * FROM src')
    assert shown(encoded, said) in error.diag.message_detail
    # a worker has no transaction when it is told
    encoded.pipeline('p', 'src', target='target', max_latency='0.2 s')
    wait_until(lambda: shown(encoded, said) in (encoded.status('p')[0]['last_error'] or ''))


def test_a_worker_that_is_told_later(narrow, keyed, new_proxy, kinesalite, wait_until):
    keyed(narrow, [({'id': 1}, 'k')])
    proxy = new_proxy(kinesalite)
    narrow.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")
    narrow.pipeline('p', 'src', target='target', max_latency='0.2 s')
    narrow.wait_value(1, 'SELECT count(*) FROM target')
    proxy.error('GetRecords', 'AccessDeniedException', 'caf\u00e9')
    wait_until(lambda: 'caf\u00e9' in (narrow.status('p')[0]['last_error'] or ''))


@pytest.mark.parametrize('name', ['caf\u00e9', 'a b', 'a\nb', "a'b", 'x' * 129, ''])
def test_names_that_are_none(narrow, sql_server, name):
    """A shard or a stream has a name that needs no conversion, or is refused."""
    answers = {
        b'ListStreams': {'StreamNames': [name], 'HasMoreStreams': False},
        b'ListShards': {'Shards': [{'ShardId': name, 'HashKeyRange': {}, 'SequenceNumberRange': {}}]},
        b'PutRecords': {'Records': [{'ShardId': name, 'SequenceNumber': '1'}]},
        b'DescribeStreamSummary': {'StreamDescriptionSummary': {'StreamStatus': 'ACTIVE'}}}
    server = Recorder(lambda head, body: answer(200, json.dumps(next(
        each for op, each in answers.items() if b'.' + op in head)).encode()))
    try:
        sql_server(narrow, server.url, max_retries=0)
        narrow.foreign_table('events', "id int, shard text OPTIONS (metadata 'shard_id')", 'events')
        for query in ('IMPORT FOREIGN SCHEMA aws FROM SERVER aws INTO public',
                      'SELECT * FROM events', 'INSERT INTO events VALUES (1) RETURNING shard'):
            error = refusal(narrow, query)
            assert error.sqlstate == 'HV000' and 'ndpoint' in error.diag.message_hint
    finally:
        server.close()


@pytest.mark.parametrize('number', ['caf\u00e9', '', '1x', '1' * 130])
def test_sequence_numbers_that_are_none(narrow, sql_server, number):
    server = Recorder(lambda head, body: answer(200, json.dumps(
        {'Records': [{'ShardId': 'shardId-0', 'SequenceNumber': number}]}).encode()))
    try:
        sql_server(narrow, server.url, max_retries=0)
        narrow.foreign_table('events', "id int, seq text OPTIONS (metadata 'sequence_number')",
                             'events')
        assert refusal(narrow, 'INSERT INTO events VALUES (1) RETURNING seq').sqlstate == 'HV000'
    finally:
        server.close()


# stores

def store_table(db, store):
    store.server(db)
    store.table('landed', 'id int, name text')
    db.sql("CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")


@pytest.mark.parametrize('load_method', ['copy_stdin', 'insert'])
def test_a_store_in_utf8(encoded, store, load_method):
    store_table(encoded, store)
    encoded.sql(f"ALTER SERVER warehouse OPTIONS (ADD load_method '{load_method}')")
    names = [name for name in ('caf\u00e9', '\u65e5\u672c', 'plain') if holds(encoded, name)]
    for n, name in enumerate(names):
        encoded.sql('INSERT INTO wh VALUES (%s, %s)', n, name)
    assert [name for name, in store.sql('SELECT name FROM landed ORDER BY id')] == names
    assert [name for name, in encoded.sql('SELECT name FROM wh ORDER BY id')] == names


def test_a_store_refuses_in_words(encoded, store):
    store_table(encoded, store)
    store.sql("ALTER TABLE landed ADD CONSTRAINT \"caf\u00e9\" CHECK (id > 0)")
    error = refusal(encoded, "INSERT INTO wh VALUES (0, 'x')")
    assert error.sqlstate == '23514' and 'caf\u00e9' in error.diag.message_primary


@pytest.mark.parametrize('encoding', ['UTF8', 'EUC_JP', 'LATIN1'])
@pytest.mark.parametrize('value', [b'caf\xe9', b'a\0b', b'\xe6\x97', b'\xc0\x80'])
def test_a_store_that_sends_what_is_no_text(database, encoding, value):
    db = database(encoding)
    fake = FakeStore(values=[b'good', value])
    try:
        db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
               f"(host '127.0.0.1', port '{fake.port}', dbname 'x', sslmode 'disable')")
        db.sql("CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (user 'u', password 'p')")
        db.sql('CREATE FOREIGN TABLE wh (name text) SERVER warehouse; CREATE TABLE kept (name text)')
        if encoding == 'LATIN1' and b'\0' not in value:        # in which all bytes are characters
            assert db.sql('SELECT name FROM wh') == [('good',), (value.decode('latin-1'),)]
            return
        for query in ('SELECT name FROM wh', 'INSERT INTO kept SELECT name FROM wh'):
            error = refusal(db, query)
            assert error.sqlstate == '22021' and encoding in error.diag.message_primary
        assert db.value('SELECT count(*) FROM kept') == 0
    finally:
        fake.close()
