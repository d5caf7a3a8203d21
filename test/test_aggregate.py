"""KPL aggregates: records in a record, each a record of its own, and a position
that may be among them."""
import decimal
import hashlib
import json

import psycopg
import pytest

from harness.kpl import MAGIC, aggregate, chunk, number, record, seal, varint

COLUMNS = """id int, key text OPTIONS (metadata 'partition_key'),
             hash text OPTIONS (metadata 'explicit_hash_key'),
             seq numeric OPTIONS (metadata 'sequence_number'),
             sub bigint OPTIONS (metadata 'sub_sequence_number'),
             arrived timestamptz OPTIONS (metadata 'approximate_arrival_timestamp')"""


def ids(n, start=0):
    return [json.dumps({'id': i}) for i in range(start, start + n)]


# what is an aggregate

def test_each_record_is_a_row_of_its_own(db, stream_of, kinesis):
    big = str(2 ** 128 - 1)
    stream = stream_of([
        ('{"id":1}', 'first'),
        (aggregate([('{"id":2}', 'a'), ('{"id":3}', 'caf\u00e9', big), ('{"id":4}', 'a', '0'),
                    ('{"id":5}', 'b')]), 'outer'),
        ('{"id":6}', 'last')], kinesis)
    db.foreign_table('t', COLUMNS, stream)
    rows = db.sql('SELECT * FROM t')
    assert [row[:3] for row in rows] == [
        (1, 'first', None), (2, 'a', None), (3, 'caf\u00e9', big), (4, 'a', '0'),
        (5, 'b', None), (6, 'last', None)]
    assert [row[4] for row in rows] == [None, 0, 1, 2, 3, None]
    assert len({row[3] for row in rows[1:5]}) == len({row[5] for row in rows[1:5]}) == 1
    assert len({row[3] for row in rows}) == 3
    assert db.value('SELECT count(*) FROM t') == 6


def test_metadata_of_other_types(db, stream_of):
    stream = stream_of([aggregate([('{}', '7', '42'), ('{}', '8', '43')])])
    db.foreign_table('t', """sub text OPTIONS (metadata 'sub_sequence_number'),
                             hash numeric OPTIONS (metadata 'explicit_hash_key'),
                             key int OPTIONS (metadata 'partition_key'),
                             data text OPTIONS (metadata 'data')""", stream)
    assert db.sql('SELECT * FROM t') == [('0', decimal.Decimal(42), 7, '{}'),
                                         ('1', decimal.Decimal(43), 8, '{}')]


def test_aggregation_none_leaves_an_aggregate_as_it_is(db, stream_of):
    packed = aggregate(ids(3))
    db.foreign_table('t', "payload bytea, sub int OPTIONS (metadata 'sub_sequence_number')",
                     stream_of([packed]), format='raw', aggregation='none')
    assert db.sql('SELECT * FROM t') == [(packed, None)]


TABLE = chunk(1, 'k')
ONE = record('{"id":1}')

WELL_FORMED = {
    'tables last': record('{"id":1}', 0, 0) + chunk(2, '5') + TABLE,
    'unknown fields': (number(9, 2 ** 64 - 1) + varint(10 << 3 | 1) + b'8 bytes.' + TABLE +
                       varint(11 << 3 | 5) + b'four' + chunk(12, b'x' * 300) + ONE),
    'tags': TABLE + chunk(3, number(1, 0) + chunk(3, '{"id":1}') +
                          chunk(4, chunk(1, 'tag') + chunk(2, 'value'))),
    'fields of another type': number(3, 1) + TABLE + chunk(3, chunk(1, 'x') + number(1, 0) +
                                                           number(3, 7) + chunk(3, '{"id":1}')),
    'a field twice': TABLE + chunk(3, number(1, 9) + chunk(3, 'x') + chunk(3, '{"id":1}') +
                                   number(1, 0)),
    'long varint': TABLE + chunk(3, b'\x08' + b'\x80' * 9 + b'\0' + chunk(3, '{"id":1}')),
}


@pytest.mark.parametrize('name', WELL_FORMED)
def test_protobuf_as_others_may_write_it(db, stream_of, name):
    db.foreign_table('t', COLUMNS, stream_of([seal(WELL_FORMED[name])]))
    assert [row[0] for row in db.sql('SELECT * FROM t')] == [1]


