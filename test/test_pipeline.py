"""Pipelines: batches of a stream run through SQL, and the position with them."""
import datetime

import psycopg
import pytest

from harness.records import ids


def exactly(db, n, table='target'):
    db.wait_value(n, f'SELECT count(*) FROM {table}')
    assert db.value(f'SELECT count(DISTINCT id) FROM {table}') == n


def test_target_by_column_name(db, source, kinesis, put):
    stream = source(kinesis, shards=3)
    put(kinesis.client(), stream, ids(100))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    exactly(db, 100)
    put(kinesis.client(), stream, ids(100, 100))
    exactly(db, 200)
    assert db.value('SELECT bool_and(name = \'n\' || id AND landed >= arrived - interval \'1 s\') '
                    'FROM target')
    assert sum(s['records'] for s in db.status('p')) == 200
    assert {s['state'] for s in db.status('p')} == {'running'}


def test_command(db, source, kinesis, put):
    stream = source(kinesis, shards=2)
    db.sql('CREATE TABLE counts (bucket int PRIMARY KEY, n bigint, biggest int)')
    db.pipeline('p', 'src', max_latency='0.2 s', batch_rows=30, command="""
        INSERT INTO counts AS c SELECT id % 10, count(*), max(id) FROM src GROUP BY 1
        ON CONFLICT (bucket) DO UPDATE SET n = c.n + EXCLUDED.n,
            biggest = greatest(c.biggest, EXCLUDED.biggest)""")
    put(kinesis.client(), stream, ids(300))
    db.wait_value(300, 'SELECT coalesce(sum(n), 0)::int FROM counts')
    assert db.sql('SELECT * FROM counts ORDER BY 1') == [(i, 30, 290 + i) for i in range(10)]


def test_command_sees_the_batch_and_nothing_else(db, source, kinesalite, put):
    stream = source()
    put(kinesalite.client(), stream, ids(100))
    db.sql('CREATE TABLE batches (n bigint, low int, twice bigint)')
    db.pipeline('p', 'src', batch_rows=30, enabled=False, command="""
        INSERT INTO batches SELECT count(*), min(id),
            (SELECT count(*) FROM src a JOIN src b USING (id)) FROM src""")
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT * FROM batches ORDER BY low') == [
        (30, 0, 30), (30, 30, 30), (30, 60, 30), (10, 90, 10)]


def test_run_pipeline_goes_to_the_tip_and_goes_on_there(db, source, kinesis, put):
    stream = source(kinesis, shards=2)
    put(kinesis.client(), stream, ids(100))
    db.pipeline('p', 'src', target='target', enabled=False)
    for expected in (100, 100):
        db.sql("CALL tracking.run_pipeline('p')")
        assert db.value('SELECT count(*) FROM target') == expected
    put(kinesis.client(), stream, ids(50, 100))
    db.sql("CALL tracking.run_pipeline('p')")
    exactly(db, 150)
    assert db.status('p')[0]['state'] == 'stopped'


def test_run_pipeline_leaves_a_running_one_alone(db, source):
    source()
    db.pipeline('p', 'src', target='target')
    pid = db.worker('p')
    notices = []
    db.conn.add_notice_handler(lambda diag: notices.append(diag.message_primary))
    db.sql("CALL tracking.run_pipeline('p')")
    assert any('p' in notice and 'running' in notice for notice in notices)
    assert db.worker('p') == pid


def test_stop_keeps_the_position(db, source, kinesalite, put, wait_until):
    stream = source()
    put(kinesalite.client(), stream, ids(100))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    exactly(db, 100)
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'stopped')
    put(kinesalite.client(), stream, ids(100, 100))
    assert db.value('SELECT count(*) FROM target') == 100
    db.sql("SELECT tracking.start_pipeline('p')")
    exactly(db, 200)


def test_reset_reads_again(db, source, kinesalite, put):
    stream = source(shards=2)
    put(kinesalite.client(), stream, ids(100))
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon')")
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT count(*), count(DISTINCT id) FROM target') == [(200, 100)]
    # one shard only
    one = db.status('p')[0]
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon', %s)", one['shard_id'])
    db.sql("CALL tracking.run_pipeline('p')")
    in_one = len([s for s in db.status('p') if s['shard_id'] == one['shard_id']]) and \
        db.value('SELECT count(*) FROM target') - 200
    assert 0 < in_one < 100


