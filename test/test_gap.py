"""Records that the stream drops before they are read, and streams that are made anew."""
import time

import psycopg
import pytest

from harness.servers import Kinesalite

SHARD = 'shardId-%012d'


def ids(n, start=0):
    return [{'id': i} for i in range(start, start + n)]


@pytest.fixture
def source(db, sql_server, make_stream):
    """source(server): table src over a new stream of it, and table target."""
    def make(server, shards=1, url=None):
        stream = make_stream(server, shards)
        sql_server(db, url or server.url)
        db.foreign_table('src', 'id int', stream)
        db.sql('CREATE TABLE target (id int)')
        return stream
    return make


def run(db):
    db.sql("CALL tracking.run_pipeline('p')")


def landed(db):
    return [r[0] for r in db.sql('SELECT id FROM target ORDER BY id')]


def position(db):
    return db.value('SELECT position FROM tracking.checkpoint')


def gaps(db):
    return db.sql('SELECT from_position, to_position, from_time, to_time FROM tracking.gap')


def sleep(db, time):
    """The pipeline was not run for that long."""
    db.sql(f"UPDATE tracking.checkpoint SET read_until = read_until - interval '{time}'")


@pytest.fixture
def dropped(db, source, clocked, put):
    """Of a pipeline that was stopped, and has read 10 records: a stream that has dropped 10
    more, and holds 10 others."""
    def make(url=None, **arguments):
        server, clock = clocked(Kinesalite)
        stream = source(server)
        put(server.client(), stream, ids(10))
        db.pipeline('p', 'src', target='target', enabled=False, **arguments)
        run(db)
        put(server.client(), stream, ids(10, 10))
        clock.ahead(hours=25)
        sleep(db, '25 hours')
        put(server.client(), stream, ids(10, 20))
        return server, stream
    return make


READ = list(range(10)) + list(range(20, 30))


@pytest.mark.parametrize('by', ['call', 'worker'])
def test_gap_is_recorded_and_read_past(db, dropped, put, by):
    dropped()
    before = position(db)
    read_until = db.value('SELECT read_until FROM tracking.checkpoint')
    if by == 'call':
        run(db)
    else:
        db.sql("SELECT tracking.start_pipeline('p')")
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert landed(db) == READ
    (start, end, since, until), = gaps(db)
    assert start == before and since == read_until
    assert int(before) < int(end) < int(position(db))
    # the stream keeps records for 24 hours
    assert 0.9 < (until - since).total_seconds() / 3600 < 1.1
    if by == 'call':
        run(db)
    assert landed(db) == READ and len(gaps(db)) == 1


def test_gap_is_recorded_with_the_records_after_it(db, dropped):
    dropped()
    before = position(db)
    db.sql("""CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE disk_full; END $$""")
    db.sql('CREATE TRIGGER fail BEFORE INSERT ON target EXECUTE FUNCTION fail()')
    with pytest.raises(psycopg.errors.DiskFull):
        run(db)
    assert gaps(db) == [] and position(db) == before
    db.sql('DROP TRIGGER fail ON target')
    run(db)
    assert landed(db) == READ and len(gaps(db)) == 1


