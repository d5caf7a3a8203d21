"""A pipeline begins at a time of its stream, whatever the clocks of the two servers say: what is
put after the call that fixes it lands, and what was put before "latest" does not."""
import threading
import time

import psycopg
import pytest

from harness.cluster import free_port
from harness.records import ids
from harness.servers import Kinesalite, KinesisLocal

SHARD = 'shardId-%012d'
SKEWS = {'behind': {'seconds': -4}, 'far behind': {'hours': -1}, 'ahead': {'seconds': 4},
         'far ahead': {'hours': 1}}
NOW = 'clock_timestamp()::text'


@pytest.fixture
def skewed(db, sql_server, clocked, make_stream, new_proxy, put):
    """skewed(kind, skew, shards): table src over a new stream of a server whose clock is wrong
    by as much, and table target; returns what puts records, and the proxy."""
    def make(kind, skew, shards=1):
        server, clock = clocked(kind)
        clock.ahead(**skew)
        proxy, stream = new_proxy(server), make_stream(server, shards)
        sql_server(db, proxy.url)
        db.foreign_table('src', 'id int, name text', stream)
        db.sql('CREATE TABLE target (id int, name text)')
        client = server.client()
        return lambda records: put(client, stream, records), proxy
    return make


def create(db, start_at, **arguments):
    named = ''.join(f', {name} => {value}' for name, value in arguments.items())
    db.sql(f"SELECT tracking.create_pipeline('p', 'src', target => 'target', start_at => {start_at}, "
           f"max_latency => '0.2 s'{named})")


def landed(db):
    return [row[0] for row in db.sql('SELECT id FROM target ORDER BY id')]


def start_position(db):
    return db.value("SELECT replace(start_position, 'AT_TIMESTAMP:', '')::timestamptz "
                    "FROM tracking.pipeline")


