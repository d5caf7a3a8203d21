"""What is here of a load is on disk before the store has it: a crash between the two leaves the
store with rows whose dead letters, history and ledger would be gone."""
import os
import signal

import pytest

from harness.postgres_proxy import ROLE
from harness.records import ids

LAZY = "synchronous_commit = off\nwal_writer_delay = '10s'\nautovacuum = off\n"


@pytest.fixture
def filled(new_cluster, new_db, sql_server, make_stream, store, store_proxy, kinesalite):
    """A server that brings nothing to disk that it need not, with source src, and table landed
    of the store; the cluster, the database and the stream."""
    cluster = new_cluster(conf=LAZY)
    db, stream, columns = new_db(cluster), make_stream(kinesalite), 'id bigint, name text'
    sql_server(db, kinesalite.url)
    store.sql(f'CREATE TABLE landed ({columns}); ALTER TABLE landed OWNER TO {ROLE}')
    store.server(db, port=store_proxy.port)
    db.sql(f"ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (SET user '{ROLE}', "
           "DROP password)")
    db.sql(f"CREATE FOREIGN TABLE landed ({columns}) SERVER warehouse "
           "OPTIONS (schema_name 'public')")
    db.foreign_table('src', columns, stream)
    return cluster, db, stream


def test_a_crash_after_the_store_has_committed(filled, store, store_proxy, kinesalite, put,
                                               wait_until):
    cluster, db, stream = filled
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s')
    put(kinesalite.client(), stream, ids(10))
    wait_until(lambda: store.value('SELECT count(*) FROM landed') == 10)
    wait_until(lambda: db.value("SELECT bool_and(state = 'done') FROM tracking.load"))
    db.sql('CHECKPOINT')

    # nobody but who commits brings it to disk
    writer = db.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(writer, signal.SIGSTOP)
    held = store_proxy.hold('commit', answered=True, first=1)
    put(kinesalite.client(), stream, [*ids(10, 10), 'no JSON'])
    held.wait()
    assert store.value('SELECT count(*) FROM landed') == 20
    processes = [cluster.postmaster(), *(pid for pid, in db.sql(
        'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'))]
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    held.release()
    wait_until(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in processes))
    cluster.start()
    db.conn = db.connect()
    wait_until(lambda: db.value("SELECT bool_and(state = 'done') FROM tracking.load"))
    put(kinesalite.client(), stream, ids(5, 20))
    wait_until(lambda: store.value('SELECT count(*) FROM landed') == 25)
    assert store.value('SELECT count(DISTINCT id) FROM landed') == 25
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1
    assert db.value('SELECT sum(records)::int FROM tracking.load') == 26
