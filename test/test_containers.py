"""What payloads come in: gzip, zlib and zstd as their own programs take them, and what is named in
the reason as it is something else."""
import gzip
import json
import random
import struct
import subprocess
import uuid
import zlib

import psycopg
import pytest
import zstandard

from harness.kpl import aggregate

JSON = b'{"id":1,"name":"%s"}' % (b'0123456789' * 50)
SKIPPABLE = b'\x50\x2a\x4d\x18'


def zlib_of(level, data=b'{"id":1}'):
    compressor = zlib.compressobj(level)
    return compressor.compress(data) + compressor.flush()


def zstd(data, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def skippable(data, kind=0):
    """A frame of zstd that is to be skipped."""
    return bytes([0x50 + kind]) + SKIPPABLE[1:] + struct.pack('<I', len(data)) + data


# zlib

def test_zlib_inflates(db, table):
    """Of every level, alone and in an aggregate, beside what is not."""
    packed = [zlib_of(level, b'{"id":%d}' % level) for level in (0, 1, 6, 9)] + [
        zlib_of(5, b'{"id":5}')]
    assert {each[:2] for each in packed} == {b'x\x01', b'x\x9c', b'x\xda', b'x\x5e'}
    table(packed + [aggregate(packed + ['{"id":7}']), '{"id":8}', gzip.compress(b'{"id":9}')])
    ids = [0, 1, 6, 9, 5]
    assert [row[0] for row in db.sql('SELECT id FROM t')] == ids + ids + [7, 8, 9]
    assert db.value('SELECT count(*) FROM t') == 13


def test_zlib_of_a_raw_table_is_asked_for(db, table):
    """Any text may begin like it."""
    packed, text = zlib_of(6, b'bytes \xff'), b'x^2 + 1'
    table([packed, text], "payload bytea, why text OPTIONS (metadata 'decode_error')",
          format='raw', on_error='null')
    assert db.sql('SELECT payload FROM t') == [(packed,), (text,)]
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD compression 'zlib')")
    rows = db.sql('SELECT * FROM t')
    assert rows[0] == (b'bytes \xff', None)
    assert rows[1][0] is None and rows[1][1].startswith('record is not valid zlib')


