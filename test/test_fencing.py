"""Two that run one pipeline at once: one wins each batch, the other undoes
its own and reads the positions again.

The locks keep that from happening, so the test takes them away: the
supervisor is stopped, and the pipeline gets a new id, which is what is
locked."""
import os
import signal
import threading

import psycopg
import pytest

from harness.records import ids

LOCK = 4243


@pytest.fixture
def doubled(db, source, kinesalite, put, wait_until):
    """Pipeline p with a worker whose lock is on an id that it no longer has,
    on a table whose rows with an id over 100 wait for a lock; the stream."""
    stream = source(shards=2)
    put(kinesalite.client(), stream, ids(100))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(100, 'SELECT count(*) FROM target')
    supervisor = db.value("SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                          "AND backend_type = 'tracking_fdw supervisor'")
    os.kill(supervisor, signal.SIGSTOP)
    db.sql("UPDATE tracking.pipeline SET id = DEFAULT WHERE name = 'p'")
    db.sql('CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS '
           f'$$BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN new; END$$')
    db.sql('CREATE TRIGGER wait BEFORE INSERT ON target FOR EACH ROW '
           'WHEN (new.id >= 100) EXECUTE FUNCTION wait_for_test()')
    yield stream
    os.kill(supervisor, signal.SIGCONT)


class Session(threading.Thread):
    """Calls run_pipeline in a session of its own."""

    def __init__(self, db):
        super().__init__(daemon=True)
        self.conn = db.connect()
        self.pid = self.conn.info.backend_pid
        self.error = None

    def run(self):
        try:
            self.conn.execute("CALL tracking.run_pipeline('p')")
        except psycopg.Error as error:
            self.error = error


def waits(db, wait_until, pid, event):
    wait_until(lambda: db.value('SELECT wait_event FROM pg_stat_activity WHERE pid = %s', pid)
               in event, what=f'{pid} to wait for {event}')


def worker_pid(db):
    return db.value("SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                    "AND backend_type = 'tracking_fdw pipeline'")


def exactly(db, n):
    db.wait_value(n, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == n
    assert db.value('SELECT sum(records)::int FROM tracking.checkpoint') == n


def test_the_worker_wins(db, doubled, kinesalite, put, wait_until):
    with db.connect() as other:
        other.execute(f'SELECT pg_advisory_lock({LOCK})')
        put(kinesalite.client(), doubled, ids(100, 100))
        waits(db, wait_until, worker_pid(db), ['advisory'])
        session = Session(db)
        session.start()
        waits(db, wait_until, session.pid, ['transactionid', 'tuple'])
    session.join(30)
    assert session.error.sqlstate == '40001' and 'moved by another session' in str(session.error)
    exactly(db, 200)


def test_the_session_wins_and_a_stale_worker_gives_way(db, doubled, kinesalite, put, wait_until):
    worker = worker_pid(db)
    with db.connect() as other:
        other.execute(f'SELECT pg_advisory_lock({LOCK})')
        os.kill(worker, signal.SIGSTOP)
        put(kinesalite.client(), doubled, ids(100, 100))
        session = Session(db)
        session.start()
        waits(db, wait_until, session.pid, ['advisory'])
        os.kill(worker, signal.SIGCONT)
        waits(db, wait_until, worker, ['transactionid', 'tuple'])
    session.join(30)
    assert session.error is None
    # the stale worker is gone; another will read the positions
    db.wait_value(0, f'SELECT count(*) FROM pg_stat_activity WHERE pid = {worker}')
    exactly(db, 200)


def test_both_at_full_speed(db, doubled, kinesalite, put):
    """Neither is held: whoever is first, every record lands once."""
    db.sql('DROP TRIGGER wait ON target')
    for round in range(5):
        put(kinesalite.client(), doubled, ids(400, 100 + round * 400))
        session = Session(db)
        session.start()
        session.join(30)
        assert session.error is None or session.error.sqlstate in ('40001', '40P01')
    session = Session(db)
    session.start()
    session.join(30)
    exactly(db, 2100)


def test_what_was_altered_holds_for_the_next_batch(db, source, kinesalite, proxy, put):
    """Also for one that is being fetched: whoever has the old settings gives way."""
    stream = source(url=proxy.url)
    db.sql('CREATE TABLE other (id int)')
    put(kinesalite.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', enabled=False)
    held = proxy.hold('GetRecords')
    session = Session(db)
    session.start()
    held.wait()
    db.sql("SELECT tracking.alter_pipeline('p', target => 'other')")
    held.release()
    session.join(30)
    assert session.error.sqlstate == '40001' and 'was changed' in str(session.error)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT count(*) FROM target') == 0 and db.value('SELECT count(*) FROM other') == 10
