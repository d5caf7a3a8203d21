"""Who may connect to a store, as whom, and what of it is told."""
import os
import subprocess

import psycopg
import pytest

from harness.store import PASSWORD


@pytest.fixture
def alice(db):
    name = f'alice_{db.dbname}'
    db.sql(f'CREATE ROLE {name} LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO {name}; '
           f'GRANT tracking_fdw_pipeline TO {name}')
    yield name
    db.conn.execute('RESET ROLE')
    db.sql(f'DROP OWNED BY {name} CASCADE; DROP ROLE {name}')


@pytest.fixture
def wh(db, store):
    store.server(db)
    store.table('landed', 'id int, name text')
    db.sql("CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    return store


def denied(db, query, sqlstate):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query)
    assert raised.value.sqlstate == sqlstate, raised.value
    return raised.value


@pytest.mark.parametrize('option', ["host 'localhost'", "hostaddr '127.0.0.1'", "port '22'",
                                    "sslrootcert '/etc/passwd'"])
def test_only_the_trusted_choose_hosts_and_files(db, alice, option):
    db.sql(f'GRANT USAGE ON FOREIGN DATA WRAPPER tracking_redshift TO {alice}')
    db.sql(f'SET ROLE {alice}')
    create = f"CREATE SERVER mine FOREIGN DATA WRAPPER tracking_redshift OPTIONS (dbname 'x', {option}"
    create += ')' if 'host' in option else ", host 'localhost')"
    denied(db, create, '42501')
    db.sql(f'RESET ROLE; GRANT tracking_fdw_admin TO {alice}; SET ROLE {alice}')
    db.sql(create)


def test_a_role_needs_a_mapping_of_its_own(db, wh, alice):
    db.sql(f'GRANT SELECT, INSERT ON wh TO {alice}; SET ROLE {alice}')
    error = denied(db, 'INSERT INTO wh VALUES (1)', '28000')
    assert f"CREATE USER MAPPING FOR {alice} SERVER warehouse OPTIONS (user '...', password '...')" \
        in error.diag.message_hint
    denied(db, 'SELECT * FROM wh', '28000')
    # through a view it is its owner who reads
    db.sql('RESET ROLE')
    db.sql(f'CREATE VIEW seen AS SELECT * FROM wh; GRANT SELECT, INSERT ON seen TO {alice}')
    db.sql(f'SET ROLE {alice}')
    db.sql("INSERT INTO seen VALUES (1, 'x')")
    assert db.sql('SELECT * FROM seen') == [(1, 'x')]


def test_a_role_needs_a_password_that_is_asked_for(db, wh, alice):
    db.sql(f'GRANT SELECT ON wh TO {alice}')
    wh.sql('GRANT SELECT ON landed TO trusted')
    for password, what in ((None, 'Only superusers'), (PASSWORD, 'did not ask for one')):
        wh.mapping(db, role=alice, user='trusted', password=password)
        db.sql(f'SET ROLE {alice}')
        error = denied(db, 'SELECT * FROM wh', '2F003')
        assert what in error.diag.message_detail
        db.sql(f'RESET ROLE; DROP USER MAPPING FOR {alice} SERVER warehouse')
    wh.mapping(db, role=alice, user='trusted', password=None)
    db.sql(f'GRANT USAGE ON FOREIGN SERVER warehouse TO {alice}; SET ROLE {alice}')
    allow = f"ALTER USER MAPPING FOR {alice} SERVER warehouse OPTIONS (ADD password_required 'false')"
    denied(db, allow, '42501')
    db.sql('RESET ROLE')
    db.sql(allow)
    db.sql(f'SET ROLE {alice}')
    assert db.sql('SELECT * FROM wh') == []


def test_a_public_mapping_lends_no_superusers_connection(db, store, alice):
    store.server(db)
    db.sql('DROP USER MAPPING FOR CURRENT_USER SERVER warehouse')
    store.mapping(db, role='PUBLIC', user='trusted', password=PASSWORD)
    store.sql('CREATE TABLE landed (id int); GRANT ALL ON landed TO trusted')
    db.sql('CREATE FOREIGN TABLE landed (id int) SERVER warehouse')
    db.sql(f'GRANT SELECT ON landed TO {alice}')
    db.sql('SELECT * FROM landed')
    db.sql(f'SET ROLE {alice}')
    denied(db, 'SELECT * FROM landed', '2F003')
    db.sql('RESET ROLE')
    with pytest.raises(psycopg.Error, match='password is required'), db.conn.transaction():
        db.sql('SELECT * FROM landed')
        db.sql(f'SET LOCAL ROLE {alice}')
        db.sql('SELECT * FROM landed')


def test_wrong_password(db, wh):
    db.sql("ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (SET password 'wrong-one')")
    error = denied(db, 'SELECT * FROM wh', '08001')
    assert 'password authentication failed for user "loader"' in error.diag.message_detail
    assert 'wrong-one' not in str(error)