def test_zlib_that_is_said(db, table):
    """Of a smaller window, too."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 9)
    small = compressor.compress(b'{"id":1}') + compressor.flush()
    assert small[:1] == b'\x18'
    dictionary = zlib.compressobj(zdict=b'{"id":').compress(b'{"id":2}')
    table([small, zlib_of(6), '{"id":3}', gzip.compress(b'{"id":4}'), dictionary],
          "id int, why text OPTIONS (metadata 'decode_error')",
          compression='zlib', on_error='null')
    refused = (None, 'record is not compressed with zlib')
    assert db.sql('SELECT * FROM t') == [(1, None), (1, None)] + [refused] * 3


BROKEN_ZLIB = {
    'cut off': (zlib.compress(JSON)[:-9], 'unexpected end of input'),
    'checksum': (zlib.compress(JSON)[:-4] + b'\0\0\0\0', 'incorrect data check'),
    'tail': (zlib.compress(JSON) + b'tail', 'incorrect header check'),
    'block': (b'x\x9c\xff\xff', 'invalid block type'),
}


def test_zlib_that_cannot_be_inflated(db, table):
    table(((data, label) for label, (data, _) in BROKEN_ZLIB.items()),
          """id int, label text OPTIONS (metadata 'partition_key'),
             why text OPTIONS (metadata 'decode_error')""", on_error='null')
    assert {label: why for id, label, why in db.sql('SELECT * FROM t') if id is None} == {
        label: f'record is not valid zlib: {why}' for label, (_, why) in BROKEN_ZLIB.items()}


def test_bombs_of_zlib(db, table):
    bomb = zlib.compress(b' ' * 8 * 1024 * 1024)
    table([bomb], "id int, why text OPTIONS (metadata 'decode_error')", on_error='null')
    most = max(len(bomb) * 500, 1024 * 1024)
    assert db.sql('SELECT * FROM t') == [
        (None, f'record of {len(bomb)} bytes inflates to more than {most}')]


# as gzip -dc and zstd -dc have it

def gzip_member(rng, data):
    """A member with any of the fields that its header may have."""
    flags = rng.choice([0, 0, 1, 2, 4, 8, 16, 31])
    header = b'\x1f\x8b\x08' + bytes([flags]) + struct.pack('<IBB', rng.randrange(2 ** 32), 0, 3)
    if flags & 4:
        header += struct.pack('<H', 5) + b'extra'
    if flags & 8:
        header += b'name\0'
    if flags & 16:
        header += b'comment\0'
    if flags & 2:
        header += struct.pack('<H', zlib.crc32(header) & 0xffff)
    compressor = zlib.compressobj(rng.choice([0, 1, 9]), zlib.DEFLATED, -15)
    body = compressor.compress(data) + compressor.flush()
    return header + body + struct.pack('<II', zlib.crc32(data), len(data))


def zstd_frame(rng, data):
    if rng.random() < 0.3:
        return skippable(rng.randbytes(rng.choice([0, 1, 100])), rng.randrange(16))
    return zstd(data, level=rng.choice([1, 3, 19]), write_checksum=rng.random() < 0.5,
                write_content_size=rng.random() < 0.5)


def container(rng, piece):
    """Pieces in a row, as a rule; or something that went wrong with them."""
    pieces = [piece(rng, rng.choice([b'', b'a', b'bc' * 300, rng.randbytes(50)]))
              for _ in range(rng.choice([1, 1, 2, 3]))]
    whole = b''.join(pieces)
    return rng.choice([
        lambda: whole, lambda: whole, lambda: whole,
        lambda: whole + b'\0' * rng.choice([1, 2, 3, 4, 511]),
        lambda: whole + b'\0' * rng.choice([1, 4]) + rng.choice([b'x', pieces[0]]),
        lambda: whole + rng.choice([b'x', b'tail', b'\n', whole[:3], whole[:9]]),
        lambda: whole[:-rng.randrange(1, 9)],
        lambda: whole[:rng.randrange(len(whole))],
        lambda: whole[:(i := rng.randrange(len(whole)))] + rng.randbytes(1) + whole[i + 1:],
        lambda: b'\0' * 3 + whole,
    ])()


def output_of(program, data):
    """What the program makes of it; None if it complains in any way."""
    done = subprocess.run([program, '-dc'], input=data, capture_output=True)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize('program, piece', [('gzip', gzip_member), ('zstd', zstd_frame)])
def test_containers_are_taken_as_their_programs_take_them(db, table, program, piece):
    rng = random.Random(12)
    containers = list({container(rng, piece) for _ in range(300)})
    expected = [output_of(program, each) for each in containers]
    assert 60 < expected.count(None) < len(expected) - 60 and b'' in expected
    table(containers, "payload bytea, why text OPTIONS (metadata 'decode_error')",
          format='raw', compression=program, on_error='null')
    for each, wanted, (payload, why) in zip(containers, expected, db.sql('SELECT * FROM t')):
        assert payload == wanted and (why is None) == (wanted is not None), (each, why)
    # what they are is told by their first bytes
    known = [each for each in containers
             if each[:2] == b'\x1f\x8b' or each[:4] == b'\x28\xb5\x2f\xfd'
             or each[1:4] == SKIPPABLE[1:] and each[0] & 0xf0 == 0x50]
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET compression 'auto')")
    rows = db.sql('SELECT payload FROM t')
    for each, wanted, (payload,) in zip(containers, expected, rows):
        assert payload == (wanted if each in known else each), each


def test_padding_of_json(db, table):
    table([gzip.compress(b'{"id":1}') + b'\0' * 500, skippable(b'x' * 9) + zstd(b'{"id"')
           + skippable(b'') + zstd(b':2}') + skippable(b'x')])
    assert db.sql('SELECT id FROM t') == [(1,), (2,)]


def test_a_container_that_is_full_may_go_on(db, table):
    """What is allowed comes out, and what follows is nothing."""
    full = b'{"id":1}' + b' ' * (1024 * 1024 - 8)
    table([gzip.compress(full) + gzip.compress(b''), zstd(full) + skippable(b'x') + zstd(b''),
           gzip.compress(full) + gzip.compress(b' ')],
          "id int, why text OPTIONS (metadata 'decode_error')", on_error='null')
    rows = db.sql('SELECT * FROM t')
    assert rows[:2] == [(1, None)] * 2
    assert rows[2][0] is None and 'inflates to more than 1048576' in rows[2][1]


# what is something else

NAMED = {
    'snappy': b'\xff\x06\x00\x00sNaPpY' + b'\0' * 9,
    'LZ4': b'\x04\x22\x4d\x18' + b'\0' * 9,
    'bzip2': b'BZh91AY&SY',
    'xz': b'\xfd7zXZ\0\0\x04',
    'ZIP': b'PK\x03\x04\x14\0',
    'Parquet': b'PAR1\x15\x04',
    'Avro': b'Obj\x01\x04\x14avro.codec',
    'ORC': b'ORC\x08\x03',
    'AWS Glue': b'\x03\x00' + uuid.UUID(int=7).bytes + b'{"id":1}',
    'AWS Glue Schema Registry': b'\x03\x05' + uuid.UUID(int=7).bytes + zlib_of(6),
    'Confluent': b'\0\0\0\0\x2a{"id":1}',
    'Kinesis Producer Library': b'\xf3\x89\x9a\xc2' + b'\0' * 40,
}


def test_what_is_no_json_is_named(db, table):
    records = [(data, label) for label, data in NAMED.items()]
    # also where a known container is within another, or told to be none
    records += [(gzip.compress(data), label) for label, data in NAMED.items()]
    records += [(gzip.compress(gzip.compress(b'{}')), 'gzip'), (zstd(zstd(b'{}')), 'zstd'),
                (zstd(zlib_of(6)), 'zlib')]
    table(records, """id int, label text OPTIONS (metadata 'partition_key'),
                      why text OPTIONS (metadata 'decode_error')""", on_error='null')
    rows = db.sql('SELECT * FROM t')
    assert len(rows) == len(records)
    for id, label, why in rows:
        assert id is None and why.startswith('record is not JSON: it begins ') and label in why
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD compression 'none')")
    assert {why for _, _, why in db.sql('SELECT * FROM t')} >= {
        'record is not JSON: it begins like gzip', 'record is not JSON: it begins like zstd'}


def test_the_reason_is_kept_with_a_dead_letter(db, table):
    table(['{"id":1}', NAMED['Avro'], 'oops'])
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT sqlstate, reason FROM tracking.dead_letter ORDER BY id') == [
        ('22P02', 'record is not JSON: it begins like Avro'),
        ('22P02', 'record is not valid JSON: unexpected character at byte 0')]


def test_a_scan_that_fails_names_it(db, table):
    table([NAMED['Confluent']])
    with pytest.raises(psycopg.Error, match='it begins with a header of Confluent') as raised:
        db.sql('SELECT * FROM t')
    assert raised.value.sqlstate == '22P02'
    # also where all of it is one column
    db.sql("ALTER FOREIGN TABLE t ALTER id OPTIONS (ADD metadata 'data'), ALTER id TYPE jsonb")
    with pytest.raises(psycopg.Error, match='it begins with a header of Confluent'):
        db.sql('SELECT id FROM t')


def test_no_json_is_named_otherwise(db, table):
    """Nothing that JSON may be is taken for anything else."""
    documents = ['{}', '[0]', '8', '3', '"x"', 'true', 'null', 'false', '-1', ' {}', '\n[1]']
    table(documents, "doc jsonb OPTIONS (path '$')")
    assert db.value('SELECT count(*) FROM t') == len(documents)
    assert len(db.sql('SELECT doc FROM t')) == len(documents) == len(
        [json.loads(each) for each in documents])
