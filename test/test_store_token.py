"""Who fills a store: a copy that nothing else tells from the original, a standby that is promoted,
a crash while that is written down."""
import os
import re
import signal

import psycopg
import pytest

from harness.cluster import Cluster
from harness.postgres_proxy import ROLE
from harness.records import ids

COLUMNS = 'id bigint, name text'
# what need not be brought to disk at once is not
LAZY = "synchronous_commit = off\nwal_writer_delay = '10s'\nautovacuum = off\n"


@pytest.fixture
def prepare(sql_server, make_stream, store, store_proxy, kinesalite):
    """prepare(db): pipeline p from stream src into table landed of the store; the stream."""
    def make(db, enabled=True):
        stream = make_stream(kinesalite)
        sql_server(db, kinesalite.url)
        store.sql(f'CREATE TABLE landed ({COLUMNS}); ALTER TABLE landed OWNER TO {ROLE}')
        store.server(db, port=store_proxy.port)
        db.sql(f"ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (SET user '{ROLE}', "
               "DROP password)")
        db.sql(f"CREATE FOREIGN TABLE landed ({COLUMNS}) SERVER warehouse "
               "OPTIONS (schema_name 'public')")
        db.foreign_table('src', COLUMNS, stream)
        db.pipeline('p', 'src', target='landed', max_latency='0.2 s', enabled=enabled)
        return stream
    return make


@pytest.fixture
def origin(new_cluster, new_db, prepare):
    """A database in a server of its own, with a pipeline at work; and its stream."""
    db = new_db(new_cluster(conf=LAZY))
    return db, prepare(db)


def landed(store):
    return [i for i, in store.sql('SELECT id FROM landed ORDER BY id')]


def state(conn):
    return conn.execute('SELECT state, last_error FROM tracking.pipeline_status').fetchone()


def positions_table(store):
    return store.value("SELECT tablename FROM pg_tables WHERE tablename LIKE 'tracking%'")


def token(store):
    return store.value(f"SELECT position FROM {positions_table(store)} WHERE shard_id = ''")


def of_another(store):
    """Have the store's token be that of a server that nobody knows."""
    store.sql(f"UPDATE {positions_table(store)} SET position = '0f another:5432/7 2026'"
              " WHERE shard_id = ''")


def test_two_copies_do_not_take_turns(origin, store, kinesalite, put, wait_until):
    db, stream = origin
    client = kinesalite.client()
    put(client, stream, ids(5))
    wait_until(lambda: landed(store) == [*range(5)])
    db.cluster.stop()
    with Cluster(restore_of=db.cluster.data) as clone, clone.connect(dbname=db.dbname) as copy:
        put(client, stream, ids(5, 5))
        wait_until(lambda: landed(store) == [*range(10)])
        db.cluster.start()
        db.conn = db.connect()
        wait_until(lambda: state(db.conn)[0] == 'failed')
        assert re.match('pipeline "p" fills store "warehouse" from another server, too\n'
                        rf'DETAIL:  The token in table "public"."tracking_p_\w+" there is "[^"]*:'
                        rf'{clone.port}/[^"]*"; the last that was written from here is "[^"]*:'
                        rf'{db.cluster.port}/[^"]*".\nHINT: .*take_over => true', state(db.conn)[1])
        assert state(copy) == ('running', None)

        # while it runs, too
        db.sql("SELECT tracking.start_pipeline('p', take_over => true)")
        wait_until(lambda: f':{db.cluster.port}/' in token(store))
        put(client, stream, ids(5, 10))
        wait_until(lambda: state(copy)[0] == 'failed')
        assert f':{db.cluster.port}/' in state(copy)[1]
        wait_until(lambda: landed(store) == [*range(15)])
        assert state(db.conn) == ('running', None)


def test_a_promoted_standby_goes_on(origin, store, kinesalite, put, wait_until):
    db, stream = origin
    put(kinesalite.client(), stream, ids(5))
    wait_until(lambda: landed(store) == [*range(5)])
    with Cluster(standby_of=db.cluster) as standby:
        db.cluster.stop('immediate')
        standby.promote()
        put(kinesalite.client(), stream, ids(5, 5))
        wait_until(lambda: landed(store) == [*range(10)], timeout=60)
        assert f':{standby.port}/' in token(store)

        # whoever was the primary does not, should it come back
        db.cluster.start()
        db.conn = db.connect()
        wait_until(lambda: state(db.conn)[0] == 'failed')
        assert f':{standby.port}/' in state(db.conn)[1]


