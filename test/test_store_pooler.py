"""A store behind a pooler, which gives each transaction the session that is
free: settings of ours are in no other, and are in all of ours."""
import psycopg
import pytest

from harness.pgbouncer import Pgbouncer
from harness.store import PASSWORD

SETTINGS = ('datestyle', 'timezone', 'extra_float_digits', 'intervalstyle', 'search_path',
            'lc_monetary', 'xmloption', 'standard_conforming_strings', 'bytea_output',
            'default_transaction_isolation', 'transaction_isolation')
EVERYTHING = ' || '.join(f"'{name}=' || current_setting('{name}') || E'\\n'" for name in SETTINGS)


@pytest.fixture
def pooled(db, store):
    """pooled(servers): foreign table wh through a pooler with so many
    connections to the store; returns a function that connects to it, too."""
    made = []

    def make(servers):
        pooler = Pgbouncer(store.cluster.port, servers, loader=PASSWORD)
        made.append(pooler)
        store.server(db, port=pooler.port)
        store.table('landed', 'id int, ratio float8, lasts interval, at timestamptz')
        db.sql('CREATE FOREIGN TABLE wh (id int, ratio float8, lasts interval, at timestamptz) '
               "SERVER warehouse OPTIONS (schema_name 'public', table_name 'landed')")

        def connect():
            conn = psycopg.connect(host='127.0.0.1', port=pooler.port, dbname=store.dbname,
                                   user='loader', password=PASSWORD, autocommit=True)
            conn.prepare_threshold = None
            made.append(conn)
            return conn
        return connect
    yield make
    for each in reversed(made):
        each.close() if isinstance(each, psycopg.Connection) else each.stop()


ROW = "(1, 0.1::float8 + 0.2::float8, '-1 mon 2 days -03:00', '2026-01-02 03:04:05.678+05:30')"


def test_settings_do_not_leak(db, store, pooled):
    client = pooled(1)()
    before = client.execute(f'SELECT pg_backend_pid(), {EVERYTHING}').fetchone()
    db.sql(f'INSERT INTO wh VALUES {ROW}')
    assert client.execute(f'SELECT pg_backend_pid(), {EVERYTHING}').fetchone() == before
    with db.conn.transaction(force_rollback=True):
        assert db.value('SELECT count(*) FROM wh') == 1
    assert client.execute(f'SELECT pg_backend_pid(), {EVERYTHING}').fetchone() == before
    with pytest.raises(psycopg.errors.UndefinedColumn):
        store.sql('ALTER TABLE landed DROP COLUMN lasts')
        db.sql('SELECT lasts FROM wh')
    assert client.execute(f'SELECT pg_backend_pid(), {EVERYTHING}').fetchone() == before


def test_every_transaction_has_our_settings(db, store, pooled):
    store.sql(f"""ALTER ROLE loader IN DATABASE {store.dbname} SET extra_float_digits = -10;
        ALTER ROLE loader IN DATABASE {store.dbname} SET intervalstyle = sql_standard;
        ALTER ROLE loader IN DATABASE {store.dbname} SET datestyle = 'German';
        ALTER ROLE loader IN DATABASE {store.dbname} SET timezone = 'Asia/Kolkata'""")
    connect = pooled(2)
    db.sql(f'INSERT INTO wh VALUES {ROW}')
    clients = [connect(), connect()]
    seen = set()
    while len(seen) < 2:
        # both connections are taken; the one that was not free before becomes it
        for client in clients:
            client.execute('BEGIN')
        pids = [client.execute('SELECT pg_backend_pid()').fetchone()[0] for client in clients]
        free = int(pids[0] in seen)
        seen.add(pids[free])
        clients[free].execute('COMMIT')
        assert db.value(f'SELECT w = ROW {ROW}::wh FROM wh w')
        clients[1 - free].execute('COMMIT')