@pytest.mark.parametrize('start_at, expected', [('latest', 0), ('trim_horizon', 20), (None, 10)])
def test_start_at(db, source, kinesis_local, put, wait_until, start_at, expected):
    # kinesalite never answers when no record is as young as the time asked for
    stream = source(kinesis_local)
    put(kinesis_local.client(), stream, ids(10))
    between = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=20)
    wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) > between)
    put(kinesis_local.client(), stream, ids(10, 10))
    db.pipeline('p', 'src', target='target', start_at=start_at or between.isoformat(),
                max_latency='0.2 s')
    wait_until(lambda: db.status('p')[0]['shard_id'])
    wait_until(lambda: db.status('p')[0]['updated_at'] or expected == 0)
    exactly(db, expected)
    if start_at == 'latest':
        # what comes after the pipeline was there is not missed
        put(kinesis_local.client(), stream, ids(5, 100))
        exactly(db, 5)


def test_no_transaction_is_open_while_waiting(db, source, kinesalite, proxy, put, wait_until):
    stream = source(url=proxy.url)
    held = proxy.hold('GetRecords', after=1)
    put(kinesalite.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    pid = db.worker('p')
    held.wait()
    query = f"""SELECT xact_start IS NULL AND backend_xid IS NULL AND backend_xmin IS NULL
                FROM pg_stat_activity WHERE pid = {pid}"""
    db.wait_value(True, query)
    exactly(db, 10)
    db.wait_value(True, query)
    # and the wait ends at once when asked to
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'stopped', timeout=5)