NO_AGGREGATE = {
    'magic alone': MAGIC,
    'no message': seal(b''),
    'no record': seal(TABLE),
    'short': MAGIC + b'\0' * 15,
    'other magic': b'\xf3\x89\x9a\xc3' + seal(TABLE + ONE)[4:],
    'wrong md5': seal(TABLE + ONE)[:-1] + b'\0',
    'md5 of all': MAGIC + TABLE + ONE + hashlib.md5(MAGIC + TABLE + ONE).digest(),
    'truncated': seal((TABLE + ONE)[:-1]),
    'length beyond the end': seal(TABLE + varint(3 << 3 | 2) + varint(2 ** 63) + b'x'),
    'length of 2^64 - 1': seal(TABLE + varint(3 << 3 | 2) + varint(2 ** 64 - 1) + b'x'),
    'endless varint': seal(TABLE + ONE + b'\x08' + b'\xff' * 20),
    'group': seal(TABLE + ONE + varint(9 << 3 | 3) + varint(9 << 3 | 4)),
    'field 0': seal(TABLE + ONE + number(0, 1)),
    'no data': seal(TABLE + chunk(3, number(1, 0))),
    'no partition key': seal(TABLE + chunk(3, chunk(3, '{"id":1}'))),
    'key beyond the table': seal(TABLE + record('{}', 1)),
    'hash key beyond the table': seal(TABLE + record('{}', 0, 0)),
    'huge index': seal(TABLE + record('{}', 2 ** 64 - 1)),
    'last record cut off': seal(TABLE + ONE * 3 + varint(3 << 3 | 2) + varint(9) + b'\x08'),
    'key that is not UTF-8': seal(chunk(1, b'\xff') + ONE),
    'key with a zero byte': seal(chunk(1, b'a\0b') + ONE),
    'key of 1025 bytes': seal(chunk(1, 'x' * 1025) + ONE),
    'hash key that is no number': seal(TABLE + chunk(2, '1e3') + ONE),
    'hash key of 40 digits': seal(TABLE + chunk(2, '1' * 40) + ONE),
}


def test_what_is_no_aggregate_is_passed_through(db, stream_of):
    stream = stream_of((data, name) for name, data in NO_AGGREGATE.items())
    db.foreign_table('t', """payload bytea, name text OPTIONS (metadata 'partition_key'),
                             sub int OPTIONS (metadata 'sub_sequence_number')""",
                     stream, format='raw')
    assert {name: payload for payload, name, sub in db.sql('SELECT * FROM t')} == NO_AGGREGATE
    assert db.value('SELECT count(*) FROM t WHERE sub IS NULL') == len(NO_AGGREGATE)


def test_an_aggregate_in_an_aggregate_is_data(db, stream_of):
    inner = aggregate(ids(2))
    db.foreign_table('t', "payload bytea, sub int OPTIONS (metadata 'sub_sequence_number')",
                     stream_of([aggregate([inner, '{}'])]), format='raw')
    assert db.sql('SELECT * FROM t') == [(inner, 0), (b'{}', 1)]


def test_very_many_records(db, stream_of):
    """As many as fit in 1 MiB: hardly anything of each."""
    n = (1024 * 1024 - 100) // len(record('1'))
    db.foreign_table('t', "v int OPTIONS (path '$'), "
                     "sub int OPTIONS (metadata 'sub_sequence_number')",
                     stream_of([seal(TABLE + record('1') * n)]))
    assert db.sql('SELECT count(*), sum(v), max(sub) FROM t') == [(n, n, n - 1)]


def test_a_pass_goes_to_the_tip_and_the_next_on_from_there(db, stream_of, kinesis, put):
    """Also where an aggregate has more records than were asked for."""
    stream = stream_of([aggregate(ids(10))], kinesis)
    db.foreign_table('t', COLUMNS, stream)
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False, batch_rows=3)
    for n in (10, 20):
        db.sql("CALL tracking.run_pipeline('p')")
        assert db.sql('SELECT id FROM target ORDER BY 1') == [(i,) for i in range(n)]
        put(kinesis.client(), stream, [aggregate(ids(10, n))])


# errors

def test_an_error_names_the_record_in_the_aggregate(db, stream_of):
    db.foreign_table('t', COLUMNS, stream_of([aggregate(['{"id":0}', '{"id":"x"}'])]))
    with pytest.raises(psycopg.Error) as raised:
        db.sql('SELECT * FROM t')
    seq = db.value('SELECT DISTINCT seq FROM t')
    assert f'record {seq}:1 of shard' in raised.value.diag.context


def test_dead_letter_of_one_record_in_an_aggregate(db, stream_of):
    db.foreign_table('t', COLUMNS, stream_of([
        'no JSON', aggregate([('{"id":1}', 'a'), ('bad', 'b'), ('{"id":2}', 'c')])]))
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id FROM target ORDER BY 1') == [(1,), (2,)]
    plain, packed = db.sql('SELECT sub_sequence_number, data, sequence_number, partition_key '
                           'FROM tracking.dead_letter ORDER BY id')
    assert plain[:2] == (None, b'no JSON')
    assert packed[:2] == (1, b'bad') and packed[2] > plain[2] and packed[3] == 'b'


# positions

def position(db):
    return db.value("SELECT position FROM tracking.checkpoint WHERE pipeline = 'p'")


