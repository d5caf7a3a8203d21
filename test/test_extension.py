"""The extension is upgraded or dropped, or its database, while records flow."""
import os
import pathlib

import psycopg
import pytest

from harness.cluster import pg_config
from harness.records import Producer

UPDATE = pathlib.Path(pg_config('--sharedir'), 'extension', 'tracking_fdw--1.0--1.0.1.sql')


@pytest.fixture
def flowing(db, source, kinesalite):
    """Records flow, and pipeline p lands them."""
    producer = Producer(kinesalite, source(shards=2))
    producer.start()
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    goes_on(db)
    yield producer
    producer.ended.set()
    producer.join()


def goes_on(db):
    landed = db.value('SELECT count(*) FROM target')
    db.wait_value(True, f'SELECT count(*) > {landed} + 100 FROM target')


def exactly(db, n):
    db.wait_value(n, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == n


@pytest.fixture
def update():
    """An update of the extension to 1.0.1 that touches what workers use."""
    if not os.access(UPDATE.parent, os.W_OK):
        pytest.skip(f'{UPDATE.parent} is not ours to write')
    UPDATE.write_text("""
        alter table tracking.checkpoint add column shoe_size integer not null default 41;
        alter table tracking.pipeline add column note text, add column more text;
        create or replace view tracking.events_per_minute with (security_invoker = true) as
            select pipeline, date_trunc('minute', applied_at) as minute, sum(records) as records,
                sum(dead_letters) as dead_letters, sum(bytes) as bytes, count(*) as batches
            from tracking.batch group by 1, 2;
        """)
    yield
    UPDATE.unlink()


def test_upgraded(db, flowing, update):
    db.sql("ALTER EXTENSION tracking_fdw UPDATE TO '1.0.1'")
    goes_on(db)
    assert db.value("SELECT extversion FROM pg_extension WHERE extname = 'tracking_fdw'") == '1.0.1'
    db.sql("SELECT tracking.alter_pipeline('p', workers => 2)")
    goes_on(db)
    exactly(db, flowing.end())
    assert db.value('SELECT sum(batches) > 0 FROM tracking.events_per_minute')
    assert db.value('SELECT DISTINCT shoe_size FROM tracking.checkpoint') == 41


def test_another_role_becomes_its_owner(db, source, kinesalite):
    db.sql('DROP EXTENSION tracking_fdw; DROP ROLE IF EXISTS keeper; CREATE ROLE keeper SUPERUSER')
    db.sql('SET ROLE keeper; CREATE EXTENSION tracking_fdw; RESET ROLE')
    producer = Producer(kinesalite, source(shards=2))
    producer.start()
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    goes_on(db)
    worker = db.worker('p')
    db.sql('REASSIGN OWNED BY keeper TO CURRENT_USER; DROP OWNED BY keeper; DROP ROLE keeper')
    goes_on(db)
    exactly(db, producer.end())
    assert db.worker('p') == worker
    assert db.value("SELECT last_error FROM tracking.pipeline WHERE name = 'p'") is None


def test_dropped_and_created_again(db, flowing, kinesalite):
    for _ in range(3):
        worker = db.worker('p')
        made = db.sql("SELECT srvoptions, umoptions, ftoptions FROM pg_foreign_table f "
                      "JOIN pg_foreign_server s ON f.ftserver = s.oid "
                      "JOIN pg_user_mapping u ON u.umserver = s.oid")[0]
        db.sql('DROP EXTENSION tracking_fdw CASCADE')
        db.wait_value(0, f'SELECT count(*) FROM pg_stat_activity WHERE pid = {worker}', timeout=5)
        server, mapping, table = (
            ', '.join("{} '{}'".format(*option.split('=', 1)) for option in options) for options in made)
        db.sql('CREATE EXTENSION tracking_fdw; TRUNCATE target')
        db.sql(f'CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw OPTIONS ({server})')
        db.sql(f'CREATE USER MAPPING FOR CURRENT_USER SERVER aws OPTIONS ({mapping})')
        db.sql(f'CREATE FOREIGN TABLE src (id int, name text) SERVER aws OPTIONS ({table})')
        db.pipeline('p', 'src', target='target', max_latency='0.2 s')
        goes_on(db)
    exactly(db, flowing.end())


def test_its_database_is_dropped(cluster, db, flowing):
    with cluster.connect() as conn:
        with pytest.raises(psycopg.errors.ObjectInUse):
            conn.execute(f'DROP DATABASE {db.dbname}')
        goes_on(db)
        name = db.dbname
        db.drop()
        assert conn.execute('SELECT count(*) FROM pg_stat_activity WHERE datname = %s',
                            (name,)).fetchone() == (0,)
        conn.execute(f'CREATE DATABASE {name}')     # for the fixture to drop
    db.conn = db.connect()


def test_the_way_to_drop_a_database_without_force(cluster, db, flowing):
    """As docs/operations.md says."""
    db.sql("SELECT tracking.stop_pipeline('p'); DROP EXTENSION tracking_fdw CASCADE")
    db.conn.close()
    with cluster.connect() as conn:
        # it waits for five seconds for others to end
        conn.execute(f'DROP DATABASE {db.dbname}')
        conn.execute(f'CREATE DATABASE {db.dbname}')
    db.conn = db.connect()