def test_nobody_there(db, store):
    store.server(db, port=1)
    db.sql('CREATE FOREIGN TABLE wh (id int) SERVER warehouse')
    error = denied(db, 'SELECT * FROM wh', '08001')
    assert error.diag.message_primary == 'could not connect to store "warehouse"'


def test_somebody_who_says_nothing(db, store):
    import socket
    import time
    with socket.create_server(('127.0.0.1', 0)) as mute:
        store.server(db, port=mute.getsockname()[1], connect_timeout='700ms')
        db.sql('CREATE FOREIGN TABLE wh (id int) SERVER warehouse')
        began = time.monotonic()
        error = denied(db, 'SELECT * FROM wh', '08001')
        assert 'timed out' in error.diag.message_detail
        assert 0.6 < time.monotonic() - began < 10
        db.sql("ALTER SERVER warehouse OPTIONS (SET connect_timeout '60s')")
        db.sql("SET statement_timeout = '300ms'")
        denied(db, 'SELECT * FROM wh', '57014')


def test_certificate_is_verified_unless_told_otherwise(db, store):
    store.server(db)
    db.sql('ALTER SERVER warehouse OPTIONS (DROP sslmode)')
    db.sql('CREATE FOREIGN TABLE wh (id int) SERVER warehouse')
    error = denied(db, 'SELECT * FROM wh', '08001')
    assert 'does not support SSL' in error.diag.message_detail or \
        'root certificate' in error.diag.message_detail


def test_environment_does_not_reach_the_store(new_cluster, new_db, store, monkeypatch):
    """Redshift ends a connection that asks for a parameter it does not know."""
    cluster = new_cluster()
    cluster.stop()
    cluster.env = {**cluster.env, 'PGOPTIONS': '-c work_mem=77kB', 'PGTZ': 'Asia/Tokyo',
                   'PGDATESTYLE': 'German', 'PGGEQO': 'off'}
    cluster.start()
    db = new_db(cluster)
    store.server(db, dialect='redshift')
    store.sql("CREATE VIEW seen AS SELECT name, setting FROM pg_settings WHERE source = 'client'")
    store.sql('GRANT SELECT ON seen TO loader')
    db.sql("CREATE FOREIGN TABLE seen (name text, setting text) SERVER warehouse "
           "OPTIONS (schema_name 'public')")
    assert sorted(db.sql('SELECT * FROM seen')) == [
        ('application_name', 'tracking_fdw'), ('client_encoding', 'UTF8')]
    db.conn.close()


def test_no_secret_and_no_row_is_told(db, wh, cluster):
    db.sql("SET log_min_messages = debug1; SET client_min_messages = debug1")
    db.sql("ALTER SERVER warehouse OPTIONS (ADD load_method 'insert')")
    wh.sql('ALTER TABLE landed ADD CHECK (id > 0)')
    told = []
    db.conn.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    for query in ("INSERT INTO wh VALUES (1, 'row-content-one'), (2, 'x')",
                  "INSERT INTO wh SELECT 0 - g, 'row-content-' || g FROM generate_series(1, 3) g",
                  "INSERT INTO wh SELECT g, E'bad' FROM generate_series(1, 3) g WHERE g / 0 = 1",
                  "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM wh",
                  "EXPLAIN (VERBOSE) INSERT INTO wh VALUES (1, 'y')",
                  "ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (SET user '')"):
        try:
            told += [str(row) for row in db.sql(query) or []]
        except psycopg.Error as error:
            told += [str(error), str(error.diag.context)]
    told = '\n'.join(told)
    assert PASSWORD not in told
    assert PASSWORD not in ''.join(line for line in cluster.log().splitlines()
                                   if 'USER MAPPING' not in line)
    # what the store itself says of a row is its own affair; the statement is not repeated
    assert 'INSERT INTO "public"' not in told


def test_mapping_is_hidden_from_others(db, wh, alice):
    db.sql(f'SET ROLE {alice}')
    assert db.sql('SELECT umoptions FROM pg_user_mappings') == [(None,)]


def test_dump_and_restore(db, wh, cluster):
    db.sql("INSERT INTO wh VALUES (1, 'x')")
    command = [cluster.bindir / 'pg_dump', '--include-foreign-data=warehouse', db.dbname]
    env = {**os.environ, **cluster.client_env()}
    dump = subprocess.run(command, env=env, text=True, check=True, capture_output=True).stdout
    assert dump.count(PASSWORD) == 1        # in CREATE USER MAPPING
    wh.sql('TRUNCATE landed')
    db.sql('DROP SERVER warehouse CASCADE; DROP EXTENSION tracking_fdw CASCADE; '
           'DROP SCHEMA tracking')
    subprocess.run([cluster.bindir / 'psql', '-q', '-v', 'ON_ERROR_STOP=1', db.dbname], env=env,
                   input=dump, text=True, check=True, capture_output=True)
    assert wh.sql('SELECT * FROM landed') == [(1, 'x')]
    assert db.sql('SELECT * FROM wh') == [(1, 'x')]
