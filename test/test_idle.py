"""A pipeline that has nothing to do takes up what happens meanwhile."""
import pytest


@pytest.fixture
def alice(db, new_role):
    """Tables landed and target; alice, who may read the one and fill the other."""
    name = new_role('alice')
    db.sql(f'CREATE TABLE landed (id int PRIMARY KEY); CREATE TABLE target (id int); '
           f'GRANT SELECT ON landed TO {name}; GRANT INSERT ON target TO {name}')
    return name


@pytest.fixture
def stream(db, alice, sql_server, make_stream, kinesalite):
    """A stream, and foreign table src, by which alice may read it."""
    name = make_stream(kinesalite)
    sql_server(db, kinesalite.url, user='PUBLIC')
    db.sql('GRANT USAGE ON FOREIGN SERVER aws TO PUBLIC')
    db.foreign_table('src', 'id int', name)
    db.sql(f'GRANT SELECT ON src TO {alice}')
    return name


def create(db, alice, source, **arguments):
    db.sql(f'SET ROLE {alice}')
    db.pipeline('p', source, target='target', max_latency='0.2 s', **arguments)
    db.sql('RESET ROLE')


def add(db, first, last):
    db.sql(f'INSERT INTO landed SELECT generate_series({first}, {last})')


def failed(db, wait_until, source, role):
    """p has failed, as it may not read its source; and may again."""
    db.sql(f'REVOKE SELECT ON {source} FROM {role}')
    db.sql('SELECT pg_terminate_backend(%s)', db.worker('p'))
    wait_until(lambda: db.status('p')[0]['failures'] >= 1)
    db.sql(f'GRANT SELECT ON {source} TO {role}')


def over(db, wait_until):
    wait_until(lambda: db.status('p')[0]['failures'] == 0)
    status = db.status('p')[0]
    assert status['state'] == 'running' and status['failing_since'] is None and status['retry_at'] is None


def test_a_failure_is_over_without_a_new_row(db, alice, wait_until):
    create(db, alice, 'landed')
    add(db, 1, 5)
    db.wait_value(5, 'SELECT count(*) FROM target')
    failed(db, wait_until, 'landed', alice)
    over(db, wait_until)


def test_a_failure_is_over_without_a_new_record(db, alice, stream, wait_until, kinesalite, put):
    create(db, alice, 'src')
    put(kinesalite.client(), stream, [{'id': 1}])
    db.wait_value(1, 'SELECT count(*) FROM target')
    failed(db, wait_until, 'src', alice)
    over(db, wait_until)


def test_it_is_not_over_while_a_batch_fails(db, alice, wait_until):
    create(db, alice, 'landed')
    db.sql(f'REVOKE INSERT ON target FROM {alice}')
    add(db, 1, 5)
    wait_until(lambda: db.status('p')[0]['failures'] >= 3)
    db.sql(f'GRANT INSERT ON target TO {alice}')
    db.wait_value(5, 'SELECT count(*) FROM target')


def test_what_was_done_is_told_to_the_statistics(db, alice, stream, kinesalite, put):
    # batches that follow each other at once, and then nothing: a transaction
    # tells no more than once a second what it did
    put(kinesalite.client(), stream, [{'id': i} for i in range(50)])
    create(db, alice, 'src', batch_rows=10)
    db.wait_value(50, "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'target'")


# Somebody changes tracking.checkpoint

def test_a_position_that_is_set_back_by_hand(db, alice):
    create(db, alice, 'landed')
    add(db, 1, 5)
    db.wait_value(5, 'SELECT count(*) FROM target')
    db.wait_value('5', 'SELECT position FROM tracking.checkpoint')
    db.sql("UPDATE tracking.checkpoint SET position = '3'")
    db.wait_value(7, 'SELECT count(*) FROM target')
    assert db.status('p')[0]['failures'] == 0


def test_one_of_a_stream(db, alice, stream, kinesalite, put):
    create(db, alice, 'src')
    put(kinesalite.client(), stream, [{'id': i} for i in range(3)])
    db.wait_value(3, 'SELECT count(*) FROM target')
    generation = 'SELECT generation FROM tracking.pipeline'
    before = db.value(generation)
    db.sql("UPDATE tracking.checkpoint SET position = 'TRIM_HORIZON'")
    db.wait_value(6, 'SELECT count(*) FROM target')
    # what the pipeline itself moves is not changed by hand
    assert db.value(generation) == before + 1


@pytest.mark.parametrize('change', ['DELETE FROM', 'TRUNCATE'])
def test_positions_that_are_removed_by_hand(db, alice, wait_until, change):
    create(db, alice, 'landed')
    add(db, 1, 5)
    db.wait_value(5, 'SELECT count(*) FROM target')
    db.sql(f'{change} tracking.checkpoint')
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert 'has lost its positions' in db.status('p')[0]['last_error']