def test_a_batch_ends_inside_an_aggregate(db, stream_of):
    """The pipeline stops in its third batch of seven, and goes on there."""
    stream = stream_of([aggregate(ids(25)), aggregate(ids(25, 25)), '{"id":50}'])
    db.foreign_table('t', COLUMNS, stream)
    db.sql('CREATE TABLE target (id int CHECK (id <> 17))')
    db.pipeline('p', 't', target='target', enabled=False, batch_rows=7, on_error='stop')
    with pytest.raises(psycopg.errors.CheckViolation):
        db.sql("CALL tracking.run_pipeline('p')")
    first, second, last = [row[0] for row in db.sql('SELECT DISTINCT seq FROM t ORDER BY 1')]
    assert position(db) == f'{first}:16'
    assert db.value('SELECT count(*) FROM target') == 17

    db.sql('ALTER TABLE target DROP CONSTRAINT target_id_check')
    db.sql('ALTER TABLE target ADD CHECK (id <> 30)')
    with pytest.raises(psycopg.errors.CheckViolation):
        db.sql("CALL tracking.run_pipeline('p')")
    assert position(db) == f'{second}:4'

    db.sql('ALTER TABLE target DROP CONSTRAINT target_id_check')
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id FROM target ORDER BY 1') == [(i,) for i in range(51)]
    assert position(db) == str(last)
    assert db.value('SELECT records FROM tracking.checkpoint') == 51


def test_a_batch_that_ends_with_an_aggregate_is_behind_all_of_it(db, stream_of):
    db.foreign_table('t', COLUMNS, stream_of([aggregate(ids(10))]))
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False, batch_rows=5)
    db.sql("CALL tracking.run_pipeline('p')")
    assert position(db) == str(db.value('SELECT DISTINCT seq FROM t'))


def test_reset_into_an_aggregate(db, stream_of):
    db.foreign_table('t', COLUMNS, stream_of([aggregate(ids(10)), '{"id":10}']))
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    seq, = db.sql('SELECT min(seq) FROM t')[0]
    for sub, expected in ((6, [7, 8, 9, 10]), (9, [10]), (2 ** 40, [10])):
        db.sql('TRUNCATE target')
        db.sql("SELECT tracking.reset_pipeline('p', %s, 'shardId-000000000000')", f'{seq}:{sub}')
        db.sql("CALL tracking.run_pipeline('p')")
        assert [row[0] for row in db.sql('SELECT id FROM target ORDER BY 1')] == expected


def test_an_iterator_that_expires_within_an_aggregate(db, proxy, stream_of):
    """Before the first answer the reader must come back to the same place."""
    stream = stream_of([aggregate(ids(10))], url=proxy.url)
    db.foreign_table('t', COLUMNS, stream)
    db.sql('CREATE TABLE target (id int CHECK (id <> 5))')
    db.pipeline('p', 't', target='target', enabled=False, batch_rows=4, on_error='stop')
    with pytest.raises(psycopg.errors.CheckViolation):
        db.sql("CALL tracking.run_pipeline('p')")
    assert position(db).endswith(':4')
    db.sql('ALTER TABLE target DROP CONSTRAINT target_id_check')
    proxy.error('GetRecords', 'ExpiredIteratorException', first=2)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id FROM target ORDER BY 1') == [(i,) for i in range(10)]


def test_a_worker_killed_within_aggregates(new_cluster, new_db, sql_server, kinesalite,
                                           make_stream, put, wait_until):
    """kill -9 at five places, each in the middle of an aggregate."""
    db = new_db(new_cluster())
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [aggregate(ids(40, 40 * i)) for i in range(25)])
    sql_server(db, kinesalite.url)
    db.foreign_table('t', COLUMNS, stream)
    db.sql('CREATE TABLE target (id int)')
    db.sql('CREATE TABLE place AS SELECT 117 AS id')
    db.sql("""CREATE FUNCTION wait_there() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
              WHILE new.id = (SELECT id FROM place) LOOP PERFORM pg_sleep(0.02); END LOOP;
              RETURN new; END$$""")
    db.sql('CREATE TRIGGER stop BEFORE INSERT ON target FOR EACH ROW '
           'WHEN (new.id % 200 = 117) EXECUTE FUNCTION wait_there()')
    db.pipeline('p', 't', target='target', batch_rows=7, max_latency='0.2 s')

    def answers(connect=False):
        try:
            db.conn = db.connect() if connect else db.conn
            return db.value('SELECT true')
        except psycopg.Error:
            return False

    for place in range(117, 1000, 200):
        db.sql('UPDATE place SET id = %s', place)
        wait_until(lambda: db.value('SELECT count(*) FROM target') > place - 7 and db.value(
            "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s",
            db.worker('p')), what=f'the worker to be at {place}')
        landed = db.value('SELECT count(*) FROM target')
        assert ':' in position(db)
        db.cluster.kill9(db.worker('p'))
        wait_until(lambda: not answers(), what='the end of the session')
        wait_until(lambda: answers(connect=True), what='the server to be back')
        assert db.value('SELECT count(*) FROM target') == landed
    db.sql('UPDATE place SET id = 0')
    db.wait_value(1000, 'SELECT count(*) FROM target')
    assert db.sql('SELECT count(DISTINCT id), min(id), max(id) FROM target') == [(1000, 0, 999)]
