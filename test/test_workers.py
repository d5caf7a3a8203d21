"""Several workers of a pipeline: shards spread evenly, none read by two."""
from harness.records import ids


def shards_of(db):
    """Open shards of pipeline p by worker."""
    spread = {}
    for status in db.status('p'):
        if status['position'] != 'SHARD_END':
            spread.setdefault(status['worker'], set()).add(status['shard_id'])
    return spread


def pids(db):
    return {status['worker']: status['worker_pid'] for status in db.status('p')}


def exactly(db, n):
    db.wait_value(n, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == n


def test_shards_are_spread_evenly(db, source, kinesalite, put, wait_until):
    stream = source(shards=7)
    put(kinesalite.client(), stream, ids(500))
    db.pipeline('p', 'src', target='target', workers=3, max_latency='0.2 s')
    exactly(db, 500)
    spread = shards_of(db)
    assert sorted(len(shards) for shards in spread.values()) == [2, 2, 3]
    wait_until(lambda: len(set(pids(db).values())) == 3)
    put(kinesalite.client(), stream, ids(500, 500))
    exactly(db, 1000)


def test_workers_change(db, source, kinesalite, put, wait_until):
    stream = source(shards=6)
    db.pipeline('p', 'src', target='target', workers=1, max_latency='0.2 s')
    n = 0
    for workers in (3, 2, 6, 1):
        db.sql("SELECT tracking.alter_pipeline('p', workers => %s)", workers)
        put(kinesalite.client(), stream, ids(200, n))
        n += 200
        exactly(db, n)
        wait_until(lambda: sorted(map(len, shards_of(db).values())) == [6 // workers] * workers)
        wait_until(lambda: len(set(pids(db).values())) == workers)


def test_a_shard_is_never_read_by_two(db, source, kinesalite, put, wait_until):
    """While a worker is in the middle of a batch, those of the new number do
    not begin."""
    stream = source(shards=2)
    put(kinesalite.client(), stream, ids(50))
    db.pipeline('p', 'src', target='target', workers=1, max_latency='0.2 s')
    exactly(db, 50)
    old = db.worker('p')
    db.sql('CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS '
           '$$BEGIN PERFORM pg_advisory_xact_lock_shared(17); RETURN new; END$$')
    db.sql('CREATE TRIGGER wait BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION wait_for_test()')
    with db.connect() as other:
        other.execute('SELECT pg_advisory_lock(17)')
        put(kinesalite.client(), stream, ids(50, 50))
        wait_until(lambda: db.value('SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s',
                                    old) == 'Lock')
        db.sql("SELECT tracking.alter_pipeline('p', workers => 2)")
        # its batch is undone, and only then do the new ones begin
        wait_until(lambda: len(set(pids(db).values()) - {old, None}) == 2)
        assert db.value('SELECT count(*) FROM tracking.pipeline_runner WHERE pid = %s', old) == 0
    exactly(db, 100)
    assert sorted(map(len, shards_of(db).values())) == [1, 1]


def test_after_a_split(db, source, kinesis, put, wait_until):
    """Children go on with the worker of their parent, and are spread again
    when that becomes uneven."""
    stream = source(kinesis, shards=2)
    client = kinesis.client()
    put(client, stream, ids(100))
    db.pipeline('p', 'src', target='target', workers=2, max_latency='0.2 s')
    exactly(db, 100)
    first = client.list_shards(StreamName=stream)['Shards'][0]
    low, high = (int(first['HashKeyRange'][end]) for end in ('StartingHashKey', 'EndingHashKey'))
    client.split_shard(StreamName=stream, ShardToSplit=first['ShardId'],
                       NewStartingHashKey=str((low + high) // 2))
    wait_until(lambda: client.describe_stream_summary(StreamName=stream)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')
    put(client, stream, ids(200, 100))
    exactly(db, 300)
    assert sorted(map(len, shards_of(db).values())) == [1, 2]


def test_after_a_merge_of_two_workers_shards(db, source, kinesis, put, wait_until):
    stream = source(kinesis, shards=2)
    client = kinesis.client()
    put(client, stream, ids(100))
    db.pipeline('p', 'src', target='target', workers=2, max_latency='0.2 s')
    exactly(db, 100)
    one, two = (shard['ShardId'] for shard in client.list_shards(StreamName=stream)['Shards'])
    client.merge_shards(StreamName=stream, ShardToMerge=one, AdjacentShardToMerge=two)
    wait_until(lambda: client.describe_stream_summary(StreamName=stream)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')
    put(client, stream, ids(100, 100))
    exactly(db, 200)


def test_a_grandchild_of_a_shard_that_another_reads(db, source, kinesalite, proxy, put, wait_until):
    """A child waits for the parent that the other worker reads, and its own
    child with it, though nobody else has a hand in that."""
    stream = source(shards=2, url=proxy.url)
    client = kinesalite.client()
    put(client, stream, ids(50))

    def active():
        return client.describe_stream_summary(StreamName=stream)[
            'StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE'
    one, two = (shard['ShardId'] for shard in client.list_shards(StreamName=stream)['Shards'])
    client.merge_shards(StreamName=stream, ShardToMerge=one, AdjacentShardToMerge=two)
    wait_until(active)
    merged = client.list_shards(StreamName=stream)['Shards'][-1]['ShardId']
    client.split_shard(StreamName=stream, ShardToSplit=merged, NewStartingHashKey=str(2 ** 127))
    wait_until(active)
    put(client, stream, ids(50, 50))

    held = proxy.hold('GetRecords', shard=two)
    db.pipeline('p', 'src', target='target', workers=2, max_latency='0.2 s')
    held.wait()
    db.wait_value('SHARD_END', f"SELECT position FROM tracking.checkpoint WHERE shard_id = '{one}'")
    assert {e['shard'] for e in proxy.requests('GetShardIterator')} == {one, two}
    assert db.value('SELECT count(DISTINCT worker) FROM tracking.checkpoint WHERE shard_id IN (%s, %s)',
                    one, merged) == 1
    held.release()
    exactly(db, 100)


def test_a_session_and_workers_exclude_each_other(db, source, kinesalite, put):
    stream = source(shards=2)
    notices = []
    db.conn.add_notice_handler(lambda diag: notices.append(diag.message_primary))
    db.pipeline('p', 'src', target='target', workers=2, max_latency='0.2 s')
    db.worker('p')
    db.sql("CALL tracking.run_pipeline('p')")
    assert any('already running' in notice for notice in notices)
    put(kinesalite.client(), stream, ids(10))
    exactly(db, 10)


def test_one_worker_of_four(new_cluster, new_db, sql_server, kinesalite, make_stream, put, wait_until):
    """Others have the slots: one worker reads all, and the status says that three are missing."""
    # the server's launcher, ours, a supervisor, and a worker
    db = new_db(new_cluster(conf='max_worker_processes = 4\ntracking_fdw.max_workers = 100'))
    stream = make_stream(kinesalite, 4)
    put(kinesalite.client(), stream, ids(40))
    sql_server(db, kinesalite.url)
    db.foreign_table('src', 'id int, name text', stream)
    db.sql('CREATE TABLE target (id int, name text)')
    db.pipeline('p', 'src', target='target', workers=4, max_latency='0.2 s')
    exactly(db, 40)
    assert set(shards_of(db)) == {0}
    wait_until(lambda: {row['state'] for row in db.status('p')} == {'running'})
    for row in db.status('p'):
        assert row['reason'].startswith('1 of 4 workers: ')
        assert 'max_worker_processes' in row['reason']


def test_a_restart_without_the_preload(new_cluster, new_db, kinesalite, sql_server, make_stream, wait_until):
    db = new_db(new_cluster(preload=False))
    sql_server(db, kinesalite.url)
    db.foreign_table('src', 'id int', make_stream(kinesalite))
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 'src', target='target')
    wait_until(lambda: db.status('p')[0]['state'] == 'running')
    db.conn.close()
    db.cluster.restart()
    db.conn = db.connect()
    status = db.status('p')[0]
    assert status['state'] == 'not launched' and 'shared_preload_libraries' in status['reason']
    db.sql("SELECT tracking.start_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'running')
