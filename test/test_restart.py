"""Pipelines go on by themselves after a restart, and without the preload
they say what they need."""
import psycopg
import pytest


@pytest.fixture
def running(new_cluster, new_db, sql_server, kinesalite, make_stream, put):
    """A database in a cluster of its own, with pipeline p from a new stream to
    target; and a function that puts that many more records."""
    def make(**conf):
        stream = make_stream(kinesalite, 2)
        db = new_db(new_cluster(**conf))
        sql_server(db, kinesalite.url)
        db.foreign_table('src', 'id int', stream)
        db.sql('CREATE TABLE target (id int)')
        n = 0

        def more(count):
            nonlocal n
            put(kinesalite.client(), stream, [{'id': n + i} for i in range(count)])
            n += count
        more(100)
        db.pipeline('p', 'src', target='target', max_latency='0.2 s')
        return db, more
    return make


def exactly(db, n):
    db.wait_value(n, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == n


@pytest.mark.parametrize('mode', ['fast', 'immediate'])
def test_after_a_restart(running, mode):
    db, more = running()
    exactly(db, 100)
    db.cluster.stop(mode)
    more(100)
    db.cluster.start()
    db.conn = db.connect()
    exactly(db, 200)
    more(100)
    exactly(db, 300)


def test_a_fast_shutdown_is_fast_with_a_request_under_way(running, kinesalite, new_proxy):
    db, more = running()
    exactly(db, 100)
    proxy = new_proxy(kinesalite)
    held = proxy.hold('GetRecords')
    db.sql("SELECT tracking.stop_pipeline('p')")
    db.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")
    db.sql("SELECT tracking.start_pipeline('p')")
    held.wait()
    import time
    began = time.monotonic()
    db.cluster.stop('fast')
    assert time.monotonic() - began < 5
    db.cluster.start()
    db.conn = db.connect()


@pytest.mark.parametrize('victim', ['worker', 'supervisor', 'launcher'])
def test_after_the_end_of_a_process(running, victim):
    """A process that is told to end, or fails, comes back."""
    db, more = running()
    exactly(db, 100)
    pid = db.worker('p') if victim == 'worker' else db.value(
        f"SELECT pid FROM pg_stat_activity WHERE backend_type ILIKE '%tracking%{victim}%'")
    assert pid
    db.sql('SELECT pg_terminate_backend(%s)', pid)
    db.wait_value(0, f'SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}')
    more(100)
    exactly(db, 200)


def test_a_stopped_pipeline_stays_stopped(running, wait_until):
    db, more = running()
    exactly(db, 100)
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'stopped')
    more(10)
    db.cluster.restart()
    db.conn = db.connect()
    db.sql("SELECT tracking.create_pipeline('q', 'src', target => 'target', start_at => 'latest')")
    db.worker('q')
    assert db.status('p')[0]['state'] == 'stopped'
    assert db.value('SELECT count(*) FROM target') == 100


def test_without_the_preload(running):
    db, more = running(preload=False)
    notices = []
    db.conn.add_notice_handler(
        lambda diag: notices.append(f'{diag.message_primary} {diag.message_hint}'))
    db.sql("SELECT tracking.stop_pipeline('p')")
    db.sql("SELECT tracking.start_pipeline('p')")
    assert any('shared_preload_libraries' in notice for notice in notices)
    exactly(db, 100)
    more(10)
    exactly(db, 110)


def test_database_created_later(running, new_db, sql_server):
    """The launcher finds an extension that comes while it runs."""
    db, more = running()
    exactly(db, 100)
    other = new_db(db.cluster)
    endpoint = db.value("SELECT option_value FROM pg_options_to_table((SELECT srvoptions "
                        "FROM pg_foreign_server)) WHERE option_name = 'endpoint'")
    stream = db.value("SELECT option_value FROM pg_options_to_table((SELECT ftoptions "
                      "FROM pg_foreign_table)) WHERE option_name = 'stream'")
    sql_server(other, endpoint)
    other.foreign_table('src', 'id int', stream)
    other.sql('CREATE TABLE target (id int)')
    other.pipeline('p', 'src', target='target')
    exactly(other, 100)


def test_database_can_be_dropped_by_force(running):
    db, more = running()
    exactly(db, 100)
    with db.cluster.connect() as conn:
        with pytest.raises(psycopg.Error):      # a worker is connected
            conn.execute(f'DROP DATABASE {db.dbname}')
    db.drop()