def test_shards_are_followed_through_a_split(db, source, kinesis, put, wait_until):
    stream = source(kinesis)
    client = kinesis.client()
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    put(client, stream, ids(50))
    exactly(db, 50)
    client.split_shard(StreamName=stream, ShardToSplit='shardId-000000000000',
                       NewStartingHashKey=str(2 ** 127))
    wait_until(lambda: client.describe_stream_summary(StreamName=stream)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')
    put(client, stream, ids(100, 50))
    exactly(db, 150)
    status = {s['shard_id']: s['position'] for s in db.status('p')}
    assert len(status) == 3 and status['shardId-000000000000'] == 'SHARD_END'


def test_dead_letters_of_a_worker(db, source, kinesalite, put, wait_until):
    stream = source()
    put(kinesalite.client(), stream, ['{"id":1}', '{"id":', '{"id":2}', b'\xff', '{"id":3}'])
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    exactly(db, 3)
    assert sorted(bytes(r[0]) for r in db.sql('SELECT data FROM tracking.dead_letter')) == [
        b'\xff', b'{"id":'][::-1]
    assert db.status('p')[0]['dead_letters'] == 2
    assert db.status('p')[0]['last_error'] is None


def test_passing_faults(db, source, kinesalite, proxy, put):
    stream = source(url=proxy.url, shards=2, request_timeout='2s')
    proxy.error('GetRecords', 'ProvisionedThroughputExceededException', every=3)
    proxy.error('GetRecords', 'ExpiredIteratorException', every=5)
    proxy.reset('GetRecords', every=4)
    proxy.cut('GetRecords', 30, every=6)
    proxy.error('ListShards', 'LimitExceededException', first=1)
    proxy.lose('GetShardIterator', first=2)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s', batch_rows=50)
    for i in range(10):
        put(kinesalite.client(), stream, ids(40, i * 40))
    exactly(db, 400)


def test_two_pipelines_over_one_source(db, source, kinesalite, put):
    stream = source()
    db.sql('CREATE TABLE other (id int)')
    db.pipeline('a', 'src', target='target', max_latency='0.2 s')
    db.pipeline('b', 'src', target='other', max_latency='0.2 s')
    put(kinesalite.client(), stream, ids(100))
    exactly(db, 100)
    exactly(db, 100, 'other')


def test_drop(db, source, kinesalite, put, wait_until):
    stream = source()
    put(kinesalite.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target')
    exactly(db, 10)
    pid = db.worker('p')
    db.sql("SELECT tracking.drop_pipeline('p')")
    assert db.status('p') == []
    assert db.value('SELECT count(*) FROM tracking.checkpoint') == 0
    db.wait_value(0, f'SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}')


def test_create_is_rolled_back(db, source):
    source()
    with db.conn.transaction(force_rollback=True):
        db.pipeline('p', 'src', target='target')
    assert db.status('p') == []


def test_drop_extension_ends_the_workers(db, source):
    source()
    db.pipeline('p', 'src', target='target')
    pid = db.worker('p')
    db.sql('DROP EXTENSION tracking_fdw CASCADE')
    db.wait_value(0, f'SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}')


@pytest.mark.parametrize('arguments, word', [
    ({}, 'target'), ({'target': 'target', 'command': 'SELECT 1'}, 'command'),
    ({'target': 'src'}, 'src'), ({'target': 'empty'}, 'column'),
    ({'command': 'SELEC 1'}, 'syntax'), ({'command': ''}, 'command'),
    ({'target': 'target', 'start_at': 'yesteryear'}, 'yesteryear'),
    ({'target': 'target', 'batch_rows': 0}, 'batch_rows'),
    ({'target': 'target', 'max_latency': '1 day'}, 'max_latency')])
def test_what_is_no_pipeline_is_refused(db, source, arguments, word):
    source()
    db.sql('CREATE TABLE empty (nothing int)')
    with pytest.raises(psycopg.Error) as raised:
        db.pipeline('p', 'src', **arguments)
    assert raised.value.sqlstate not in ('XX000', '23514', '23502')
    assert word in str(raised.value)
    assert db.status('p') == []


def test_a_pipeline_has_a_name(db, source):
    source()
    with pytest.raises(psycopg.Error, match='name') as raised:
        db.pipeline('', 'src', target='target')
    assert raised.value.sqlstate == '22023'


def test_source_must_be_a_stream_or_a_table(db, source):
    source()
    db.sql('CREATE VIEW seen AS SELECT 1 AS id')
    with pytest.raises(psycopg.Error) as raised:
        db.pipeline('p', 'seen', target='target')
    assert raised.value.sqlstate == '42809'


@pytest.mark.parametrize('command', [
    'DO $$BEGIN COMMIT; END$$', "DO $$BEGIN EXECUTE 'ROLLBACK'; END$$", 'CALL leave()'])
def test_a_command_cannot_leave_its_transaction(db, source, kinesalite, put, command):
    """Not by code in it either, of which nothing is known before it runs."""
    put(kinesalite.client(), source(), ids(10))
    db.sql('CREATE PROCEDURE leave() LANGUAGE plpgsql AS $$BEGIN COMMIT; END$$')
    db.pipeline('p', 'src', command=f'INSERT INTO target (id) SELECT id FROM src; {command}',
                enabled=False)
    with pytest.raises(psycopg.Error) as raised:
        db.sql("CALL tracking.run_pipeline('p')")
    assert raised.value.sqlstate in ('2D000', '0A000')
    assert db.status('p')[0]['records'] == 0 and db.value('SELECT count(*) FROM target') == 0


@pytest.mark.parametrize('call', [
    "SELECT tracking.start_pipeline('none')", "SELECT tracking.stop_pipeline('none')",
    "SELECT tracking.drop_pipeline('none')", "CALL tracking.run_pipeline('none')",
    "SELECT tracking.reset_pipeline('none', 'latest')"])
def test_unknown_pipeline(db, call):
    with pytest.raises(psycopg.Error, match='none') as raised:
        db.sql(call)
    assert raised.value.sqlstate == '42704'


def test_a_session_keeps_no_plans_of_its_runs(db, source, kinesalite, put):
    """A job that calls run_pipeline for days in one session must not grow."""
    stream = source()
    db.pipeline('p', 'src', target='target', enabled=False)
    plans = "SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'CachedPlanSource'"

    def run(i):
        put(kinesalite.client(), stream, ids(1, i))
        db.sql("CALL tracking.run_pipeline('p')")
        return db.value(plans)
    first = run(0)
    assert [run(i) for i in range(1, 5)] == [first] * 4
    assert db.value('SELECT count(*) FROM target') == 5