@pytest.mark.parametrize('kind', [Kinesalite, KinesisLocal])
@pytest.mark.parametrize('skew', SKEWS)
def test_latest_is_what_comes_after_the_call(db, skewed, kind, skew):
    put, _ = skewed(kind, SKEWS[skew])
    put(ids(10))
    create(db, "'latest'")
    put(ids(10, 10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    put(ids(1, 20))
    db.wait_value(20, 'SELECT max(id) FROM target')
    assert landed(db) == list(range(10, 21))


@pytest.mark.parametrize('skew', SKEWS)
def test_now_loses_nothing(db, skewed, skew):
    """It is a time of the database's clock."""
    put, _ = skewed(KinesisLocal, SKEWS[skew])
    create(db, NOW)
    put(ids(10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    assert landed(db) == list(range(10))


@pytest.mark.parametrize('skew', ['behind', 'ahead'])
def test_reset_to_latest(db, skewed, skew):
    put, _ = skewed(KinesisLocal, SKEWS[skew])
    create(db, "'trim_horizon'")
    put(ids(10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    db.sql("SELECT tracking.stop_pipeline('p')")
    put(ids(10, 10))
    db.sql("SELECT tracking.reset_pipeline('p', 'latest'), tracking.start_pipeline('p')")
    put(ids(10, 20))
    db.wait_value(29, 'SELECT max(id) FROM target')
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert landed(db) == list(range(10)) + list(range(20, 30))


@pytest.mark.parametrize('start', ['latest', 'now', 'position'])
def test_reset_of_a_shard(db, skewed, wait_until, start):
    put, _ = skewed(KinesisLocal, SKEWS['behind'])
    create(db, "'trim_horizon'")
    put(ids(10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'stopped')
    put(ids(10, 10))
    start_at = {'latest': "'latest'", 'now': NOW,
                'position': "'AT_TIMESTAMP:' || to_char(now() AT TIME ZONE 'UTC', "
                "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"}[start]
    db.sql(f"SELECT tracking.reset_pipeline('p', {start_at}, '{SHARD % 0}')")
    db.sql("SELECT tracking.start_pipeline('p')")
    put(ids(10, 20))
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert landed(db) == list(range(10)) + list(range(20, 30))


def test_a_server_that_refuses_no_time(db, sql_server, make_stream, moto, put):
    """Its Date is all that it says."""
    stream = make_stream(moto)
    sql_server(db, moto.url, access_key=moto.access_key, secret_key=moto.secret_key)
    db.foreign_table('src', 'id int, name text', stream)
    db.sql('CREATE TABLE target (id int, name text)')
    put(moto.client(), stream, ids(10))
    create(db, "'latest'")
    put(moto.client(), stream, ids(10, 10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    assert landed(db) == list(range(10, 20))


@pytest.mark.parametrize('ahead', [3, 3600, -3])
def test_a_date_that_is_not_the_streams(db, skewed, ahead):
    """As a proxy sets its own; the service refuses the time, and does not tell its own."""
    put, proxy = skewed(KinesisLocal, SKEWS['behind'])
    proxy.date(None, ahead)
    put(ids(10))                # of an empty shard it refuses no time
    create(db, "'latest'")
    put(ids(10, 10))
    db.wait_value(10, 'SELECT count(*) FROM target WHERE id >= 10')


@pytest.mark.parametrize('skew', ['behind', 'ahead'])
@pytest.mark.parametrize('start_at', ["(now() + interval '2 hours')::text", "'2999-01-01'"])
def test_a_start_that_is_yet_to_come_is_refused(db, skewed, skew, start_at):
    put, _ = skewed(KinesisLocal, SKEWS[skew])
    with pytest.raises(psycopg.Error, match='in the future') as raised:
        create(db, start_at)
    assert raised.value.sqlstate == '22023' and 'latest' in raised.value.diag.message_hint
    create(db, "'trim_horizon'", enabled='false')
    for shard in ('', f", '{SHARD % 0}'"):
        with pytest.raises(psycopg.Error, match='in the future') as raised:
            db.sql(f"SELECT tracking.reset_pipeline('p', {start_at}{shard})")
        assert raised.value.sqlstate == '22023'


def test_a_time_that_only_the_stream_has_reached(db, skewed):
    put, _ = skewed(KinesisLocal, SKEWS['far ahead'])
    create(db, "(now() + interval '30 minutes')::text", enabled='false')
    assert db.value("SELECT replace(start_position, 'AT_TIMESTAMP:', '')::timestamptz - now() "
                    "BETWEEN '29 minutes' AND '30 minutes' FROM tracking.pipeline")


def test_a_stream_that_cannot_be_asked(db, sql_server):
    """Only for a start that needs its clock."""
    sql_server(db, f'http://127.0.0.1:{free_port()}', max_retries=0)
    db.foreign_table('src', 'id int, name text', 'x')
    db.sql('CREATE TABLE target (id int, name text)')
    for start_at in ("'latest'", NOW):
        with pytest.raises(psycopg.Error) as raised:
            create(db, start_at, enabled='false')
        assert raised.value.sqlstate == '08001' and raised.value.diag.message_hint
        assert 'clock' in raised.value.diag.context
    assert db.value('SELECT count(*) FROM tracking.pipeline') == 0
    create(db, "'trim_horizon'", enabled='false')
    db.sql("SELECT tracking.reset_pipeline('p', (now() - interval '2 days')::text)")
    assert start_position(db)


@pytest.mark.parametrize('op', ['ListShards', 'GetShardIterator'])
def test_a_cancel_ends_the_question_at_once(db, skewed, op):
    _, proxy = skewed(Kinesalite, SKEWS['ahead'])
    held, errors, victim = proxy.hold(op), [], db.connect()

    def call():
        try:
            victim.execute("SELECT tracking.create_pipeline('p', 'src', target => 'target', "
                           "start_at => 'latest')")
        except psycopg.Error as error:
            errors.append(error.sqlstate)
    thread = threading.Thread(target=call)
    thread.start()
    held.wait()
    began = time.monotonic()
    victim.cancel()
    thread.join()
    assert time.monotonic() - began < 1 and errors == ['57014']


def test_a_gap_is_one_by_any_clock(db, sql_server, clocked, make_stream, put):
    """What the stream has now arrived, by its clock, before the pipeline was run last, by the
    database's: it was not read for that."""
    server, clock = clocked(Kinesalite)
    clock.ahead(hours=-60)
    stream = make_stream(server)
    sql_server(db, server.url)
    db.foreign_table('src', 'id int', stream)
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 'src', target='target', enabled=False)
    put(server.client(), stream, ids(10))
    db.sql("CALL tracking.run_pipeline('p')")
    put(server.client(), stream, ids(10, 10))
    # 25 hours pass, and the stream drops these
    clock.ahead(hours=-35)
    db.sql("UPDATE tracking.checkpoint SET read_until = read_until - interval '25 hours'")
    put(server.client(), stream, ids(10, 20))
    db.sql("CALL tracking.run_pipeline('p')")
    assert landed(db) == [*range(10), *range(20, 30)]
    assert db.value('SELECT count(*) FROM tracking.gap') == 1