@pytest.mark.parametrize('answered', [False, True], ids=['before', 'after'])
def test_a_crash_while_the_store_is_told(origin, store, store_proxy, kinesalite, put, wait_until,
                                         answered):
    """The server ends before or after the store has its token."""
    db, stream = origin
    put(kinesalite.client(), stream, ids(5))
    wait_until(lambda: landed(store) == [*range(5)])
    db.sql("SELECT tracking.stop_pipeline('p')")
    db.cluster.restart()
    db.conn = db.connect()
    before = token(store)
    held = store_proxy.hold('commit', answered=answered, after=1, first=1)
    db.sql('CHECKPOINT')
    # nobody but who commits brings anything to disk
    os.kill(db.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"),
            signal.SIGSTOP)
    db.sql("SET synchronous_commit = on; SELECT tracking.start_pipeline('p')")
    held.wait()
    if answered:
        assert token(store) != before
    processes = [db.cluster.postmaster(), *(pid for pid, in db.sql(
        'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'))]
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    held.release()
    wait_until(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in processes))
    db.cluster.start()
    db.conn = db.connect()
    put(kinesalite.client(), stream, ids(5, 5))
    wait_until(lambda: landed(store) == [*range(10)], timeout=60)


@pytest.mark.parametrize('answered', [False, True], ids=['before', 'after'])
def test_an_answer_to_that_is_lost(db, prepare, store, store_proxy, kinesalite, put, answered):
    stream = prepare(db, enabled=False)
    put(kinesalite.client(), stream, ids(5))
    store_proxy.cut('commit', answered=answered, after=1, first=1)
    with pytest.raises(psycopg.Error, match='while it committed') as lost:
        db.sql("CALL tracking.run_pipeline('p')")
    assert lost.value.sqlstate == '08007'
    db.sql("CALL tracking.run_pipeline('p')")
    assert landed(store) == [*range(5)]


def test_one_server_writes_one(db, prepare, store):
    """Not each run: a standby would have to have the last."""
    prepare(db, enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    first = token(store)
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon')")
    assert first == token(store)
    assert db.sql('SELECT store_token, store_token_before FROM tracking.pipeline') == [(first, None)]


@pytest.mark.parametrize('call', ["CALL tracking.run_pipeline('p')",
                                  "SELECT tracking.replay_dead_letters('p')",
                                  "SELECT tracking.reset_pipeline('p', 'trim_horizon')"])
def test_a_session_is_refused(db, prepare, store, kinesalite, put, call):
    stream = prepare(db, enabled=False)
    db.sql('ALTER FOREIGN TABLE src ALTER id TYPE text')
    db.sql("SELECT tracking.alter_pipeline('p', command => "
           "'INSERT INTO landed SELECT id::bigint, name FROM src')")
    put(kinesalite.client(), stream, [*ids(5), {'id': 'no number'}])
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql("SELECT tracking.alter_pipeline('p', command => "
           "'INSERT INTO landed SELECT 6, name FROM src')")
    of_another(store)
    before = store.sql(f'SELECT * FROM {positions_table(store)} ORDER BY 1')
    with pytest.raises(psycopg.errors.ObjectInUse) as refused:
        db.sql(call)
    assert '"0f another:5432/7 2026"' in refused.value.diag.message_detail
    assert store.sql(f'SELECT * FROM {positions_table(store)} ORDER BY 1') == before
    assert landed(store) == [*range(5)]
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1
    db.sql("SELECT tracking.start_pipeline('p', take_over => true), tracking.stop_pipeline('p')")
    db.sql(call)
    assert 'another' not in token(store)


def test_a_move_is_conditioned_on_it(db, prepare, store, store_proxy, kinesalite, put, wait_until):
    """Another server comes in between, and moves nothing yet."""
    stream = prepare(db)
    put(kinesalite.client(), stream, ids(5))
    wait_until(lambda: landed(store) == [*range(5)])
    of_another(store)
    put(kinesalite.client(), stream, ids(5, 5))
    wait_until(lambda: state(db.conn)[0] == 'failed')
    assert landed(store) == [*range(5)]
    assert 'another:5432' in state(db.conn)[1]
