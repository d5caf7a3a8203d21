"""What a member of tracking_fdw_admin may: see all pipelines, and choose hosts
and files. Nothing else comes with it."""
import psycopg
import pytest

TABLES = ('pipeline', 'checkpoint', 'dead_letter', 'batch', 'gap', 'load')
VIEWS = ('pipeline_status', 'events_per_minute', 'pipeline_runner')


@pytest.fixture
def admin(db, sql_server, kinesalite, make_stream, put):
    """A session of a member. Somebody else's pipeline p has a dead letter."""
    owner, member = (f'{name}_{db.dbname}' for name in ('owner', 'member'))
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [{'id': 1}, 'no JSON'])
    db.sql(f'CREATE ROLE {owner} LOGIN; CREATE ROLE {member} LOGIN; '
           f'GRANT tracking_fdw_pipeline TO {owner}; GRANT tracking_fdw_admin TO {member}')
    sql_server(db, kinesalite.url, user=owner, secret_key='thesecret')
    db.foreign_table('src', 'id int', stream)
    db.sql(f'CREATE TABLE target (id int); GRANT USAGE ON FOREIGN SERVER aws TO {owner}; '
           f'GRANT SELECT ON src TO {owner}; GRANT INSERT ON target TO {owner}; SET ROLE {owner}')
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql('RESET ROLE')
    with db.connect(user=member) as session:
        yield session
    for role in owner, member:
        db.sql(f'DROP OWNED BY {role} CASCADE; DROP ROLE {role}')


def denied(session, query, sqlstate='42501'):
    with pytest.raises(psycopg.Error) as raised:
        session.execute(query)
    assert raised.value.sqlstate == sqlstate, raised.value


def test_it_sees_all_pipelines(admin):
    for relation in 'pipeline', 'checkpoint', 'dead_letter', 'batch', 'pipeline_status':
        assert admin.execute(f'SELECT count(*) FROM tracking.{relation}').fetchone() == (1,), relation
    assert admin.execute('SELECT data FROM tracking.dead_letter').fetchone() == (b'no JSON',)


def test_it_chooses_hosts_and_files_of_its_own_servers_alone(db, admin):
    db.sql(f'GRANT USAGE ON FOREIGN DATA WRAPPER tracking_fdw, tracking_redshift TO {admin.info.user}')
    admin.execute("CREATE SERVER mine FOREIGN DATA WRAPPER tracking_fdw OPTIONS "
                  "(region 'us-east-1', endpoint 'http://127.0.0.1:1', ca_bundle '/x')")
    admin.execute("CREATE SERVER store FOREIGN DATA WRAPPER tracking_redshift OPTIONS "
                  "(host '127.0.0.1', port '1', dbname 'd', sslrootcert '/x')")
    denied(admin, "ALTER SERVER aws OPTIONS (SET endpoint 'http://127.0.0.1:1')")
    # what only a superuser may set
    denied(admin, "CREATE USER MAPPING FOR CURRENT_USER SERVER store OPTIONS "
                  "(user 'u', password_required 'false')")


def test_it_does_nothing_to_what_is_anothers(admin):
    for call in (
            "SELECT tracking.alter_pipeline('p', command => 'SELECT 1')",
            "SELECT tracking.start_pipeline('p')", "SELECT tracking.stop_pipeline('p')",
            "SELECT tracking.drop_pipeline('p')", "SELECT tracking.reset_pipeline('p', 'trim_horizon')",
            "SELECT tracking.replay_dead_letters('p')", "CALL tracking.run_pipeline('p')",
            "SELECT tracking.create_pipeline('q', 'src', target => 'target')",
            'SELECT * FROM src', 'INSERT INTO src VALUES (1)', 'SELECT * FROM target',
            'INSERT INTO target VALUES (1)', 'SELECT * FROM pg_user_mapping',
            'CREATE USER MAPPING FOR CURRENT_USER SERVER aws '
            "OPTIONS (access_key_id 'x', secret_access_key 'x')",
            'ALTER SYSTEM SET tracking_fdw.max_workers = 100', 'SET ROLE postgres',
            'CREATE ROLE another', "SELECT pg_read_file('/etc/passwd')"):
        denied(admin, call)


def test_it_changes_nothing_of_what_it_sees(admin):
    for change in ('DELETE FROM {}', 'TRUNCATE {}', 'LOCK TABLE {} IN ACCESS EXCLUSIVE MODE',
                   'SELECT * FROM {} FOR UPDATE'):
        for relation in TABLES + VIEWS:
            with pytest.raises(psycopg.Error) as raised:
                admin.execute(f"BEGIN; {change.format(f'tracking.{relation}')}")
            # a view is nothing to be truncated, nor one of several tables to be changed
            assert raised.value.sqlstate == '42501' or (
                relation in VIEWS and raised.value.sqlstate in ('42809', '55000', '0A000')), change
            admin.execute('ROLLBACK')


def test_it_reads_no_secret(db, admin):
    options = admin.execute('SELECT umoptions FROM pg_user_mappings').fetchall()
    assert options == [(None,)]
    seen = ''.join(str(admin.execute(f'SELECT * FROM tracking.{relation}').fetchall())
                   for relation in TABLES + VIEWS)
    assert 'thesecret' not in seen


def test_it_is_in_no_other_role(db):
    assert db.sql("SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
                  "WHERE r.rolname IN ('tracking_fdw_admin', 'tracking_fdw_pipeline')") == [(0,)]
    assert db.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'tracking_fdw%' AND (rolsuper OR "
                  'rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication OR rolbypassrls)') == []
