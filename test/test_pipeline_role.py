"""Who may create and run pipelines: superusers, and roles with the privileges
of tracking_fdw_pipeline."""
import psycopg
import pytest


@pytest.fixture
def alice(db):
    """A role with all it needs to copy table landed, but the role for it."""
    name = f'alice_{db.dbname}'
    db.sql(f'CREATE ROLE {name} LOGIN; CREATE TABLE landed (id int PRIMARY KEY); '
           f'CREATE TABLE target (id int); GRANT ALL ON landed, target TO {name}')
    db.sql('INSERT INTO landed SELECT generate_series(1, 10)')
    yield name
    db.sql(f'RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}')


def refused(db, call, sqlstate='42501'):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(call)
    assert raised.value.sqlstate == sqlstate, raised.value
    return raised.value.diag


def created_by(db, role, **arguments):
    db.sql(f'SET ROLE {role}')
    try:
        db.pipeline('p', 'landed', target='target', max_latency='0.2 s', **arguments)
    finally:
        db.sql('RESET ROLE')


def owned_by(db, role, **arguments):
    """Pipeline p of a role that has the right."""
    db.sql(f'GRANT tracking_fdw_pipeline TO {role}')
    created_by(db, role, **arguments)


def test_only_they_create_one(db, alice):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        created_by(db, alice)
    db.sql(f'GRANT tracking_fdw_admin TO {alice}')
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        created_by(db, alice)
    owned_by(db, alice)
    db.wait_value(10, 'SELECT count(*) FROM target')


def test_a_right_to_execute_is_not_enough(db, alice):
    db.sql(f'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tracking TO {alice}')
    db.sql(f'SET ROLE {alice}')
    diag = refused(db, "SELECT tracking.create_pipeline('p', 'landed', target => 'target')")
    assert diag.message_hint == f'GRANT tracking_fdw_pipeline TO {alice};'


def test_a_role_that_is_a_member_without_the_privileges(db, alice):
    db.sql(f'ALTER ROLE {alice} NOINHERIT')
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owned_by(db, alice)


def test_none_is_started_for_whom_it_was_revoked(db, alice):
    owned_by(db, alice, enabled=False)
    db.sql(f'REVOKE tracking_fdw_pipeline FROM {alice}')
    # whoever calls, it runs as its owner
    for call in "SELECT tracking.start_pipeline('p')", "CALL tracking.run_pipeline('p')":
        assert refused(db, call).message_hint == f'GRANT tracking_fdw_pipeline TO {alice};'
    assert db.status('p')[0]['state'] == 'stopped'
    db.sql(f'GRANT tracking_fdw_pipeline TO {alice}')
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT count(*) FROM target') == 10


@pytest.mark.parametrize('busy', [False, True], ids=['idle', 'busy'])
def test_a_revoke_ends_the_worker(db, alice, wait_until, busy):
    """Within a batch or ten seconds; with the right, it goes on by itself."""
    owned_by(db, alice)
    db.wait_value(10, 'SELECT count(*) FROM target')
    worker = db.worker('p')
    db.sql(f'REVOKE tracking_fdw_pipeline FROM {alice}')
    if busy:
        db.sql('INSERT INTO landed VALUES (11)')
    wait_until(lambda: db.status('p')[0]['state'] == 'retrying', 15)
    status = db.status('p')[0]
    assert status['last_error_sqlstate'] == '42501' and status['retry_at']
    assert f'GRANT tracking_fdw_pipeline TO {alice};' in status['last_error']
    assert db.value('SELECT count(*) FROM pg_stat_activity WHERE pid = %s', worker) == 0
    assert db.value('SELECT count(*) FROM target') == 10
    db.sql(f'GRANT tracking_fdw_pipeline TO {alice}')
    db.sql('INSERT INTO landed VALUES (12)')
    db.wait_value(11 + busy, 'SELECT count(*) FROM target')


def test_a_row_from_elsewhere_starts_nothing(db, alice, wait_until):
    """As a restore or an older version may have it: enabled, and not allowed."""
    owned_by(db, alice, enabled=False)
    db.sql(f'REVOKE tracking_fdw_pipeline FROM {alice}')
    db.sql("UPDATE tracking.pipeline SET enabled = true, generation = generation + 1")
    db.sql("SELECT tracking.create_pipeline('mine', 'landed', target => 'target', start_at => 'latest')")
    wait_until(lambda: 'GRANT tracking_fdw_pipeline' in (db.status('p')[0]['last_error'] or ''))
    db.worker('mine')
    assert db.value('SELECT count(*) FROM target') == 0
