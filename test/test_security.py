"""No role gets rights that a GRANT did not give it."""
import psycopg
import pytest


@pytest.fixture
def roles(db):
    """Roles alice and bob of this test, who may create pipelines."""
    names = [f'{name}_{db.dbname}' for name in ('alice', 'bob')]
    for name in names:
        db.sql(f'CREATE ROLE {name} LOGIN; GRANT tracking_fdw_pipeline TO {name}')
    db.sql(f"GRANT CREATE, USAGE ON SCHEMA public TO {', '.join(names)}")
    yield names
    db.conn.execute('RESET ROLE')
    for name in names:
        db.sql(f'DROP OWNED BY {name} CASCADE')
        db.sql(f'DROP ROLE {name}')


@pytest.fixture
def shared(db, roles, sql_server, kinesalite, make_stream, put):
    """Server aws usable by both, with a mapping for alice only, who owns
    source src and table target."""
    alice, bob = roles
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [{'id': 1}])
    sql_server(db, kinesalite.url, user=alice)
    db.sql(f'GRANT USAGE ON FOREIGN SERVER aws TO {alice}, {bob}')
    db.sql(f'SET ROLE {alice}')
    db.foreign_table('src', 'id int', stream)
    db.sql('CREATE TABLE target (id int)')
    db.sql('RESET ROLE')
    return alice, bob


def denied(db, query, sqlstate='42501'):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query)
    assert raised.value.sqlstate == sqlstate, raised.value


@pytest.mark.parametrize('option', ["endpoint 'http://127.0.0.1:22'",
                                    "kinesis_endpoint 'http://127.0.0.1:22'",
                                    "s3_endpoint 'http://127.0.0.1:22'",
                                    "ca_bundle '/etc/passwd'"])
def test_only_the_trusted_choose_hosts_and_files(db, roles, option):
    alice, _ = roles
    db.sql(f'GRANT USAGE ON FOREIGN DATA WRAPPER tracking_fdw TO {alice}')
    db.sql(f'SET ROLE {alice}')
    create = "CREATE SERVER mine FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'us-east-1', {})"
    denied(db, create.format(option))
    db.sql(create.format('').replace(', )', ')'))
    denied(db, f'ALTER SERVER mine OPTIONS (ADD {option})')
    db.sql('RESET ROLE')
    db.sql(f'GRANT tracking_fdw_admin TO {alice}')
    db.sql(f'SET ROLE {alice}')
    db.sql(f'ALTER SERVER mine OPTIONS (ADD {option})')


def test_secrets_belong_into_user_mappings(db):
    with pytest.raises(psycopg.Error, match='invalid option'):
        db.sql("CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw OPTIONS "
               "(region 'us-east-1', secret_access_key 'x')")


def test_another_roles_mapping_is_not_used(db, shared):
    alice, bob = shared
    db.sql(f'GRANT SELECT, INSERT ON src TO {bob}')
    db.sql(f'SET ROLE {bob}')
    denied(db, 'SELECT * FROM src', '28000')
    denied(db, 'INSERT INTO src VALUES (1)', '28000')
    # through a view it is its owner who reads
    db.sql('RESET ROLE')
    db.sql(f'SET ROLE {alice}')
    db.sql('CREATE VIEW seen AS SELECT * FROM src')
    db.sql(f'GRANT SELECT ON seen TO {bob}')
    db.sql(f'SET ROLE {bob}')
    assert db.sql('SELECT * FROM seen') == [(1,)]


def test_pipeline_needs_rights_on_source_and_target(db, shared):
    alice, bob = shared
    db.sql(f'SET ROLE {bob}')
    db.sql('CREATE TABLE mine (id int)')
    denied(db, "SELECT tracking.create_pipeline('p', 'src', target => 'mine')")
    db.sql(f'RESET ROLE; GRANT SELECT ON src TO {bob}; SET ROLE {bob}')
    denied(db, "SELECT tracking.create_pipeline('p', 'src', target => 'target')")


def test_only_the_owner_changes_a_pipeline(db, shared):
    alice, bob = shared
    db.sql(f'SET ROLE {alice}')
    db.sql("SELECT tracking.create_pipeline('p', 'src', target => 'target', enabled => false)")
    db.sql(f'SET ROLE {bob}')
    for call in ("SELECT tracking.start_pipeline('p')", "SELECT tracking.stop_pipeline('p')",
                 "SELECT tracking.drop_pipeline('p')", "CALL tracking.run_pipeline('p')",
                 "SELECT tracking.reset_pipeline('p', 'trim_horizon')"):
        denied(db, call)
    for change in ("UPDATE tracking.pipeline SET owner = 10", "DELETE FROM tracking.checkpoint",
                   "INSERT INTO tracking.dead_letter (pipeline) VALUES ('p')"):
        denied(db, change)


