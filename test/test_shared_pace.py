"""A stream is asked for records five times a second and shard, by all that reads it on
this server together: scans, the rescans of a join, sessions, workers."""
import threading
import time

import pytest

from harness.records import ids


def asked_at(proxy, op='GetRecords'):
    return [request['at'] for request in proxy.requests(op)]


# a table's records; a join of the table with itself scans it once more than that
RECORDS = 9


def keeps_the_pace(times, scans):
    """No more than five in a second; with room for a request that was on its way for longer
    than the next ones.  Each scan asks once at least, and once more unless its first answer
    tells that it is at the tip before that is looked for."""
    return len(times) >= scans > 5 and all(
        later - earlier > 0.95 for earlier, later in zip(times, times[5:]))


@pytest.fixture
def table(db, sql_server, make_stream, kinesalite, proxy, put):
    """Table t over a stream with RECORDS records, read through the proxy; the stream."""
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(RECORDS))
    sql_server(db, proxy.url)
    db.foreign_table('t', 'id int, name text', stream)
    return stream


class Session(threading.Thread):
    """Runs a query again and again."""

    def __init__(self, db, query, times):
        super().__init__(daemon=True)
        self.conn, self.query, self.times = db.connect(), query, times
        self.results = []

    def run(self):
        with self.conn:
            for _ in range(self.times):
                self.results.append(self.conn.execute(self.query).fetchone())


def scan_again_and_again(db):
    db.sql('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off')
    assert db.value('SELECT count(*) FROM t a JOIN t b USING (id)') == RECORDS


@pytest.mark.parametrize('op', ['GetRecords', 'GetShardIterator'])
def test_a_rescan_keeps_the_pace(db, table, proxy, op):
    scan_again_and_again(db)
    assert keeps_the_pace(asked_at(proxy, op), RECORDS + 1)


def test_a_session_keeps_the_pace_without_the_preload(new_cluster, new_db, sql_server, make_stream,
                                                      kinesalite, proxy, put):
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(RECORDS))
    db = new_db(new_cluster(preload=False))
    sql_server(db, proxy.url)
    db.foreign_table('t', 'id int', stream)
    scan_again_and_again(db)
    assert keeps_the_pace(asked_at(proxy), RECORDS + 1)


def test_scans_of_one_session_keep_the_pace(db, table, proxy):
    for _ in range(10):
        assert db.value('SELECT count(*) FROM t') == RECORDS
    assert keeps_the_pace(asked_at(proxy), 10)


def test_tables_and_servers_over_one_stream_keep_the_pace(
        db, sql_server, make_stream, kinesis_local, new_proxy):
    """The stream is one, whatever it is called here."""
    proxy, stream = new_proxy(kinesis_local), make_stream(kinesis_local)
    sql_server(db, proxy.url)
    db.sql("CREATE SERVER aws2 FOREIGN DATA WRAPPER tracking_fdw OPTIONS "
           f"(region 'us-east-1', kinesis_endpoint '{proxy.url}/')")
    db.sql("CREATE USER MAPPING FOR CURRENT_USER SERVER aws2 OPTIONS "
           "(access_key_id 'a', secret_access_key 'b')")
    arn = f'arn:aws:kinesis:us-east-1:000000000000:stream/{stream}'
    for name, server, stream in (('a', 'aws', stream), ('b', 'aws2', stream), ('c', 'aws2', arn)):
        db.sql(f"CREATE FOREIGN TABLE {name} (id int) SERVER {server} OPTIONS (stream '{stream}')")
    for name in ('a', 'b', 'c') * 4:
        assert db.value(f'SELECT count(*) FROM {name}') == 0
    assert keeps_the_pace(asked_at(proxy), 12)


def test_streams_do_not_wait_for_each_other(db, table, make_stream, kinesalite, proxy):
    db.foreign_table('other', 'id int', make_stream(kinesalite))
    began = time.monotonic()
    for name in ('t', 'other', 't', 'other'):
        db.value(f'SELECT count(*) FROM {name}')
    assert time.monotonic() - began < 0.8


def test_sessions_keep_the_pace_together(db, table, proxy):
    sessions = [Session(db, 'SELECT count(*) FROM t', 4) for _ in range(4)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join(30)
    assert [session.results for session in sessions] == [[(RECORDS,)] * 4] * 4
    assert keeps_the_pace(asked_at(proxy), 16)


def test_scans_do_not_starve_a_worker(db, table, kinesalite, proxy, put):
    """Eight sessions that ask for all they can get leave a pipeline its poll a second."""
    db.sql('CREATE TABLE target (id int, name text)')
    db.pipeline('p', 't', target='target', max_latency='1 s')
    db.wait_value(RECORDS, 'SELECT count(*) FROM target')
    sessions = [Session(db, 'SELECT count(*) FROM t', 3) for _ in range(8)]
    for session in sessions:
        session.start()
    latencies = []
    for n in range(4):
        began = time.monotonic()
        put(kinesalite.client(), table, ids(1, RECORDS + n))
        db.wait_value(RECORDS + 1 + n, 'SELECT count(*) FROM target')
        latencies.append(time.monotonic() - began)
        assert any(session.is_alive() for session in sessions)
    assert max(latencies) < 2.5, latencies
    for session in sessions:
        session.join(60)
    assert keeps_the_pace(asked_at(proxy), 24)
