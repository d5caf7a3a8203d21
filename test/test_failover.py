"""A standby that is promoted, and a server restored to an earlier moment, go
on where the rows they have end: exactly once."""
import time

import psycopg
import pytest

from harness.cluster import Cluster
from harness.records import Producer, ids


@pytest.fixture
def primary(new_cluster, new_db, sql_server, kinesalite, proxy, make_stream):
    """A database in a server that archives, with pipeline p at work behind the proxy."""
    cluster = new_cluster(conf="max_wal_senders = 5\nwal_level = replica\nwal_keep_size = 64\n"
                               "archive_mode = on\narchive_timeout = 0\n"
                               "archive_command = 'cp %p ../%f.wal'\n")
    db = new_db(cluster)
    stream = make_stream(kinesalite, 2)
    sql_server(db, proxy.url, request_timeout='3s')
    db.foreign_table('src', 'id int, name text', stream)
    db.sql('CREATE TABLE target (id int, name text, landed timestamptz DEFAULT clock_timestamp())')
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    return db, stream


def connect(cluster, db, wait_until):
    def attempt():
        try:
            return cluster.connect(dbname=db.dbname)
        except psycopg.Error:
            return None
    return wait_until(attempt)


def set_faults(proxy):
    """One of three answers is none."""
    proxy.error('GetRecords', 'ProvisionedThroughputExceededException', every=13)
    proxy.error('GetRecords', 'InternalFailure', status=500, every=17)
    proxy.error('GetRecords', 'ExpiredIteratorException', every=19)
    proxy.reset('GetRecords', every=23)
    proxy.cut('GetRecords', 60, every=29)
    proxy.lose('GetRecords', every=31)
    proxy.slow('GetRecords', 2000, every=37)
    proxy.error('ListShards', 'LimitExceededException', every=3)
    proxy.error('GetShardIterator', 'ProvisionedThroughputExceededException', every=4)


def counts(conn):
    return conn.execute('SELECT count(*), count(DISTINCT id) FROM target').fetchone()


@pytest.mark.parametrize('faults', [False, True])
@pytest.mark.parametrize('lagging', [False, True])
def test_failover(primary, kinesalite, proxy, wait_until, lagging, faults):
    db, stream = primary
    if faults:
        set_faults(proxy)
    standby = Cluster(standby_of=db.cluster)
    producer = Producer(kinesalite, stream)
    try:
        producer.start()
        conn = connect(standby, db, wait_until)
        wait_until(lambda: counts(conn)[0] >= 500, what='rows on the standby')
        assert conn.execute("SELECT count(*) FROM pg_stat_activity "
                            "WHERE backend_type LIKE 'tracking_fdw%'").fetchone() == (0,)
        assert conn.execute('SELECT DISTINCT state, lag FROM tracking.pipeline_status').fetchall() == \
            [('standby', None)]
        if lagging:
            conn.execute("ALTER SYSTEM SET primary_conninfo = ''")
            standby.reload()
            before = db.value('SELECT count(*) FROM target')
            wait_until(lambda: db.value('SELECT count(*) FROM target') > before + 500)
        db.conn.close()
        Cluster.kill9(db.cluster.postmaster())
        began = time.monotonic()
        standby.promote()
        landed = counts(conn)[0]
        wait_until(lambda: counts(conn)[0] > landed, what='rows after the promotion')
        assert time.monotonic() - began < 10
        n = producer.end()
        wait_until(lambda: counts(conn)[0] >= n)
        assert counts(conn) == (n, n)
    finally:
        producer.ended.set()
        standby.destroy()


def test_restored_to_a_moment_in_the_middle(primary, kinesalite, put, wait_until):
    db, stream = primary
    put(kinesalite.client(), stream, ids(100))
    db.wait_value(100, 'SELECT count(*) FROM target')
    base = db.cluster.dir / 'base'
    db.cluster.run('pg_basebackup', '-D', base, '-h', db.cluster.dir, '-p', db.cluster.port,
                   '-U', 'postgres', '-c', 'fast', '-X', 'stream')
    put(kinesalite.client(), stream, ids(100, 100))
    db.wait_value(200, 'SELECT count(*) FROM target')
    moment = db.value("SELECT pg_create_restore_point('middle')")
    put(kinesalite.client(), stream, ids(100, 200))
    db.wait_value(300, 'SELECT count(*) FROM target')
    assert moment
    db.sql('SELECT pg_switch_wal()')
    wait_until(lambda: db.value("SELECT last_archived_wal >= pg_walfile_name(%s) "
                                "FROM pg_stat_archiver", moment))
    db.conn.close()
    db.cluster.stop()
    (base / 'recovery.signal').touch()
    restored = Cluster(restore_of=base, conf=f"restore_command = 'cp {db.cluster.dir}/%f.wal %p'\n"
                       "recovery_target_name = 'middle'\nrecovery_target_action = 'promote'\n"
                       "archive_mode = off\n")
    try:
        conn = connect(restored, db, wait_until)
        wait_until(lambda: counts(conn)[0] >= 300)
        put(kinesalite.client(), stream, ids(10, 300))
        wait_until(lambda: counts(conn)[0] >= 310)
        assert counts(conn) == (310, 310)
    finally:
        restored.destroy()


def test_a_killed_worker_is_back_within_seconds(primary, kinesalite, put, wait_until):
    db, stream = primary
    put(kinesalite.client(), stream, ids(10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    Cluster.kill9(db.worker('p'))
    began = time.monotonic()
    put(kinesalite.client(), stream, ids(10, 10))
    conn = connect(db.cluster, db, wait_until)

    def landed():
        nonlocal conn
        try:
            return counts(conn)[0] == 20
        except psycopg.Error:
            conn = connect(db.cluster, db, wait_until)
            return False
    wait_until(landed)
    assert time.monotonic() - began < 5