def test_who_sees_what(db, shared):
    alice, bob = shared
    db.sql(f'SET ROLE {alice}')
    db.sql("SELECT tracking.create_pipeline('p', 'src', target => 'target', enabled => false)")
    db.sql("CALL tracking.run_pipeline('p')")
    seen = """SELECT (SELECT count(*) FROM tracking.pipeline),
        (SELECT count(*) FROM tracking.checkpoint), (SELECT count(*) FROM tracking.pipeline_status)"""
    assert db.sql(seen) == [(1, 1, 1)]
    db.sql(f'SET ROLE {bob}')
    assert db.sql(seen) == [(0, 0, 0)]
    db.sql(f'RESET ROLE; GRANT tracking_fdw_admin TO {bob}; SET ROLE {bob}')
    assert db.sql(seen) == [(1, 1, 1)]
    denied(db, "SELECT tracking.drop_pipeline('p')")


def test_a_pipeline_runs_as_its_owner(db, shared):
    """Neither the superuser who calls nor the worker lends its rights."""
    alice, bob = shared
    db.sql('CREATE TABLE secret (who text)')
    db.sql(f'SET ROLE {alice}')
    db.sql('CREATE TABLE who (name text)')
    db.sql("SELECT tracking.create_pipeline('who', 'src', max_latency => '0.2 s', "
           "command => 'INSERT INTO who SELECT current_user FROM src')")
    db.sql("SELECT tracking.create_pipeline('grab', 'src', enabled => false, "
           "command => 'INSERT INTO secret SELECT current_user FROM src')")
    db.sql('RESET ROLE')
    db.wait_value(alice, 'SELECT min(name) FROM who')
    denied(db, "CALL tracking.run_pipeline('grab')")
    assert db.value('SELECT count(*) FROM secret') == 0


@pytest.mark.parametrize('escape', [
    'RESET ROLE', 'SET ROLE postgres', 'SET LOCAL ROLE NONE', 'RESET SESSION AUTHORIZATION',
    'SET SESSION AUTHORIZATION postgres', "SELECT set_config('role', 'postgres', false)"])
@pytest.mark.parametrize('runner', ['superuser', 'worker'])
def test_a_command_cannot_leave_its_owner(db, shared, wait_until, escape, runner):
    alice, bob = shared
    db.sql('CREATE TABLE secret (who text)')
    with db.connect(user=alice) as conn:
        conn.execute("SELECT tracking.create_pipeline('p', 'src', enabled => false, command => %s)",
                     (f'{escape}; INSERT INTO secret SELECT current_user FROM src',))
    if runner == 'superuser':
        denied(db, "CALL tracking.run_pipeline('p')")
    else:
        db.sql("SELECT tracking.start_pipeline('p')")
        wait_until(lambda: db.status('p')[0]['last_error'])
    assert db.value('SELECT count(*) FROM secret') == 0


def test_row_security_of_the_target(db, shared):
    alice, bob = shared
    db.sql('CREATE TABLE guarded (id int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY')
    db.sql(f'GRANT INSERT ON guarded TO {alice}')
    db.sql('CREATE POLICY odd ON guarded FOR INSERT WITH CHECK (id > 1)')
    db.sql(f'SET ROLE {alice}')
    db.sql("SELECT tracking.create_pipeline('p', 'src', target => 'guarded', enabled => false)")
    denied(db, "CALL tracking.run_pipeline('p')")
    db.sql('RESET ROLE')
    assert db.value('SELECT count(*) FROM guarded') == 0


def test_explain_and_views_show_no_secret(db, shared):
    alice, bob = shared
    db.sql(f'SET ROLE {bob}')
    assert db.sql('SELECT umoptions FROM pg_user_mappings') == [(None,)]


def test_a_replays_filter_has_the_callers_rights(db, shared):
    alice, bob = shared
    db.sql('CREATE TABLE secret (id int)')
    db.sql(f'SET ROLE {alice}')
    db.pipeline('p', 'src', target='target', enabled=False)
    denied(db, "SELECT tracking.replay_dead_letters('p', 'exists (select from public.secret)')")
    db.sql('RESET ROLE')
    db.sql(f'SET ROLE {bob}')
    denied(db, "SELECT tracking.replay_dead_letters('p')")
