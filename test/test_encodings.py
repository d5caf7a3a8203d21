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


ESCAPED = ['a\0b', '\ud800', '\u00e9\u65e5', '"', '"x"']


def test_keys_that_are_escaped_on_the_wire(encoded, keyed, new_proxy, kinesalite):
    keyed(encoded, [({'id': n}, str(n)) for n in range(len(ESCAPED))])
    proxy = new_proxy(kinesalite)
    encoded.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")

    def rewritten(page):
        for record in page['Records']:
            record['PartitionKey'] = ESCAPED[int(record['PartitionKey'])]
        return page                     # which json.dumps() escapes
    proxy.rewrite('GetRecords', rewritten)
    encoded.sql('ALTER TABLE target ADD CHECK (id < 0)')
    encoded.pipeline('p', 'src', target='target', enabled=False)
    encoded.sql("CALL tracking.run_pipeline('p')")
    letters = """SELECT (convert_from(data, 'UTF8')::jsonb ->> 'id')::int, partition_key, sqlstate
                 FROM tracking.dead_letter ORDER BY 1"""
    before = encoded.sql(letters)
    for (_, key, sqlstate), text in zip(before, ESCAPED, strict=True):
        good = '\0' not in text and holds(encoded, text)
        assert key == (kept(encoded, text) if good else json.dumps(text))
        assert sqlstate == '23514' if good else sqlstate[:2] == '22'
    encoded.sql("SELECT tracking.replay_dead_letters('p')")
    assert encoded.sql(letters) == before


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


def test_a_key_has_256_characters_in_any_encoding(encoded, events):
    arrived = events(encoded, "id int, key text OPTIONS (metadata 'partition_key')")
    lengths = []
    for character in ('x', '\u00e9', '\u65e5'):
        if not holds(encoded, character):
            continue
        for n in (1, 85, 127, 128, 255, 256):
            encoded.sql('INSERT INTO events VALUES (1, %s)', character * n)
            lengths.append(n)
        error = refusal(encoded, 'INSERT INTO events VALUES (1, %s)', character * 257)
        assert error.sqlstate == '22001' and 'has 257 characters' in error.diag.message_primary
    assert [len(key) for _, key in arrived()] == lengths


def test_what_is_no_utf8_is_not_published(database, events):
    db = database('SQL_ASCII')
    arrived = events(db, "name text, key text OPTIONS (metadata 'partition_key')")
    for row in (r"E'caf\xe9', 'k'", r"'x', E'caf\xe9'"):
        assert refusal(db, f'INSERT INTO events VALUES ({row})').sqlstate == '22021'
    assert arrived() == []


# payloads

TEXTS = ['caf\u00e9', '\u65e5\u672c', '\U0001F600']


@pytest.mark.parametrize('format', ['raw', 'json'])
def test_a_value_that_the_database_cannot_hold_is_a_dead_letter(
        encoded, sql_server, make_stream, put, kinesalite, format):
    stream = make_stream(kinesalite)
    forms = [str.encode] if format == 'raw' else [
        lambda text: json.dumps({'name': text}, ensure_ascii=False).encode(),
        lambda text: json.dumps({'name': text}).encode()]
    put(kinesalite.client(), stream, [form(text) for form in forms for text in TEXTS])
    sql_server(encoded, kinesalite.url)
    encoded.foreign_table('src', 'name text', stream, format=format)
    encoded.sql('CREATE TABLE target (name text)')
    encoded.pipeline('p', 'src', target='target', enabled=False)
    encoded.sql("CALL tracking.run_pipeline('p')")
    assert sorted(name for name, in encoded.sql('SELECT name FROM target')) == \
        sorted(text for _ in forms for text in TEXTS if holds(encoded, text))
    assert sorted((bytes(data), sqlstate) for data, sqlstate in encoded.sql(
        'SELECT data, sqlstate FROM tracking.dead_letter')) == sorted(
        (form(text), '22P05') for form in forms for text in TEXTS if not holds(encoded, text))


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


@pytest.fixture
def claims():
    """An endpoint whose shards and streams have a name, and records a number."""
    class Claims(Recorder):
        name, number = 'shardId-0', '1'

        def refuse(self, head, body):
            answers = {
                b'ListStreams': {'StreamNames': [self.name], 'HasMoreStreams': False},
                b'ListShards': {'Shards': [{'ShardId': self.name, 'HashKeyRange': {},
                                            'SequenceNumberRange': {}}]},
                b'PutRecords': {'Records': [{'ShardId': self.name,
                                             'SequenceNumber': self.number}]},
                b'DescribeStreamSummary': {'StreamDescriptionSummary': {'StreamStatus': 'ACTIVE'}}}
            return answer(200, json.dumps(next(
                each for op, each in answers.items() if b'.' + op in head)).encode())

        def __init__(self):
            super().__init__(self.refuse)
    made = Claims()
    yield made
    made.close()


def test_names_and_numbers_that_are_none(narrow, sql_server, claims):
    """Those of the API need no conversion and no quotes; others are refused."""
    sql_server(narrow, claims.url, max_retries=0)
    narrow.foreign_table('events', "id int, shard text OPTIONS (metadata 'shard_id'), "
                         "seq text OPTIONS (metadata 'sequence_number')", 'events')
    insert = 'INSERT INTO events VALUES (1) RETURNING shard, seq'
    assert narrow.sql(insert) == [('shardId-0', '1')]
    for claims.name in ('caf\u00e9', 'a b', 'a\nb', "a'b", 'x' * 129, ''):
        for query in ('IMPORT FOREIGN SCHEMA aws FROM SERVER aws INTO public',
                      'SELECT * FROM events', insert):
            error = refusal(narrow, query)
            assert error.sqlstate == 'HV000' and 'ndpoint' in error.diag.message_hint
    claims.name = 'shardId-0'
    for claims.number in ('caf\u00e9', '', '1x', '1' * 130):
        assert refusal(narrow, insert).sqlstate == 'HV000'


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
def test_a_store_that_sends_what_is_no_text(database, encoding):
    db = database(encoding)
    fake = FakeStore(values=[])
    try:
        db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
               f"(host '127.0.0.1', port '{fake.port}', dbname 'x', sslmode 'disable')")
        db.sql("CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse "
               "OPTIONS (user 'u', password 'p')")
        db.sql('CREATE FOREIGN TABLE wh (name text) SERVER warehouse; CREATE TABLE kept (name text)')
        for value in (b'caf\xe9', b'\xe6\x97', b'\xc0\x80', b'a\0b'):
            fake.values = [b'good', value]
            # in LATIN1 any byte but zero is a character
            if encoding == 'LATIN1' and b'\0' not in value:
                assert db.sql('SELECT name FROM wh')[1:] == [(value.decode('latin-1'),)]
                continue
            for query in ('SELECT name FROM wh', 'INSERT INTO kept SELECT name FROM wh'):
                error = refusal(db, query)
                assert error.sqlstate == '22021' and encoding in error.diag.message_primary
        assert db.value('SELECT count(*) FROM kept') == 0
    finally:
        fake.close()
