"""The bench: the server that it replays streams from, and the run as a whole."""
import os
import pathlib
import subprocess
import sys

import pytest

BENCH = pathlib.Path(__file__).parents[1] / 'bench'
sys.path.insert(0, str(BENCH))

from events import Entity, Files, PageView, Wrong        # noqa: E402
from harness import servers                              # noqa: E402
from scratch import Replay                               # noqa: E402


class Client(servers.Server):
    def __init__(self, replay):
        self.url = replay.url


@pytest.fixture(scope='module', autouse=True)
def built():
    subprocess.run(['make', '-s', '-C', BENCH / 'replay'], check=True)


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """300 events, of which 100 are distinct."""
    return Files(Entity(), 300, tmp_path_factory.mktemp('bench'), distinct=100)


@pytest.fixture(scope='module')
def replay(built, files):
    with Replay([files]) as server:
        yield server


@pytest.fixture(scope='module')
def kinesis(replay):
    return Client(replay).client()


def shards(kinesis, stream):
    return [shard['ShardId'] for page in
            kinesis.get_paginator('list_shards').paginate(StreamName=stream)
            for shard in page['Shards']]


def iterator(kinesis, stream, shard, kind='TRIM_HORIZON', **where):
    return kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind,
                                      **where)['ShardIterator']


def read(kinesis, stream, shard, kind='TRIM_HORIZON', **where):
    """All records of a shard from there on, and how many each answer had."""
    at, records, counts = iterator(kinesis, stream, shard, kind, **where), [], []
    while True:
        answer = kinesis.get_records(ShardIterator=at)
        records += answer['Records']
        if not answer['Records']:
            assert answer['MillisBehindLatest'] == 0
            return records, counts
        counts.append(len(answer['Records']))
        at = answer['NextShardIterator']


def test_shards_hold_the_content_once(kinesis, files):
    lines = files.content.read_bytes().splitlines()
    found = []
    for shard in shards(kinesis, 'entity.s7.n300'):
        records, _ = read(kinesis, 'entity.s7.n300', shard)
        numbers = [int(record['SequenceNumber']) for record in records]
        assert numbers == sorted(set(numbers))
        found += [record['Data'] for record in records]
    assert found == lines * 3


def test_an_answer_has_at_most_what_its_stream_says(kinesis):
    assert read(kinesis, 'entity.n300.l80', 'shardId-000000000000')[1] == [80, 80, 80, 60]


def test_iterators_begin_where_they_say(kinesis):
    stream, shard = 'entity.n300', 'shardId-000000000000'
    records, _ = read(kinesis, stream, shard)
    tenth = records[10]['SequenceNumber']
    for kind, first in (('AT_SEQUENCE_NUMBER', 10), ('AFTER_SEQUENCE_NUMBER', 11)):
        assert read(kinesis, stream, shard, kind, StartingSequenceNumber=tenth)[0] == \
            records[first:]
    assert read(kinesis, stream, shard, 'LATEST')[0] == []
    assert read(kinesis, stream, shard, 'AT_TIMESTAMP', Timestamp=0)[0] == records


def test_listing_comes_in_pages(kinesis):
    assert len(set(shards(kinesis, 'entity.s2500.n300'))) == 2500
    assert len(kinesis.list_shards(StreamName='entity.s2500.n300')['Shards']) == 1000


def test_live_records_appear_when_they_arrive(kinesis, wait_until):
    stream, shard = 'entity.n300.r200', 'shardId-000000000000'
    first = iterator(kinesis, stream, shard)
    assert len(kinesis.get_records(ShardIterator=first)['Records']) < 300
    wait_until(lambda: len(kinesis.get_records(ShardIterator=first)['Records']) == 300)
    arrivals = [record['ApproximateArrivalTimestamp'] for record in
                kinesis.get_records(ShardIterator=first)['Records']]
    assert (arrivals[200] - arrivals[0]).total_seconds() == 1


def test_faults_come_by_count(replay, kinesis):
    at, seen = iterator(kinesis, 'entity.n300.f1', 'shardId-000000000000'), []
    for _ in range(40):
        try:
            seen.append(len(kinesis.get_records(ShardIterator=at)['Records']))
        except kinesis.exceptions.ProvisionedThroughputExceededException:
            seen.append('throttled')
        except kinesis.exceptions.ClientError as error:
            seen.append(error.response['ResponseMetadata']['HTTPStatusCode'])
        except Exception as error:          # botocore has several for a cut answer
            seen.append(type(error).__name__)
    assert seen[:20] == seen[20:]
    assert (seen.count('throttled'), seen.count(500), seen.count(0)) == (4, 2, 4)
    assert seen.count(300) == 28


def test_a_wrong_load_is_noticed(files):
    files.check('right', (300, files.sum))
    with pytest.raises(Wrong):
        files.check('one too few', (299, files.sum))
    with pytest.raises(Wrong):
        files.check('another', (300, files.sum + 1))


@pytest.mark.parametrize('shape, size', [(Entity(), 100), (PageView(), 470)])
def test_events_are_as_long_as_they_should_be(shape, size, tmp_path):
    assert abs(Files(shape, 100_000, tmp_path).event_bytes - size) < 5


def test_bench_runs():
    done = subprocess.run(
        ['/usr/bin/python3', BENCH / 'bench.py', '--what', 'main,faults', '--events', '5000',
         '--rounds', '1', '--shards', '2'],
        env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert '| target pipeline, TLS ' in done.stdout
    assert '| of 30 % of the calls ' in done.stdout
