"""The stand-in for Redshift fails when and how it is told to."""
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from harness.redshift import ROLE, Redshift, Warehouse
from harness.wait import wait_until


@pytest.fixture
def t(warehouse):
    warehouse.sql('CREATE TABLE t (id int)')
    warehouse.redshift.clear()
    return warehouse


@pytest.fixture
def rows(t):
    """Rows that are in t, as a new connection sees them."""
    def count():
        with t.connect() as conn:
            return conn.execute('SELECT count(*) FROM t').fetchone()[0]
    return count


def insert_and_commit(warehouse, n=1):
    with warehouse.connect() as conn:
        for _ in range(n):
            conn.execute('BEGIN')
            conn.execute('INSERT INTO t VALUES (1)')
            conn.execute('COMMIT')


def is_lost(run, *args):
    with pytest.raises(psycopg.OperationalError) as raised:
        run(*args)
    assert raised.value.sqlstate is None
    return True


@pytest.mark.parametrize('answered, expected', [(False, 0), (True, 1)])
def test_the_connection_is_cut_at_a_commit(t, rows, answered, expected):
    t.redshift.cut('commit', answered=answered, first=1)
    assert is_lost(insert_and_commit, t)
    wait_until(lambda: rows() == expected, what='the end of the transaction')
    insert_and_commit(t)
    assert rows() == expected + 1
    assert [e['fault'] for e in t.redshift.operations('commit')] == [True, False]


def test_the_third_commit(t, rows):
    t.redshift.cut('commit', answered=True, first=1, after=2)
    assert is_lost(insert_and_commit, t, 5)
    assert rows() == 3


def test_a_commit_in_the_extended_protocol_and_among_others(t, rows):
    t.redshift.cut('commit', answered=True, every=2)
    insert_and_commit(t)
    with t.connect() as conn:
        conn.execute('BEGIN; INSERT INTO t VALUES (2)')
        result = conn.pgconn.exec_params(b'COMMIT', None)
        assert result.status == psycopg.pq.ExecStatus.FATAL_ERROR
    assert rows() == 2
    with t.connect() as conn:
        conn.execute('BEGIN; INSERT INTO t VALUES (3); COMMIT')
    assert is_lost(t.conn.execute, 'BEGIN; INSERT INTO t VALUES (4); COMMIT')
    assert rows() == 4


def test_during_a_copy(t, rows, bucket):
    manifest = bucket.manifest('manifest', [
        bucket.put(f'part{n}', json.dumps({'id': n})) for n in range(4)])
    copy = f"COPY t FROM '{manifest}' IAM_ROLE '{ROLE}' MANIFEST JSON 'auto'"
    t.redshift.cut('object', first=1, after=2)
    assert is_lost(t.conn.execute, copy)
    assert len(t.redshift.operations('object')) == 3
    assert rows() == 0
    with t.connect() as conn:
        conn.execute(copy)
        t.redshift.error('object', 'XX000', 'S3ServiceException:Slow Down,Status 503', first=1)
        with pytest.raises(psycopg.errors.InternalError_, match='Slow Down'):
            conn.execute(copy)
        assert conn.execute('SELECT count(*) FROM t').fetchone() == (4,)


def test_an_error_is_injected(t):
    t.redshift.error('insert', '57014', 'Query was cancelled by WLM', first=1)
    t.sql('BEGIN')
    with pytest.raises(psycopg.errors.QueryCanceled):
        t.sql('INSERT INTO t VALUES (1)')
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        t.sql('INSERT INTO t VALUES (1)')
    t.sql('ROLLBACK')
    t.sql('INSERT INTO t VALUES (1)')
    t.redshift.error('connect', '53300', 'connection limit "500" exceeded for non-bootstrap users',
                     first=1)
    with pytest.raises(psycopg.OperationalError, match='connection limit'):
        t.connect()
    t.connect().close()


@pytest.mark.parametrize('answered', [False, True])
def test_a_statement_hangs_until_it_is_let_go(t, rows, answered):
    held = t.redshift.hold('insert', answered=answered, first=1)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(t.sql, 'INSERT INTO t VALUES (1)')
        held.wait()
        assert (rows(), done.done()) == (int(answered), False)
        held.release()
        done.result(30)
    assert rows() == 1


def test_a_slow_answer(t):
    t.sql('INSERT INTO t VALUES (1), (2), (3)')
    t.redshift.slow('select', pause=0.01, n_bytes=5)
    assert t.sql('SELECT id FROM t ORDER BY id') == [(1,), (2,), (3,)]


def test_down_and_up_again(t, rows):
    t.sql('BEGIN')
    t.sql('INSERT INTO t VALUES (1)')
    t.redshift.down()
    try:
        assert is_lost(t.sql, 'COMMIT')
        with pytest.raises(psycopg.OperationalError, match='refused'):
            t.connect()
    finally:
        t.redshift.up()
    wait_until(lambda: rows() == 0, what='the end of the transaction')


def test_the_log(t):
    t.sql('BEGIN')
    t.sql('INSERT INTO t VALUES (1)')
    with pytest.raises(psycopg.Error):
        t.sql('LISTEN x')
    t.sql('ROLLBACK')
    assert [(e['op'], e['sql'], e['user']) for e in t.redshift.operations()] == [
        ('begin', 'BEGIN', 'loader'), ('insert', 'INSERT INTO t VALUES (1)', 'loader'),
        ('refused', 'LISTEN x', 'loader'), ('rollback', 'ROLLBACK', 'loader')]


def test_it_leaves_nothing_behind(moto, warehouse):
    """Neither threads, nor connections, nor databases."""
    before = set(threading.enumerate())
    cluster = warehouse.redshift.cluster
    stand_in = Redshift(cluster, moto)
    database = Warehouse(stand_in)
    database.sql('CREATE TABLE t (id int)')
    database.sql('BEGIN')
    database.sql('INSERT INTO t VALUES (1)')
    stand_in.stop()
    wait_until(lambda: not set(threading.enumerate()) - before, what='the end of threads')
    with cluster.connect() as conn:
        assert conn.execute('SELECT count(*) FROM pg_database WHERE datname = %s',
                            (database.dbname,)).fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError):
        database.sql('COMMIT')
