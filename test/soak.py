"""A few minutes of everything at once: producers at a steady rate, faults on
the way to the service, splits and merges, kill -9, pause and resume. At the
end every record is there once, and in order within its key.

Not a part of the suite: make soak [SECONDS=180]. Every fault comes at a count
or at a step of the script, none by chance."""
import os
import threading
import time

import psycopg

from harness.records import put as put_records
from harness.wait import wait_until as poll

SECONDS = int(os.environ.get('SECONDS_TO_SOAK', '180'))
KEYS, PER_ROUND = 20, 10


class Producer(threading.Thread):
    """Puts rising numbers of each of its keys, PER_ROUND keys ten times a second."""

    def __init__(self, server, stream, name):
        super().__init__(daemon=True)
        self.client, self.stream, self.name_ = server.client(), stream, name
        self.numbers = [0] * KEYS
        self.ended = threading.Event()

    def run(self):
        turn = 0
        while not self.ended.wait(0.1):
            records = []
            for _ in range(PER_ROUND):
                key = turn % KEYS
                records.append(({'key': f'{self.name_}{key}', 'n': self.numbers[key]},
                                f'{self.name_}{key}'))
                self.numbers[key] += 1
                turn += 1
            put_records(self.client, self.stream, records)


class Soak:
    def __init__(self, db, stream, server):
        self.db, self.stream, self.client = db, stream, server.client()

    def reconnect(self):
        def attempt():
            try:
                self.db.conn = self.db.connect()
                return self.db.value('SELECT 1')
            except psycopg.Error:
                return None
        poll(attempt, 60, 'the server to be back')

    def landed(self):
        return self.db.value('SELECT count(*) FROM target')

    def goes_on(self, pipeline='p'):
        before = self.landed()
        poll(lambda: self.landed() > before, 60, 'more rows')

    def kill(self, what):
        pid = {'worker': lambda: self.db.worker('p'),
               'launcher': lambda: self.db.value(
                   "SELECT pid FROM pg_stat_activity WHERE backend_type = 'tracking_fdw launcher'"),
               'postmaster': self.db.cluster.postmaster}[what]()
        self.db.cluster.kill9(pid)
        if what == 'postmaster':
            # its children notice by themselves, and none holds up the next start
            poll(lambda: not self.alive(), 5, 'the end of the session')
            poll(self.started, 5, 'a start')
        else:
            poll(lambda: not self.alive(), 30, 'the end of the session')
        self.reconnect()

    def alive(self):
        try:
            return self.db.value('SELECT 1')
        except psycopg.Error:
            return None

    def started(self):
        try:
            self.db.cluster.start()
            return True
        except RuntimeError:
            return False

    def open_shards(self):
        return [s for s in self.client.list_shards(StreamName=self.stream)['Shards']
                if 'EndingSequenceNumber' not in s['SequenceNumberRange']]

    def active(self):
        poll(lambda: self.client.describe_stream_summary(StreamName=self.stream)
             ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')

    def split(self):
        widest = max(self.open_shards(), key=self.width)
        start = int(widest['HashKeyRange']['StartingHashKey'])
        self.client.split_shard(StreamName=self.stream, ShardToSplit=widest['ShardId'],
                                NewStartingHashKey=str(start + self.width(widest) // 2))
        self.active()

    def merge(self):
        shards = sorted(self.open_shards(), key=lambda s: int(s['HashKeyRange']['StartingHashKey']))
        self.client.merge_shards(StreamName=self.stream, ShardToMerge=shards[0]['ShardId'],
                                 AdjacentShardToMerge=shards[1]['ShardId'])
        self.active()

    @staticmethod
    def width(shard):
        return (int(shard['HashKeyRange']['EndingHashKey']) -
                int(shard['HashKeyRange']['StartingHashKey']))

    def pause_and_resume(self):
        self.db.sql("SELECT tracking.stop_pipeline('p')")
        poll(lambda: self.db.status('p')[0]['state'] == 'stopped')
        self.db.sql("SELECT tracking.start_pipeline('p')")

    def workers(self, n):
        for pipeline in 'p', 'totals':
            self.db.sql('SELECT tracking.alter_pipeline(%s, workers => %s)', pipeline, n)


def test_soak(new_cluster, new_db, sql_server, kinesalite, proxy, make_stream):
    stream = make_stream(kinesalite, 3)
    db = new_db(new_cluster())
    sql_server(db, proxy.url, request_timeout='3s')
    db.foreign_table('src', 'key text, n int', stream)
    db.sql('CREATE TABLE target (landed bigserial, key text, n int)')
    db.sql('CREATE TABLE totals (key text PRIMARY KEY, n bigint, biggest int)')
    proxy.error('GetRecords', 'ProvisionedThroughputExceededException', every=17)
    proxy.error('GetRecords', 'InternalFailure', status=500, every=29)
    proxy.error('GetRecords', 'ExpiredIteratorException', every=43)
    proxy.reset('GetRecords', every=37)
    proxy.cut('GetRecords', 60, every=41)
    proxy.raw('GetRecords', b'{"Records":[{', every=53)
    proxy.lose('GetRecords', every=101)
    proxy.slow('GetRecords', 4000, every=61)
    proxy.error('ListShards', 'LimitExceededException', every=3)
    proxy.error('GetShardIterator', 'ProvisionedThroughputExceededException', every=5)
    db.pipeline('p', 'src', command='INSERT INTO target (key, n) SELECT key, n FROM src',
                max_latency='0.3 s')
    db.pipeline('totals', 'src', max_latency='0.5 s', command="""
        INSERT INTO totals AS t SELECT key, count(*), max(n) FROM src GROUP BY key
        ON CONFLICT (key) DO UPDATE SET n = t.n + EXCLUDED.n,
            biggest = greatest(t.biggest, EXCLUDED.biggest)""")

    producers = [Producer(kinesalite, stream, name) for name in 'ab']
    for producer in producers:
        producer.start()
    soak = Soak(db, stream, kinesalite)
    steps = [soak.split, lambda: soak.kill('worker'), lambda: soak.workers(2), soak.merge,
             soak.pause_and_resume, lambda: soak.kill('postmaster'), soak.split,
             lambda: soak.kill('launcher'), soak.merge, lambda: soak.workers(1)]
    ends, step = time.monotonic() + SECONDS, 0
    while time.monotonic() < ends or step < len(steps):
        steps[step % len(steps)]()
        soak.goes_on()
        step += 1
    for producer in producers:
        producer.ended.set()
    for producer in producers:
        producer.join()
    proxy.clear()

    put = sum(sum(producer.numbers) for producer in producers)
    poll(lambda: soak.landed() >= put, 120, f'{put} rows')
    poll(lambda: db.value('SELECT sum(n)::bigint FROM totals') >= put, 120, f'a total of {put}')
    assert db.sql('SELECT count(*), count(DISTINCT (key, n)) FROM target') == [(put, put)]
    assert db.value('SELECT sum(n)::bigint FROM totals') == put
    assert db.value('SELECT bool_and(n = biggest + 1) FROM totals')
    # in order within a key
    assert db.value('SELECT count(*) FROM (SELECT n - lag(n) OVER (PARTITION BY key ORDER BY landed) '
                    'AS step FROM target) steps WHERE step <> 1') == 0
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
    print(f'{put} records, {step} steps, {len(proxy.requests())} requests')
