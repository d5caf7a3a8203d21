"""Payloads that are compressed."""
import gzip
import json
import zlib

import psycopg
import pytest
import zstandard

from harness.kpl import aggregate

MIB = 1024 * 1024


def zstd(data):
    return zstandard.ZstdCompressor().compress(data)


PACK = {'gzip': gzip.compress, 'zstd': zstd}


@pytest.fixture(params=PACK)
def pack(request):
    """Each compression in turn."""
    return PACK[request.param]


def ids(db, where=''):
    return [row[0] for row in db.sql(f'SELECT id FROM t {where}')]


# compression

def test_compressed_payloads_are_inflated(db, stream_of, pack, kinesis):
    text = json.dumps({'id': 2, 'name': 'caf\u00e9 ' * 20000})
    stream = stream_of(['{"id":1}', pack(text.encode()), pack(b'{"id":3,"name":"x"}')], kinesis)
    db.foreign_table('t', 'id int, name text', stream)
    assert db.sql('SELECT * FROM t') == [(1, None), (2, 'caf\u00e9 ' * 20000), (3, 'x')]


def test_both_in_one_scan(db, table):
    table([PACK[name]('{"id":%d}'.encode() % i) for i in range(6) for name in PACK])
    assert ids(db) == [i for i in range(6) for _ in PACK]


def test_members_and_frames_in_a_row_are_one_payload(db, table, pack):
    table([pack(b'{"id"') + pack(b'') + pack(b':1}{"id"') + pack(b':2}'), pack(b'{"id":3}')])
    assert ids(db) == [1, 2, 3]


def test_records_of_an_aggregate_are_compressed_each(db, table, pack):
    table([aggregate([pack(b'{"id":%d}' % i) for i in range(20)])])
    assert ids(db) == list(range(20))


def test_data_is_the_payload_as_it_came(db, table, pack):
    packed = pack(b'{"id":1}')
    table([packed], "id int, data bytea OPTIONS (metadata 'data')")
    assert db.sql('SELECT * FROM t') == [(1, packed)]


def test_raw_payloads(db, table, pack):
    table([pack(b'bytes \xff'), b'plain'], 'payload bytea', format='raw')
    assert db.sql('SELECT * FROM t') == [(b'bytes \xff',), (b'plain',)]


def test_compression_none(db, table, pack):
    packed = pack(b'x')
    table([packed], 'payload bytea', format='raw', compression='none')
    assert db.sql('SELECT * FROM t') == [(packed,)]


@pytest.mark.parametrize('name', PACK)
def test_compression_that_is_said_is_required(db, table, name):
    other, = set(PACK) - {name}
    table([PACK[name](b'{"id":1}'), '{"id":2}', PACK[other](b'{"id":3}'), b''],
          "id int, why text OPTIONS (metadata 'decode_error')",
          compression=name, on_error='null', empty='error')
    refused = (None, f'record is not compressed with {name}')
    assert db.sql('SELECT * FROM t') == [(1, None)] + [refused] * 2 + [(None, 'record is empty')]


def without_size(data):
    """A zstd frame that does not tell its size."""
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


def wide_window(data):
    """A zstd frame that asks for 128 MiB of memory."""
    options = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=options).compressobj()
    return compressor.compress(data) + compressor.flush()


