"""Records that are small on the stream and large in memory: a worker keeps batch_bytes and at most
32 MB besides, and what alone needs more than batch_bytes is a dead letter."""
import gzip
import json
import random

import psycopg
import pytest
import zstandard

from harness.kpl import chunk, record, seal
from harness.memory import MIB, Watch

BATCH_BYTES = 16 * MIB
MOST = BATCH_BYTES + 32 * MIB
# the constant of docs/operations.md, with records of up to 10 MiB
MOST_FOR_LARGE = BATCH_BYTES + 48 * MIB


@pytest.fixture
def running(db, sql_server, given_records):
    """running(columns, payloads, rows, letters): a pipeline takes records from table src to table
    target; returns what its worker had of memory at most."""
    def make(columns, payloads, rows, letters=0, options='', target=None, command=None, **pipeline):
        server = given_records(payloads)
        sql_server(db, server.url)
        db.sql(f"CREATE FOREIGN TABLE src ({columns}) SERVER aws OPTIONS (stream 'given'{options})")
        db.sql(f'CREATE TABLE target ({target or columns.split(" OPTIONS")[0]})')
        to = {'command': command} if command else {'target': 'target'}
        db.pipeline('p', 'src', **to, **pipeline, max_latency='0.2 s', enabled=False)
        db.sql("SELECT tracking.start_pipeline('p')")
        with Watch(db.worker('p')) as watch:
            db.wait_value(rows, 'SELECT count(*) FROM target', timeout=120)
            db.wait_value(letters, 'SELECT count(*) FROM tracking.dead_letter', timeout=120)
        assert db.worker('p') == watch.pid and db.status('p')[0]['failures'] == 0
        return watch.most
    return make


def check(most, allowed=MOST):
    assert most <= allowed, f'{most / MIB:.1f} MiB'


def reasons(db):
    return db.sql('SELECT sqlstate, reason FROM tracking.dead_letter ORDER BY sequence_number')


