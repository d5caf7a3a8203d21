"""A worker is connected as the pipeline's owner: its session has no more rights than its command."""
import pytest


@pytest.fixture
def alice(db, cluster, sql_server, kinesalite, make_stream, put):
    """A role that owns source src over a stream with a record, and a mapping."""
    role = f'alice_{db.dbname}'
    db.sql(f'CREATE ROLE {role} LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO {role}; '
           f'GRANT tracking_fdw_pipeline TO {role}')
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [{'id': 1}])
    sql_server(db, kinesalite.url, user=role)
    db.sql(f'GRANT USAGE ON FOREIGN SERVER aws TO {role}; SET ROLE {role}')
    db.foreign_table('src', 'id int', stream)
    yield role
    db.sql('RESET ROLE')
    db.sql(f"SELECT tracking.drop_pipeline(name) FROM tracking.pipeline")
    db.sql(f'DROP OWNED BY {role} CASCADE')
    db.sql(f'DROP ROLE {role}')


def test_the_session_is_the_owners(db, alice):
    db.sql('RESET ROLE')
    db.sql(f"ALTER ROLE {alice} SET work_mem = '5432kB'")
    db.sql(f'SET ROLE {alice}')
    db.sql('CREATE TABLE who (session name, login name, work_mem text)')
    db.sql("SELECT tracking.create_pipeline('p', 'src', max_latency => '0.2 s', command => "
           "'INSERT INTO who SELECT session_user, (SELECT usename FROM pg_stat_activity WHERE "
           "pid = pg_backend_pid()), current_setting(''work_mem'') FROM src')")
    db.wait_value(1, 'SELECT count(*) FROM who')
    assert db.sql('SELECT * FROM who') == [(alice, alice, '5432kB')]
    pid = db.worker('p')
    db.sql('RESET ROLE')
    assert db.value('SELECT usename FROM pg_stat_activity WHERE pid = %s', pid) == alice
