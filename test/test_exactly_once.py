"""100,000 records on 4 shards land exactly once, though the worker is killed
with kill -9 at every point of its way."""
import psycopg
import pytest

N, SHARDS = 100_000, 4
LOCK = 4242


class Crashes:
    """Pipeline p from src to target in a cluster of its own (kill -9 of one
    process restarts the whole server), and the points at which to kill it."""

    def __init__(self, db, proxy, wait_until):
        self.db, self.proxy, self.wait_until = db, proxy, wait_until
        db.sql('CREATE TABLE target (id int, name text)')
        db.sql('CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS '
               f'$$BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN new; END$$')
        db.pipeline('p', 'src', target='target', batch_rows=5000, max_latency='0.2 s')
        db.worker('p')

    def landed(self):
        """Records in the target; the positions always tell the same."""
        landed, read = self.db.sql('SELECT (SELECT count(*) FROM target), '
                                   '(SELECT coalesce(sum(records), 0) FROM tracking.checkpoint)')[0]
        assert landed == read
        return landed

    def wait_for_lock(self):
        pid = self.db.worker('p')
        self.wait_until(lambda: self.db.value(
            'SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s', pid) == 'Lock',
            what='the worker to wait for a lock')

    def kill(self):
        self.db.cluster.kill9(self.db.worker('p'))
        self.wait_until(lambda: not self.answers(), what='the end of the session')
        self.wait_until(self.reconnected, what='the server to be back')

    def answers(self):
        try:
            return self.db.value('SELECT 1')
        except psycopg.Error:
            return None

    def reconnected(self):
        try:
            self.db.conn = self.db.connect()
        except psycopg.Error:
            return False
        return True

    # Each is called with a function that puts records, and kills the worker
    # while it is on its way with them.

    def before_fetch(self, put):
        """A new worker has yet to ask for an iterator's first records."""
        held = self.proxy.hold('GetShardIterator')
        self.kill()
        put()
        held.wait()
        self.kill()
        self.proxy.clear()

    def during_fetch(self, put):
        self.proxy.hold('GetRecords').wait(SHARDS)
        put()
        self.proxy.clear()
        self.proxy.hold('GetRecords', answered=True).wait()
        self.kill()
        self.proxy.clear()

    def after_fetch(self, put):
        """The records are here, the command has not begun."""
        other = self.db.connect()
        other.execute('BEGIN; LOCK TABLE target IN ACCESS EXCLUSIVE MODE')
        put()
        self.wait_for_lock()
        self.kill()
        other.close()

    def inside_command(self, put):
        self.stopped_by('CREATE TRIGGER stop BEFORE INSERT ON target FOR EACH ROW', put)

    def before_commit(self, put):
        self.stopped_by('CREATE CONSTRAINT TRIGGER stop AFTER INSERT ON target '
                        'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW', put)

    def stopped_by(self, trigger, put):
        self.db.sql(f'{trigger} WHEN (new.id % 1000 = 777) EXECUTE FUNCTION wait_for_test()')
        with self.db.connect() as other:
            other.execute(f'SELECT pg_advisory_lock({LOCK})')
            put()
            self.wait_for_lock()
            self.kill()
        self.db.sql('DROP TRIGGER stop ON target')

    def after_commit(self, put):
        before = self.landed()
        put()
        self.wait_until(lambda: self.landed() > before, what='a commit')
        self.kill()


POINTS = ('before_fetch', 'during_fetch', 'after_fetch', 'inside_command', 'before_commit',
          'after_commit')


def test_killed_at_every_point(new_cluster, new_db, sql_server, kinesalite, proxy, make_stream,
                               put, wait_until):
    stream = make_stream(kinesalite, SHARDS)
    db = new_db(new_cluster())
    sql_server(db, proxy.url)
    db.foreign_table('src', 'id int, name text', stream)
    crashes = Crashes(db, proxy, wait_until)
    n = 0

    def put_some():
        nonlocal n
        upto = n + N // len(POINTS) if point != POINTS[-1] else N
        put(kinesalite.client(), stream,
            (('{"id":%d,"name":"n%d"}' % (i, i), str(i)) for i in range(n, upto)))
        n = upto

    for point in POINTS:
        getattr(crashes, point)(put_some)
        wait_until(lambda: crashes.landed() == n, timeout=60, what=f'{n} rows after {point}')

    assert db.sql('SELECT count(*), count(DISTINCT id), min(id), max(id) FROM target') == [
        (N, N, 0, N - 1)]
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