def zstd(data, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def spiced(part, bytes, spice=b'%d,'):
    """So many bytes of it over and over, with numbers here and there that do not shrink: less than
    500 times as much as when it is compressed."""
    rng = random.Random(1)
    part *= 1000 // len(part)
    return b''.join(part + spice % rng.randrange(10 ** 6)
                    for _ in range(bytes // (len(part) + 7)))


def small_numbers(bytes):
    return b'{"id":1,"doc":[' + spiced(b'1,', bytes) + b'1]}'


def events(bytes, id=1):
    """A document of events as they are."""
    event = json.dumps({'id': 1234567, 'name': 'page opened', 'at': '2026-01-02T03:04:05.678Z',
                        'page': {'url': 'https://example.com/some/path?with=query', 'title': 'A title'},
                        'user': 'b2c5ffdf-64e6-4a4c-9a3c-0f3b6e1c7f10', 'tags': ['one', 'two']})
    return f'{{"id":{id},"doc":[' + ', '.join([event] * (bytes // (len(event) + 2))) + ']}'


# a record that inflates

BOMBS = {
    'numbers': lambda: small_numbers(63 * MIB),
    'members': lambda: b'{"id":1,"doc":{' + spiced(b'"a":1,"b":{},', 40 * MIB, b'"%d":1,') + b'"c":1}}',
    'containers': lambda: b'{"id":1,"doc":[' + spiced(b'[],{},', 60 * MIB) + b'1]}',
    'text': lambda: b'{"id":1,"doc":"' + spiced(b'abc ', 60 * MIB) + b'"}',
    'escapes': lambda: b'{"id":1,"doc":"' + spiced(b'\\n', 20 * MIB) + b'"}',
    'a key': lambda: b'{"id":1,"' + spiced(b'abc ', 30 * MIB) + b'":1}',
    'documents': lambda: spiced(b'{"id":1,"doc":[1,2]}', 40 * MIB, b'{"id":%d}'),
}


@pytest.mark.parametrize('pack', [gzip.compress, zstd], ids=['gzip', 'zstd'])
@pytest.mark.parametrize('type', ['jsonb', 'text', 'json', 'int[]', 'tsvector'])
def test_what_inflates_to_too_much_is_a_dead_letter(db, running, type, pack):
    bombs = [pack(bomb()) for bomb in BOMBS.values()]
    assert all(len(bomb) < MIB for bomb in bombs)
    payloads = [payload for bomb in bombs for payload in (b'{"id":0}', bomb)]
    check(running(f'id int, doc {type}', payloads, len(bombs), len(bombs)))
    for sqlstate, reason in reasons(db):
        assert sqlstate == '54000' and 'batch_bytes' in reason, reason
    assert [bytes(data) for data, in db.sql(
        'SELECT data FROM tracking.dead_letter ORDER BY sequence_number')] == bombs


def test_a_raw_payload(db, running):
    bombs = [gzip.compress(spiced(b'abc ', 40 * MIB)), zstd(spiced(b'abc ', 40 * MIB))]
    check(running('payload bytea', bombs, 0, 2, ", format 'raw'"))
    assert all('batch_bytes' in reason for _, reason in reasons(db))


def test_frames_that_refer_far_back(db, running):
    """zstd keeps what was inflated once more, to refer to it, if the frame does not tell its size."""
    data = b'{"id":1,"doc":"' + random.Random(1).randbytes(200_000).hex().encode() * 15 + b'"}'
    packed = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(
            window_log=25, write_content_size=False, enable_ldm=True)).compress(data)
    check(running('id int, doc text', [packed] * 20 + [zstd(data)] * 20, 20, 20))


def test_what_fits_lands(db, running):
    """What docs/operations.md says, and some more."""
    texts = [b'{"id":%d,"doc":[%s1]}' % (i, spiced(b'{"a":"some text","b":12345},', size * MIB // 2))
             for i, size in enumerate((1, 3, 6, 8))]
    texts.append(events(5 * MIB, id=4).encode())
    texts.append(b'{"id":5,"t":"%s"}' % spiced(b'abc ', 7 * MIB))
    pack = [gzip.compress, zstd]
    check(running('id int, doc jsonb, t text', [pack[i % 2](text) for i, text in enumerate(texts)], 6))
    for i, text in enumerate(texts):
        assert db.sql('SELECT doc, t FROM target WHERE id = %s', i) == [
            (json.loads(text).get('doc'), json.loads(text).get('t'))]


@pytest.mark.parametrize('command', [None, 'INSERT INTO target SELECT * FROM src'])
def test_a_record_of_a_million_rows(db, running, command):
    payload = gzip.compress(b''.join(b'{"id":%d}' % i for i in range(1000000)), 9)   # of 14 MB
    check(running('id int, name text', [b'{"id":-1}', payload, b'{"id":-2}'], 1000002,
                  command=command))
    assert db.sql('SELECT count(DISTINCT id), sum(id) FROM target') == [(1000002, 499999499997)]


def test_rows_that_are_not_kept_are_like_others(db, running):
    """Metadata goes with each of them; in an array, too; missing members are null."""
    rows = [{'id': i, **({'doc': {'n': i}} if i % 3 else {}), **({'t': 'x' * (i % 50)} if i % 2 else {})}
            for i in range(100000)]
    packed = gzip.compress(json.dumps(rows).encode()), gzip.compress(
        '\n'.join(map(json.dumps, rows)).encode())
    columns = ("id int, doc jsonb, t text, day date, "
               "seq numeric OPTIONS (metadata 'sequence_number'), "
               "key text OPTIONS (metadata 'partition_key')")
    check(running(columns, packed, 200000, batch_bytes=8 * MIB,
                  target='id int, doc jsonb, t text, day date, seq numeric, key text'))
    assert db.sql('SELECT seq::int, key, count(*), count(DISTINCT id), sum((doc->>$$n$$)::int), '
                  'count(doc), count(t), sum(length(t)), count(day) FROM target GROUP BY 1, 2 '
                  'ORDER BY 1') == [
        (seq, key, 100000, 100000, sum(i for i in range(100000) if i % 3), 66666, 50000,
         sum(i % 50 for i in range(100000) if i % 2), 0) for seq, key in ((1, '0'), (2, '1'))]


def test_the_last_of_very_many_rows_is_bad(db, running):
    payload = gzip.compress(b''.join(b'{"id":%d}' % i for i in range(500000)) + b'{"id":"x"}')
    check(running('id int, name text', [b'{"id":-1}', payload, b'{"id":-2}'], 2, 1))
    assert reasons(db)[0][0] == '22P02'


def test_many_records_that_inflate(db, running):
    """A thousand rows are stored at a time, if they are small."""
    payloads = [gzip.compress(b'{"id":%d,"doc":"%s"}' % (i, b'x' * (MIB - 100))) for i in range(300)]
    check(running('id int, doc text', payloads, 300, command='INSERT INTO target SELECT id, doc FROM src'))
    db.sql("SELECT tracking.drop_pipeline('p')")
    db.sql('TRUNCATE target')
    db.pipeline('q', 'src', target='target', max_latency='0.2 s')
    with Watch(db.worker('q')) as watch:
        db.wait_value(300, 'SELECT count(*) FROM target', timeout=120)
    check(watch.most)


def test_a_backlog_and_a_bomb(db, sql_server, given_records):
    """A record that could be decoded alone does not fit beside what batch_bytes keep: it is tried
    again with less of it."""
    batch_bytes = 64 * MIB
    rows = b''.join(b'{"id":%d}' % (i % 1000) for i in range(4000000))
    payloads = [b'{"id":-1,"name":"%s"}' % (b'x' * (MIB - 100)) for _ in range(120)]
    sql_server(db, given_records([*payloads[:40], gzip.compress(rows), *payloads[40:]], 8).url)
    db.sql("CREATE FOREIGN TABLE src (id int, name text) SERVER aws OPTIONS (stream 'given')")
    db.sql('CREATE TABLE target (id int, name text)')
    db.pipeline('p', 'src', target='target', max_latency='0.2 s', batch_bytes=batch_bytes,
                enabled=False)
    most = 0
    db.sql("SELECT tracking.start_pipeline('p')")
    while db.value('SELECT sum(records)::int FROM tracking.checkpoint') != 121:
        with Watch(db.worker('p')) as watch:
            watch.join(0.2)
        most = max(most, watch.most)
    assert db.value('SELECT count(*) FROM target') == 4000120
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
    check(most, batch_bytes + 32 * MIB)


def test_more_of_batch_bytes_lets_it_through(db, running):
    """The hint of the reason."""
    text = small_numbers(5 * MIB)
    running('id int, doc jsonb', [gzip.compress(text)], 0, 1)
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 0
    db.sql("SELECT tracking.alter_pipeline('p', batch_bytes => %s)", 200 * MIB)
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 1
    assert db.value('SELECT jsonb_array_length(doc) FROM target') == text.count(b',')


# odd values

def test_values_beyond_what_a_type_has(db, running):
    fine = ['1' * 100000, '1e100000', '0.' + '0' * 10000 + '1']
    bad = ['1e1000000', '1' * 1000000, '1e-100000', '9' * 5000000]
    payloads = [b'{"id":%d,"n":%s}' % (i, n.encode()) for i, n in enumerate(fine + bad)]
    check(running('id int, n numeric', payloads, len(fine), len(bad)), MOST_FOR_LARGE)
    assert db.sql('SELECT length(n::text) FROM target ORDER BY id') == [(100000,), (100001,), (10003,)]
    assert [sqlstate for sqlstate, _ in reasons(db)] == ['22003'] * len(bad)
    assert all(len(reason) < 600 for _, reason in reasons(db))


def test_the_same_in_jsonb(db, running):
    numbers = ['1' * 100000, '1e100000', '1e1000000', '1' * 1000000, '9' * 5000000]
    payloads = [b'{"id":%d,"doc":[%s]}' % (i, n.encode()) for i, n in enumerate(numbers)]
    check(running('id int, doc jsonb', payloads, 2, 3), MOST_FOR_LARGE)
    assert [sqlstate for sqlstate, _ in reasons(db)] == ['22003'] * 3


def test_a_number_of_megabytes_for_other_types(db, running):
    n = b'1' * (5 * MIB)
    check(running('i bigint, f float8, d date, b boolean', [
        b'{"i":%s}' % n, b'{"f":"%s"}' % n, b'{"d":%s}' % n, b'{"b":"%s"}' % n, b'{"i":1}'], 1, 4),
        MOST_FOR_LARGE)
    assert all(len(reason) < 600 for _, reason in reasons(db))


def test_nesting(db, running):
    payloads = [b'{"id":1,"doc":' + b'[' * n + b']' * n + b'}' for n in (400, 511, 512, 1000000)]
    payloads += [b'{"id":2,"doc":' + b'{"a":' * n + b'1' + b'}' * n + b'}' for n in (511, 1000000)]
    check(running('id int, doc jsonb', payloads, 3, 3), MOST_FOR_LARGE)
    assert [sqlstate for sqlstate, _ in reasons(db)] == ['54000'] * 3


def test_keys_of_megabytes(db, running):
    key = b'k' * (9 * MIB)
    payloads = [b'{"%s":1,"id":1}' % key, b'{"\\u0041%s":1,"id":2}' % key,
                b'{"id":3,"doc":{"%s":1}}' % key, b'{"id":4,"doc":{"\\u0041%s":1}}' % key]
    check(running('id int, doc jsonb', payloads, 4), MOST_FOR_LARGE)
    assert db.sql('SELECT id FROM target ORDER BY 1') == [(1,), (2,), (3,), (4,)]


# records of 10 MB that are not compressed

@pytest.mark.parametrize('type', ['jsonb', 'json', 'text', 'bytea', 'text[]', 'varchar(10000000)'])
@pytest.mark.parametrize('command', [None, 'INSERT INTO target SELECT * FROM src'])
def test_records_of_10_mb_that_are_not_compressed(db, running, type, command):
    text = events(10 * MIB - 2000)
    if type in ('text[]', 'text', 'varchar(10000000)'):
        text = '{"id":1,"doc":%s}' % json.dumps(
            ['some text' * 12] * 80_000 if type == 'text[]' else 'line "x"\n' * 800_000)
    columns = f'id int, doc {type}' if type != 'bytea' else 'doc bytea'
    check(running(columns, [text.encode()] * 5, 5, options=", format 'raw'" if type == 'bytea' else '',
                  target='id int, doc bytea' if type == 'bytea' and not command else columns,
                  command=command), MOST_FOR_LARGE)
    expected = text if type == 'bytea' else json.loads(text)['doc']
    found = db.value('SELECT doc FROM target LIMIT 1')
    assert (bytes(found).decode() if type == 'bytea' else found) == expected


def test_all_of_a_batch_are_dead_letters(db, running):
    payloads = [b'{"id":"%s"}' % (b'x' * 1000) for _ in range(9000)]
    check(running('id int', payloads, 0, 9000))


# aggregates

def test_aggregates_of_very_many_records(db, running):
    """Ten, each of 1 MiB: one and a half million records, of which hardly anything is data."""
    n = (MIB - 100) // len(record('1'))
    check(running("v int OPTIONS (path '$')", [seal(chunk(1, 'k') + record('1') * n)] * 10, 10 * n,
                  target='v int'))
    assert db.value('SELECT sum(v) FROM target') == 10 * n


# a scan

def test_a_scan_has_a_bound_of_its_own(db, table):
    bomb = gzip.compress(small_numbers(30 * MIB))
    table([b'{"id":0}', bomb, b'{"id":2}'], 'id int, doc jsonb')
    with pytest.raises(psycopg.Error) as raised:
        db.sql('SELECT * FROM t')
    assert raised.value.sqlstate == '54000'
    assert 'tracking_fdw.scan_memory' in raised.value.diag.message_hint
    assert 'on_error' in raised.value.diag.message_hint
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD on_error 'null')")
    with Watch(db.value('SELECT pg_backend_pid()')) as watch:
        assert db.sql('SELECT id FROM t WHERE doc IS NULL') == [(0,), (None,), (2,)]
    check(watch.most, 32 * MIB + 32 * MIB)
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET on_error 'skip')")
    assert db.sql('SELECT id FROM t WHERE doc IS NULL') == [(0,), (2,)]
    db.sql("SET tracking_fdw.scan_memory = '1GB'")
    assert db.sql('SELECT jsonb_array_length(doc) FROM t WHERE id = 1')[0][0] > 10 * MIB
    assert db.value('SELECT count(*) FROM t') == 3
