"""What pg_monitor sees of the pipelines of others: how each is getting on, and
nothing that a record or somebody's SQL says."""
import psycopg
import pytest

SEEN = ('pipeline_status', 'visible_pipeline', 'checkpoint', 'batch', 'gap', 'load', 'events_per_minute')
UNSEEN = ('pipeline', 'dead_letter')
SECRET = 'a value of a record'


@pytest.fixture
def monitor(db, new_role):
    """A session of a member. Alice's pipeline p has read a table, and kept a dead letter; it failed then."""
    alice = new_role('alice')
    name = f'monitor_{db.dbname}'
    db.sql(f'CREATE ROLE {name} LOGIN; GRANT pg_monitor TO {name}; SET ROLE {alice}')
    db.sql('CREATE TABLE landed (id int PRIMARY KEY, said text); CREATE TABLE target (id int, said text, '
           "CHECK (id <> 2)); "
           f"INSERT INTO landed SELECT i, '{SECRET}' FROM generate_series(1, 3) i")
    db.pipeline('p', 'landed', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql('RESET ROLE')
    db.sql("UPDATE tracking.pipeline SET failures = 1, last_error = %s, last_error_sqlstate = '23505'", SECRET)
    db.sql("INSERT INTO tracking.gap (pipeline, shard_id, from_position, to_time) VALUES ('p', 's', '1', now())")
    db.sql("INSERT INTO tracking.load (pipeline, store, state, records, shard_ids, first_positions, "
           "last_positions) VALUES ('p', 's', 'done', 1, '{}', '{}', '{}')")
    with db.connect(user=name) as session:
        yield session
    db.sql(f'DROP OWNED BY {name}; DROP ROLE {name}')


def count(session, relation):
    return session.execute(f'SELECT count(*) FROM tracking.{relation}').fetchone()[0]


def test_it_sees_how_it_is_getting_on(db, monitor):
    for relation in SEEN:
        assert count(monitor, relation) == 1, relation
    assert monitor.execute('SELECT pipeline, state, records, dead_letters, failures, last_error_sqlstate, last_error '
                           'FROM tracking.pipeline_status').fetchone() == ('p', 'failed', 3, 1, 1, '23505', None)
    # what its owner sees of it
    assert db.status('p')[0]['last_error'] == SECRET


def test_it_sees_no_payload_and_no_sql(monitor):
    for relation in UNSEEN:
        assert count(monitor, relation) == 0, relation
    said = ''.join(str(monitor.execute(f'SELECT * FROM tracking.{relation}').fetchall()) for relation in SEEN)
    assert SECRET not in said and 'INSERT' not in said
    # nor by a function that a query lets look at the rows early
    monitor.execute('CREATE FUNCTION pg_temp.look(text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS '
                    "$$ BEGIN IF $1 IS NOT NULL THEN RAISE 'saw %', $1; END IF; RETURN true; END $$")
    for view in 'visible_pipeline', 'pipeline_status':
        assert monitor.execute(f'SELECT count(*) FROM tracking.{view} WHERE pg_temp.look(last_error)').fetchone() == (1,)


def test_it_changes_nothing(monitor):
    for relation in SEEN + UNSEEN:
        for change in 'DELETE FROM', 'TRUNCATE':
            with pytest.raises(psycopg.Error):
                monitor.execute(f'{change} tracking.{relation}')
    for call in "stop_pipeline('p')", "drop_pipeline('p')", "replay_dead_letters('p')":
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            monitor.execute(f'SELECT tracking.{call}')


def test_others_see_nothing_through_the_view(db, monitor, new_role):
    with db.connect(user=new_role('bob')) as bob:
        for relation in SEEN:
            assert count(bob, relation) == 0, relation
        bob.execute("CREATE FUNCTION pg_temp.look(text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS "
                    "$$ BEGIN RAISE 'saw %', $1; END $$")
        assert bob.execute('SELECT count(*) FROM tracking.visible_pipeline '
                           'WHERE pg_temp.look(name)').fetchone() == (0,)