JSON = b'{"id":1,"name":"%s"}' % (b'0123456789' * 50)
BLANKS = b' ' * MIB
BROKEN = {
    'gzip magic': (b'\x1f\x8b', 'record is not valid gzip: unexpected end of input'),
    'gzip cut off': (gzip.compress(JSON)[:-9], 'record is not valid gzip: unexpected end of input'),
    'gzip without its end': (gzip.compress(JSON)[:-1],
                             'record is not valid gzip: unexpected end of input'),
    'gzip checksum': (gzip.compress(JSON)[:-5] + b'\0\0\0\0\0',
                      'record is not valid gzip: incorrect data check'),
    'gzip method': (b'\x1f\x8b\x07' + b'\0' * 30,
                    'record is not valid gzip: unknown compression method'),
    'gzip tail': (gzip.compress(JSON) + b'tail', 'record is not valid gzip: incorrect header check'),
    'zstd magic': (b'\x28\xb5\x2f\xfd', 'record is not valid zstd: unexpected end of input'),
    'zstd cut off': (zstd(JSON)[:-3], 'record is not valid zstd: unexpected end of input'),
    'zstd tail': (zstd(JSON) + b'tail', 'record is not valid zstd: Unknown frame descriptor'),
    'zstd window': (wide_window(JSON * 5),
                    'record is not valid zstd: Frame requires too much memory for decoding'),
    'gzip of no JSON': (gzip.compress(b'nope'),
                        'record is not valid JSON: unexpected character at byte 1'),
    'zlib of no JSON': (zlib.compress(b'nope'),
                        'record is not valid JSON: unexpected character at byte 1'),
}


def test_what_cannot_be_inflated(db, table):
    table(((data, label) for label, (data, _) in BROKEN.items()),
          """id int, label text OPTIONS (metadata 'partition_key'),
             why text OPTIONS (metadata 'decode_error')""", on_error='null')
    assert {label: (id, why) for id, label, why in db.sql('SELECT * FROM t')} == {
        label: (None, why) for label, (_, why) in BROKEN.items()}


def test_bombs_are_refused(db, table):
    """By what they inflate to, and by how many times their size it is."""
    bombs = {
        'gzip by size': gzip.compress(JSON * 2000 + BLANKS * 69, 1),
        'zstd by size': zstd(JSON * 2000 + BLANKS * 69 + JSON) + b'\x50\x2a\x4d\x18' +
        (200000).to_bytes(4, 'little') + b'\0' * 200000,
        'gzip by ratio': gzip.compress(BLANKS * 2, 9), 'zstd by ratio': zstd(BLANKS * 2),
        'zstd of unknown size': without_size(BLANKS * 60),
    }
    fine = {'gzip': gzip.compress(BLANKS[:-20] + b'{"id":1}'), 'zstd': zstd(BLANKS[:-20] + b'{"id":1}')}
    table(((data, label) for label, data in {**bombs, **fine}.items()),
          """id int, label text OPTIONS (metadata 'partition_key'),
             why text OPTIONS (metadata 'decode_error')""", on_error='null')
    db.sql("SET tracking_fdw.scan_memory = '200MB'")
    rows = {label: (id, why) for id, label, why in db.sql('SELECT * FROM t')}
    for label, data in bombs.items():
        most = max(min(len(data) * 500, 64 * MIB), MIB)
        assert rows[label] == (None, f'record of {len(data)} bytes inflates to more than {most}')
        assert ('size' in label) == (most == 64 * MIB) or 'unknown' in label
    assert rows['gzip'] == rows['zstd'] == (1, None)


def test_bombs_are_dead_letters(db, table, pack):
    bomb = pack(BLANKS * 8)
    table([pack(b'{"id":1}'), bomb, pack(b'{"id":2}')])
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id FROM target ORDER BY 1') == [(1,), (2,)]
    assert db.sql('SELECT data, sqlstate FROM tracking.dead_letter') == [
        (bomb, '54000')]


def test_inflated_documents(db, table, pack):
    table([pack(''.join('{"id":%d}\n' % i for i in range(5000)).encode())])
    assert ids(db) == list(range(5000))
    assert db.value('SELECT count(*) FROM t') == 5000


def test_every_record_of_an_aggregate_may_have_several(db, table, pack):
    table([aggregate(['{"id":0}', '[{"id":1},{"id":2}]', pack(b'{"id":3}\n{"id":4}')])])
    assert ids(db) == [0, 1, 2, 3, 4]


def test_long_records_can_be_cancelled(db, table):
    table([gzip.compress(b''.join(b'{"id":%d}' % i for i in range(200000)))] * 20)
    db.sql("SET statement_timeout = '300ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        db.sql('SELECT sum(a.id) FROM t a, t b')
