"""Shards that come and go while they are read: split, merged, expired, and very many."""
import itertools
import json
import threading

import pytest

SHARD = 'shardId-%012d'
KEYS = [f'key {i}' for i in range(12)]


@pytest.fixture
def source(db, sql_server, make_stream):
    """source(server): table src over a new stream, for records of Producer, and table target,
    which says in which order they landed."""
    def make(server, shards=1, url=None):
        stream = make_stream(server, shards)
        sql_server(db, url or server.url)
        db.foreign_table('src', 'key text, n int', stream)
        db.sql('CREATE TABLE target (id bigserial, key text, n int)')
        return stream
    return make


class Producer:
    """Puts, for every key, records that are numbered in order; in a thread, on and on."""

    def __init__(self, client, stream):
        self.client, self.stream = client, stream
        self.rounds = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def put(self, rounds=1):
        for _ in range(rounds):
            results = self.client.put_records(StreamName=self.stream, Records=[
                {'Data': json.dumps({'key': key, 'n': self.rounds}), 'PartitionKey': key}
                for key in KEYS])
            assert results['FailedRecordCount'] == 0
            self.rounds += 1

    def _run(self):
        while not self._ended.wait(0.05):
            self.put()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._ended.set()
        self._thread.join()


def reshard(client, stream, wait_until, **call):
    (operation, arguments), = call.items()
    getattr(client, operation)(StreamName=stream, **arguments)
    wait_until(lambda: client.describe_stream_summary(StreamName=stream)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')


def split(client, stream, wait_until, number):
    shard, = [s for s in client.list_shards(StreamName=stream)['Shards']
              if s['ShardId'] == SHARD % number]
    low, high = (int(shard['HashKeyRange'][end + 'HashKey']) for end in ('Starting', 'Ending'))
    reshard(client, stream, wait_until, split_shard={
        'ShardToSplit': SHARD % number, 'NewStartingHashKey': str((low + high) // 2)})


def merge(client, stream, wait_until, one, other):
    reshard(client, stream, wait_until, merge_shards={
        'ShardToMerge': SHARD % one, 'AdjacentShardToMerge': SHARD % other})


def landed_in_order(db, rounds):
    """Every record once, and those of a key in their order."""
    db.wait_value(rounds * len(KEYS), 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT (key, n)) FROM target') == rounds * len(KEYS)
    assert db.value("""SELECT count(*) FROM (SELECT n, lag(n) OVER (PARTITION BY key ORDER BY id)
                       AS before FROM target) AS t WHERE n <= before""") == 0


def positions(db):
    return dict(db.sql('SELECT shard_id, position FROM tracking.checkpoint'))


def test_split_and_merge_while_running(db, source, kinesis, wait_until):
    stream = source(kinesis)
    client = kinesis.client()
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    pid = db.worker('p')
    with Producer(client, stream) as producer:
        wait_until(lambda: producer.rounds > 5)
        split(client, stream, wait_until, 0)                # 1 and 2
        wait_until(lambda: SHARD % 2 in positions(db))
        split(client, stream, wait_until, 2)                # 3 and 4
        merge(client, stream, wait_until, 1, 3)             # 5
        wait_until(lambda: SHARD % 5 in positions(db))
        after = producer.rounds + 5
        wait_until(lambda: producer.rounds > after)
    landed_in_order(db, producer.rounds)
    wait_until(lambda: {n for n in range(6) if positions(db)[SHARD % n] == 'SHARD_END'}
               == {0, 1, 2, 3})
    assert db.worker('p') == pid
    parents = dict(db.sql('SELECT shard_id, parent_shard_ids FROM tracking.checkpoint'))
    assert parents[SHARD % 0] == [] and parents[SHARD % 1] == [SHARD % 0]
    assert sorted(parents[SHARD % 5]) == [SHARD % 1, SHARD % 3]
    assert db.value('SELECT count(*) FROM tracking.gap') == 0


def test_update_shard_count_while_running(db, source, kinesis_local, wait_until):
    stream = source(kinesis_local, shards=2)
    client = kinesis_local.client()
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    with Producer(client, stream) as producer:
        for count in (4, 2, 1):
            reshard(client, stream, wait_until, update_shard_count={
                'TargetShardCount': count, 'ScalingType': 'UNIFORM_SCALING'})
            after = producer.rounds + 3
            wait_until(lambda: producer.rounds > after)
    landed_in_order(db, producer.rounds)
    wait_until(lambda: sum(p != 'SHARD_END' for p in positions(db).values()) == 1)


@pytest.mark.parametrize('by', ['worker', 'call'])
def test_backlog_of_closed_shards(db, source, kinesis, wait_until, by):
    stream = source(kinesis)
    client = kinesis.client()
    producer = Producer(client, stream)
    producer.put(5)
    split(client, stream, wait_until, 0)
    producer.put(5)
    merge(client, stream, wait_until, 1, 2)
    producer.put(5)
    # a batch ends anywhere, and children wait for it
    db.pipeline('p', 'src', target='target', batch_rows=7, enabled=by == 'worker')
    if by == 'call':
        db.sql("CALL tracking.run_pipeline('p')")
    landed_in_order(db, 15)


def test_children_are_found_before_their_parent_ends(db, source, kinesis, new_proxy, wait_until):
    proxy = new_proxy(kinesis)
    stream = source(kinesis, url=proxy.url)
    client = kinesis.client()
    db.sql(f"ALTER DATABASE {db.dbname} SET tracking_fdw.shard_list_interval = '100 ms'")
    producer = Producer(client, stream)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    producer.put()
    landed_in_order(db, 1)
    held = proxy.hold('GetRecords')
    held.wait()
    producer.put()
    split(client, stream, wait_until, 0)
    producer.put()
    wait_until(lambda: len(positions(db)) == 3)
    assert positions(db)[SHARD % 0] != 'SHARD_END'
    # they wait for it all the same
    assert {r['shard'] for r in proxy.requests('GetRecords')} == {SHARD % 0}
    proxy.clear()
    landed_in_order(db, 3)


def test_children_told_at_the_end_need_no_listing(db, source, kinesis_local, new_proxy,
                                                  wait_until):
    proxy = new_proxy(kinesis_local)
    stream = source(kinesis_local, url=proxy.url)
    client = kinesis_local.client()
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    producer = Producer(client, stream)
    producer.put()
    landed_in_order(db, 1)
    split(client, stream, wait_until, 0)
    producer.put()
    landed_in_order(db, 2)
    assert len(proxy.requests('ListShards')) == 1


@pytest.mark.parametrize('fault', ['slow', 'throttled'])
def test_listing_holds_up_no_reading(db, source, kinesalite, proxy, wait_until, fault):
    stream = source(kinesalite, url=proxy.url)
    db.sql('ALTER SERVER aws OPTIONS (ADD max_retries \'0\')')
    db.sql(f"ALTER DATABASE {db.dbname} SET tracking_fdw.shard_list_interval = '100 ms'")
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    pid = db.worker('p')
    wait_until(lambda: positions(db))
    if fault == 'slow':
        proxy.hold('ListShards').wait()
    else:
        proxy.error('ListShards', 'LimitExceededException')
        wait_until(lambda: 'new shards' in (db.status('p')[0]['last_error'] or ''))
    producer = Producer(kinesalite.client(), stream)
    for rounds in (1, 2, 3):
        producer.put()
        landed_in_order(db, rounds)
    proxy.clear()
    split(kinesalite.client(), stream, wait_until, 0)
    producer.put()
    landed_in_order(db, 4)
    assert db.worker('p') == pid


def without(number):
    def change(answer):
        answer['Shards'] = [s for s in answer['Shards'] if s['ShardId'] != SHARD % number]
        return answer
    return change


def test_expired_parents_are_finished(db, source, kinesis, new_proxy, wait_until):
    proxy = new_proxy(kinesis)
    stream = source(kinesis, url=proxy.url)
    client = kinesis.client()
    split(client, stream, wait_until, 0)
    producer = Producer(client, stream)
    producer.put(3)
    proxy.rewrite('ListShards', without(0))
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    landed_in_order(db, 3)
    assert set(positions(db)) == {SHARD % 1, SHARD % 2}


@pytest.mark.parametrize('long_ago, gone', [('1 hour', False), ('30 hours', True)])
def test_shard_that_expired_unread_ends_with_a_gap(db, source, kinesis_local, new_proxy,
                                                   wait_until, long_ago, gone):
    proxy = new_proxy(kinesis_local)
    stream = source(kinesis_local, url=proxy.url)
    client = kinesis_local.client()
    producer = Producer(client, stream)
    producer.put()
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    split(client, stream, wait_until, 0)
    before = positions(db)[SHARD % 0]
    db.sql(f"UPDATE tracking.checkpoint SET read_until = now() - interval '{long_ago}'")
    proxy.rewrite('ListShards', without(0))
    producer.put()
    db.sql("CALL tracking.run_pipeline('p')")
    # a listing that lacks a shard which cannot have expired is not believed
    assert positions(db)[SHARD % 0] == ('SHARD_END' if gone else before)
    gaps = db.sql('SELECT shard_id, from_position, to_position, to_time - from_time '
                  "BETWEEN interval '5:59' AND interval '6:01' FROM tracking.gap ORDER BY 1")
    assert gaps[:1] == ([(SHARD % 0, before, 'SHARD_END', True)] if gone else [])
    # the children are as old as the end of their parent: they may have lost records, too
    assert [g[0] for g in gaps[1:]] == ([SHARD % 1, SHARD % 2] if gone else [])
    landed_in_order(db, 2)


def test_thousands_of_shards(db, sql_server, many_shards, wait_until):
    server = many_shards(2500)
    client = server.client()
    sql_server(db, server.url)
    db.foreign_table('src', 'id int', 'many')
    db.sql('CREATE TABLE target (id int)')
    ids = itertools.count(1)

    def put(number):
        client.put_record(StreamName='many', PartitionKey=str(number),
                          Data=json.dumps({'id': next(ids)}))
    for number in (0, 1234, 2499):
        put(number)
    db.pipeline('p', 'src', target='target')
    db.wait_value(3, 'SELECT count(*) FROM target', timeout=20)
    for n in range(5):
        put(n * 500)
        db.wait_value(4 + n, 'SELECT count(*) FROM target', timeout=10)
    assert db.value('SELECT count(*) FROM tracking.checkpoint') == 2500
    # one more worker reads on, nothing twice
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'stopped')
    put(1000)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT count(*), count(DISTINCT id) FROM target') == [(9, 9)]
