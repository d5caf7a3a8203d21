"""Iterators that expire, shards that throttle or talk nonsense, and the pace of asking."""
import itertools
import json
import os
import signal
import threading
import time

import psycopg
import pytest

from harness.servers import Kinesalite, KinesisLocal

SHARD = 'shardId-%012d'
MIB = 1024 * 1024


def ids(n, start=0):
    return [{'id': i} for i in range(start, start + n)]


@pytest.fixture
def source(db, sql_server, make_stream):
    """source(server): table src over a new stream of it, and table target."""
    def make(server, shards=1, url=None, **options):
        stream = make_stream(server, shards)
        sql_server(db, url or server.url, **options)
        db.foreign_table('src', 'id int, name text', stream)
        db.sql('CREATE TABLE target (id int, name text)')
        return stream
    return make


def exactly(db, n):
    db.wait_value(n, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == n


def asked_at(proxy):
    return [r['at'] for r in proxy.requests('GetRecords')]


def keeps_the_pace(proxy):
    """No more than five GetRecords a second, of one shard; with room for a
    request that was on its way for longer than the next ones."""
    times = asked_at(proxy)
    assert len(times) > 6
    return all(later - earlier > 0.95 for earlier, later in zip(times, times[5:]))


# iterators

@pytest.mark.parametrize('kind', [Kinesalite, KinesisLocal])
def test_expired_iterators_are_renewed(db, source, clocked, new_proxy, put, wait_until, kind):
    server, clock = clocked(kind)
    proxy = new_proxy(server)
    stream = source(server, shards=2, url=proxy.url)
    put(server.client(), stream, ids(50))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    exactly(db, 50)
    pid = db.worker('p')
    renewed = len(proxy.requests('GetShardIterator'))
    assert renewed == 2
    clock.ahead(seconds=301)
    wait_until(lambda: len(proxy.requests('GetShardIterator')) == 4)
    put(server.client(), stream, ids(50, 50))
    exactly(db, 100)
    assert db.worker('p') == pid and db.status('p')[0]['last_error'] is None


@pytest.mark.parametrize('kind', [Kinesalite, KinesisLocal])
def test_iterators_that_expire_in_a_scan(db, source, clocked, new_proxy, put, kind):
    server, clock = clocked(kind)
    proxy = new_proxy(server)
    stream = source(server, url=proxy.url)
    put(server.client(), stream, ids(100))
    held = proxy.hold('GetRecords')
    rows = []
    scan = threading.Thread(target=lambda: rows.extend(db.sql('SELECT id FROM src')))
    scan.start()
    held.wait(2)                # its own, and the look-out for the tip
    clock.ahead(seconds=301)
    proxy.clear()
    scan.join()
    assert sorted(rows) == [(i,) for i in range(100)]
    assert len(proxy.requests('GetShardIterator')) == 4


# a shard at a time

@pytest.mark.parametrize('fault', ['throttle', 'error', 'nonsense', 'truncated', 'no iterator'])
def test_a_failing_shard_holds_up_no_other(db, source, kinesis, new_proxy, put, wait_until, fault):
    proxy = new_proxy(kinesis)
    stream = source(kinesis, shards=2, url=proxy.url)
    put(kinesis.client(), stream, ids(40))
    op = 'GetShardIterator' if fault == 'no iterator' else 'GetRecords'
    if fault == 'throttle':
        proxy.error(op, 'ProvisionedThroughputExceededException', shard=SHARD % 1)
    elif fault == 'error':
        proxy.error(op, 'InternalFailureException', status=500, shard=SHARD % 1)
    elif fault == 'nonsense':
        proxy.raw(op, b'{"Records":[{"SequenceNumber":true}]}', shard=SHARD % 1)
    elif fault == 'truncated':
        proxy.raw(op, b'{"Records":[{"Sequ', shard=SHARD % 1)
    else:
        proxy.raw(op, b'{}', shard=SHARD % 1)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    rows = "SELECT records FROM tracking.checkpoint WHERE shard_id = '%s'"
    wait_until(lambda: db.value(rows % (SHARD % 0)))
    pid = db.worker('p')
    wait_until(lambda: db.status('p')[0]['last_error'])
    assert SHARD % 1 in db.status('p')[0]['last_error']
    before = db.value('SELECT count(*) FROM target')
    put(kinesis.client(), stream, ids(40, 40))
    wait_until(lambda: db.value('SELECT count(*) FROM target') > before)
    assert db.value(rows % (SHARD % 1)) == 0
    proxy.clear()
    exactly(db, 80)
    assert db.worker('p') == pid and db.status('p')[0]['failures'] == 0


@pytest.mark.parametrize('op, answer', [
    ('GetRecords', b'{"Records":[{"SequenceNumber":true}]}'), ('GetRecords', b'{"Records":[{'),
    ('GetRecords', b'<html>'), ('GetShardIterator', b'{}'), ('GetShardIterator', b'')])
def test_nonsense_in_a_scan_is_tried_again(db, source, kinesalite, proxy, put, op, answer):
    stream = source(kinesalite, url=proxy.url, max_retries=2)
    put(kinesalite.client(), stream, ids(10))
    proxy.raw(op, answer, first=2)
    assert db.value('SELECT count(*) FROM src') == 10
    proxy.raw(op, answer)
    with pytest.raises(psycopg.Error, match=f'could not read shard "{SHARD % 0}"') as raised:
        db.sql('SELECT * FROM src')
    assert raised.value.sqlstate == 'HV000' and 'bad answer' in raised.value.diag.message_detail


# pace

def test_an_answer_is_paid_for_before_the_next(db, source, kinesalite, proxy, put, wait_until):
    stream = source(kinesalite, url=proxy.url)
    put(kinesalite.client(), stream, [{'id': i, 'name': 'x' * (MIB - 1000)} for i in range(6)])
    proxy.error('GetRecords', 'ProvisionedThroughputExceededException', after=1, first=1)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s', batch_rows=100)
    wait_until(lambda: len(proxy.requests('GetRecords')) > 3)
    large, throttled, again = proxy.requests('GetRecords')[:3]
    assert large['bytes'] > 6 * MIB and throttled['fault'] and not again['fault']
    # 6 MiB at 2 MiB a second
    assert 2.8 < again['at'] - large['answered_at'] < 4
    exactly(db, 6)


def behind(answer):
    return {**answer, 'Records': [], 'MillisBehindLatest': 60000}


def test_empty_answers_while_behind_are_followed(db, source, kinesis_local, new_proxy, put,
                                                 wait_until):
    proxy = new_proxy(kinesis_local)
    stream = source(kinesis_local, url=proxy.url)
    proxy.rewrite('GetRecords', behind, first=12)
    # at the tip it would be asked again after a minute
    db.pipeline('p', 'src', target='target', max_latency='1 minute')
    wait_until(lambda: len(asked_at(proxy)) >= 12, timeout=10)
    assert keeps_the_pace(proxy)


def test_a_late_poll_makes_no_other_late(db, source, kinesis_local, new_proxy, wait_until):
    proxy = new_proxy(kinesis_local)
    source(kinesis_local, url=proxy.url)
    # idle shards are asked together, at multiples of it; it takes all of the allowance
    interval = 0.2
    db.pipeline('p', 'src', target='target', max_latency=f'{interval} s')
    wait_until(lambda: len(asked_at(proxy)) >= 8)
    pid = db.worker('p')
    # stopped between two polls, for longer than the next one's time
    time.sleep(interval * 1.5 - time.monotonic() % interval)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(interval * 1.1)
    os.kill(pid, signal.SIGCONT)
    before = len(asked_at(proxy))
    wait_until(lambda: len(asked_at(proxy)) >= before + 27)
    late = [at for at in asked_at(proxy)[before + 2:] if at % interval > interval * 0.4]
    assert len(late) <= 2 and keeps_the_pace(proxy)


def looks(proxy):
    """How often a scan looked for the tip."""
    return sum(json.loads(r['body'])['Limit'] == 1 for r in proxy.requests('GetRecords'))


def test_a_scan_follows_empty_answers_and_keeps_the_pace(db, source, kinesis_local, new_proxy):
    proxy = new_proxy(kinesis_local)
    source(kinesis_local, url=proxy.url)
    proxy.rewrite('GetRecords', behind, first=16)
    assert db.sql('SELECT * FROM src') == []
    assert len(asked_at(proxy)) > 16 and keeps_the_pace(proxy)
    # as far from the tip as it was, it has the shard's allowance for itself
    assert looks(proxy) == 1


def test_a_scan_near_the_tip_looks_for_it(db, source, kinesis_local, new_proxy):
    proxy = new_proxy(kinesis_local)
    source(kinesis_local, url=proxy.url)
    left = itertools.count(60000, -9000)
    proxy.rewrite('GetRecords', lambda answer: {**behind(answer),
                                                'MillisBehindLatest': max(next(left), 5)},
                  first=16)
    assert db.sql('SELECT * FROM src') == []
    # the look-out counts like the reading
    assert looks(proxy) > 3 and keeps_the_pace(proxy)


# size

@pytest.mark.parametrize('by', ['scan', 'pipeline'])
def test_answers_over_the_cap_are_asked_for_in_parts(db, source, kinesalite, proxy, put, by):
    stream = source(kinesalite, url=proxy.url)
    put(kinesalite.client(), stream, [{'id': i, 'name': 'x' * (MIB - 1000)} for i in range(24)])
    if by == 'scan':
        assert db.value('SELECT count(DISTINCT id) FROM src') == 24
    else:
        db.pipeline('p', 'src', target='target', enabled=False)
        db.sql("CALL tracking.run_pipeline('p')")
        exactly(db, 24)
    assert any(r['bytes'] > 20 * MIB for r in proxy.requests('GetRecords') if 'bytes' in r)