def test_stop_on_gap(db, dropped, wait_until):
    dropped(on_gap='stop', max_latency='0.2 s')
    before = position(db)
    with pytest.raises(psycopg.Error, match='dropped') as raised:
        run(db)
    assert raised.value.sqlstate == '55000' and 'reset_pipeline' in raised.value.diag.message_hint
    db.sql("SELECT tracking.start_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert 'dropped' in db.status('p')[0]['last_error']
    assert landed(db) == list(range(10)) and position(db) == before and gaps(db) == []
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon'), tracking.start_pipeline('p')")
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert landed(db) == READ


def test_no_gap_in_what_the_stream_has_kept(db, source, kinesis, put):
    # neither server's clock is ahead: all is still there
    stream = source(kinesis)
    put(kinesis.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', enabled=False, batch_rows=3)
    run(db)
    put(kinesis.client(), stream, ids(10, 10))
    sleep(db, '30 days')
    run(db)
    assert landed(db) == list(range(20)) and gaps(db) == []
    # an answer that brings nothing is no gap either
    sleep(db, '30 days')
    run(db)
    assert landed(db) == list(range(20)) and gaps(db) == []


def test_no_gap_while_young(db, dropped, source, put):
    dropped()
    sleep(db, '-2 hours')       # 23 hours
    before = position(db)
    run(db)
    assert landed(db) == READ and gaps(db) == [] and position(db) != before


def test_gap_without_a_record_behind_it(db, source, clocked, put):
    server, clock = clocked(Kinesalite)
    stream = source(server)
    put(server.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', enabled=False)
    run(db)
    before = position(db)
    clock.ahead(hours=25)
    sleep(db, '25 hours')
    run(db)
    (start, end, since, until), = gaps(db)
    assert start == before and end is None and since < until
    run(db)                     # told once
    assert len(gaps(db)) == 1 and position(db) == before


@pytest.mark.parametrize('start_at', ['latest', 'trim_horizon'])
def test_gap_before_the_first_record(db, source, clocked, new_proxy, put, start_at):
    server, clock = clocked(Kinesalite)
    proxy = new_proxy(server)
    stream = source(server, url=proxy.url)
    db.sql('ALTER SERVER aws OPTIONS (ADD max_retries \'0\')')
    db.pipeline('p', 'src', target='target', enabled=False, start_at=start_at)
    proxy.error('GetShardIterator', 'InternalFailureException', status=500)
    with pytest.raises(psycopg.Error):
        run(db)                 # begins, and comes to nothing
    proxy.clear()
    put(server.client(), stream, ids(10))
    clock.ahead(hours=25)
    sleep(db, '25 hours')
    db.sql("UPDATE tracking.checkpoint SET position = 'AT_TIMESTAMP:' || to_char(read_until AT TIME "
           "ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') WHERE position LIKE 'AT%'")
    put(server.client(), stream, ids(10, 10))
    run(db)
    assert landed(db) == list(range(10, 20)) and len(gaps(db)) == 1


@pytest.mark.parametrize('code', ['InvalidArgumentException', 'ResourceNotFoundException'])
def test_position_that_is_refused(db, source, kinesis, new_proxy, put, code):
    proxy = new_proxy(kinesis)
    stream = source(kinesis, url=proxy.url)
    put(kinesis.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', enabled=False)
    run(db)
    put(kinesis.client(), stream, ids(10, 10))
    proxy.error('GetShardIterator', code, first=1)
    db.sql("SELECT tracking.start_pipeline('p')")
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert landed(db) == list(range(20)) and gaps(db) == []


def test_idle_shards_are_confirmed(db, source, kinesalite, put, wait_until):
    stream = source(kinesalite, shards=2)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    wait_until(lambda: len(db.status('p')) == 2 and db.status('p')[0]['shard_id'])
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'stopped')
    sleep(db, '2 hours')
    db.sql("SELECT tracking.start_pipeline('p')")
    db.wait_value(2, "SELECT count(*) FROM tracking.checkpoint "
                  "WHERE read_until > now() - interval '1 minute'")
    assert gaps(db) == []
    # and not at every poll
    before = db.sql('SELECT xmin FROM tracking.checkpoint ORDER BY shard_id')
    put(kinesalite.client(), stream, ids(1))
    db.wait_value(1, 'SELECT count(*) FROM target')
    after = db.sql('SELECT xmin FROM tracking.checkpoint ORDER BY shard_id')
    assert sum(a != b for a, b in zip(before, after)) == 1


def test_gaps_are_seen_by_those_who_see_the_pipeline(db, dropped):
    dropped()
    run(db)
    db.sql('CREATE ROLE stranger')
    try:
        db.sql('SET ROLE stranger')
        assert gaps(db) == []
        db.sql('RESET ROLE')
        assert len(gaps(db)) == 1
    finally:
        db.sql('RESET ROLE')
        db.sql('DROP ROLE stranger')


def test_on_gap_is_checked(db, source, kinesalite):
    source(kinesalite)
    with pytest.raises(psycopg.Error, match='on_gap') as raised:
        db.pipeline('p', 'src', target='target', on_gap='ignore')
    assert raised.value.sqlstate == '22023' and raised.value.diag.message_hint


# a stream of the same name

def make_anew(server, stream, wait_until):
    client = server.client()
    created = client.describe_stream_summary(StreamName=stream)[
        'StreamDescriptionSummary']['StreamCreationTimestamp'].timestamp()
    client.delete_stream(StreamName=stream)
    wait_until(lambda: stream not in client.list_streams(Limit=1000)['StreamNames'])
    # kinesalite tells the second only, and two less than it is
    wait_until(lambda: time.time() > created + 3)
    client.create_stream(StreamName=stream, ShardCount=1)
    wait_until(lambda: client.describe_stream_summary(StreamName=stream)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE')


def test_stream_made_anew(db, source, kinesis, put, wait_until):
    stream = source(kinesis, shards=2)
    put(kinesis.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', enabled=False, max_latency='0.2 s')
    run(db)
    make_anew(kinesis, stream, wait_until)
    put(kinesis.client(), stream, ids(10, 10))
    with pytest.raises(psycopg.Error, match=stream) as raised:
        run(db)
    assert raised.value.sqlstate == '55000' and 'reset_pipeline' in raised.value.diag.message_hint
    db.sql("SELECT tracking.start_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert 'not the one' in db.status('p')[0]['last_error']
    assert landed(db) == list(range(10))
    # what the hint says
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon'), tracking.start_pipeline('p')")
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert landed(db) == list(range(20))
    assert [s['shard_id'] for s in db.status('p')] == [SHARD % 0]


def test_stream_made_anew_under_a_running_pipeline(db, source, kinesis, put, wait_until):
    stream = source(kinesis)
    db.sql(f"ALTER DATABASE {db.dbname} SET tracking_fdw.shard_list_interval = '100 ms'")
    put(kinesis.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(10, 'SELECT count(*) FROM target')
    make_anew(kinesis, stream, wait_until)
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert 'not the one' in db.status('p')[0]['last_error']
    put(kinesis.client(), stream, ids(10, 10))
    assert landed(db) == list(range(10))
