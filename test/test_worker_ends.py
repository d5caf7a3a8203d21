"""Workers that end, or would end, before they are of any use: the status says
why, and none is started over and over."""
import pytest


@pytest.fixture
def alice(new_cluster, new_db):
    """Role alice owns pipeline p, which runs, in a cluster of its own."""
    db = new_db(new_cluster())
    db.sql('CREATE ROLE alice LOGIN; GRANT tracking_fdw_pipeline TO alice; CREATE TABLE landed (id int PRIMARY KEY); '
           'CREATE TABLE target (id int); GRANT ALL ON landed, target TO alice')
    db.sql('SET ROLE alice')
    db.pipeline('p', 'landed', target='target', max_latency='0.2 s')
    db.sql('RESET ROLE')
    db.worker('p')
    return db


def test_without_connect(alice, wait_until):
    db = alice
    db.sql(f'REVOKE CONNECT ON DATABASE {db.dbname} FROM PUBLIC')
    db.sql('SELECT pg_terminate_backend(%s)', db.worker('p'))
    logged = len(db.cluster.log())
    wait_until(lambda: db.status('p')[0]['failures'] >= 3)
    status = db.status('p')[0]
    assert (status['state'], status['last_error_sqlstate']) == ('retrying', '42501')
    assert f'GRANT CONNECT ON DATABASE {db.dbname} TO alice;' in status['last_error']
    assert db.value("SELECT retry_at - last_error_at > interval '2 s' FROM tracking.pipeline")
    assert 'FATAL' not in db.cluster.log()[logged:].replace('administrator command', '').replace(
        'FATAL:  terminating background worker', '')
    db.sql(f'GRANT CONNECT ON DATABASE {db.dbname} TO alice; INSERT INTO landed VALUES (1)')
    db.wait_value(1, 'SELECT count(*) FROM target')
