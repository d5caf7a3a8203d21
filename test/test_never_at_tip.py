"""A scan ends although the service never says that it is at the tip, and only when it has all
that was there when it began; if that cannot be known, it is an error."""
import itertools
import time

import psycopg
import pytest

from harness.records import Producer, ids

SHARD = 'shardId-%012d'
AGE_MS = 10 ** 9        # longer ago than any scan is old


@pytest.fixture
def table(db, sql_server, make_stream, kinesalite, proxy, put):
    """Table t over a stream with 20 records, read through the proxy; the stream."""
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(20))
    sql_server(db, proxy.url)
    db.foreign_table('t', 'id int, name text', stream)
    db.sql("SET statement_timeout = '60 s'")
    return stream


def says(proxy, behind, **when):
    """Answers say that they are that far behind, in milliseconds: a function of the seconds
    since now, and of how many answers there were."""
    began, answers = time.monotonic(), itertools.count()
    proxy.rewrite('GetRecords', lambda answer: {
        **answer, 'MillisBehindLatest': behind(time.monotonic() - began, next(answers))}, **when)


CLAIMS = {
    'little': lambda seconds, n: 800,
    'much': lambda seconds, n: AGE_MS,
    'ever more': lambda seconds, n: AGE_MS + int(seconds * 1000),
    'now this, now that': lambda seconds, n: AGE_MS + n * 7919 % 5000,
}


@pytest.mark.parametrize('claim', CLAIMS)
def test_always_behind(db, table, proxy, claim):
    says(proxy, CLAIMS[claim])
    assert sorted(db.sql('SELECT id FROM t')) == [(i,) for i in range(20)]


def test_always_behind_in_a_pipeline(db, table, proxy):
    says(proxy, CLAIMS['much'])
    db.sql('CREATE TABLE target (id int, name text)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT count(*) FROM target') == 20


def test_always_behind_while_written_to(db, table, kinesalite, proxy):
    says(proxy, CLAIMS['much'])
    producer = Producer(kinesalite, table)
    producer.start()
    try:
        counted = db.value('SELECT count(*) FROM t')
    finally:
        put = producer.end()
    assert 20 <= counted <= 20 + put


def test_empty_answers_on_the_way_do_not_end_a_scan(db, table, proxy):
    """They come for longer than it takes to doubt the service's word, but come nearer."""
    iterators, answers = [], itertools.count()

    def keep(answer):
        iterators.append(answer['ShardIterator'])
        return answer

    def empty(answer):
        return {'Records': [], 'NextShardIterator': iterators[0],
                'MillisBehindLatest': AGE_MS - 1000 * next(answers)}
    proxy.rewrite('GetShardIterator', keep, asks={'ShardIteratorType': 'TRIM_HORIZON'})
    proxy.rewrite('GetRecords', empty, first=60, asks={'Limit': 10000})
    began = time.monotonic()
    assert db.value('SELECT count(*) FROM t') == 20
    assert time.monotonic() - began > 11


def test_a_scan_that_is_held_up_reads_on(db, sql_server, big_records, wait_until):
    """By then its answers, which say that they are a second behind, are less behind than it
    is old; and yet there is more."""
    sql_server(db, big_records(1, 40, 1 << 20).url)
    db.foreign_table('t', 'id bigint', 'big')
    with db.conn.transaction():
        db.sql('DECLARE c CURSOR FOR SELECT id FROM t')
        assert len(db.sql('FETCH 1 FROM c')) == 1
        began = time.monotonic()
        wait_until(lambda: time.monotonic() > began + 7)
        assert len(db.sql('FETCH ALL FROM c')) == 39


def test_what_cannot_be_known_to_be_over_is_an_error(db, table, kinesalite, proxy, wait_until):
    """A closed shard that goes on: there is no tip to compare with."""
    client = kinesalite.client()
    client.split_shard(StreamName=table, ShardToSplit=SHARD % 0, NewStartingHashKey=str(2 ** 127))
    wait_until(lambda: client.describe_stream_summary(StreamName=table)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')
    iterator = client.get_shard_iterator(StreamName=table, ShardId=SHARD % 0,
                                         ShardIteratorType='LATEST')['ShardIterator']
    proxy.rewrite('GetRecords', lambda answer: {
        **answer, 'NextShardIterator': iterator, 'MillisBehindLatest': AGE_MS})
    db.sql("SET statement_timeout = '90 s'")
    with pytest.raises(psycopg.Error, match=f'could not read shard "{SHARD % 0}"') as raised:
        db.sql('SELECT * FROM t')
    assert raised.value.sqlstate == 'HV000' and raised.value.diag.message_hint
