"""What a worker was opened with is altered: then it begins anew, and for the
sake of nothing else."""
import pytest

from harness.records import ids

KEYS = "access_key_id 'test', secret_access_key 'test'"


@pytest.fixture
def alice(db, sql_server, kinesalite, proxy, make_stream, put):
    """Role alice owns pipeline p over server "aws", which has landed 10 records;
    bob may use the server, too."""
    names = [f'{name}_{db.dbname}' for name in ('alice', 'bob')]
    alice, bob = names
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(10))
    sql_server(db, proxy.url)
    for name in names:
        db.sql(f'CREATE ROLE {name} LOGIN; GRANT USAGE ON FOREIGN SERVER aws TO {name}; '
               f'GRANT tracking_fdw_pipeline TO {name}; '
               f'GRANT USAGE ON FOREIGN DATA WRAPPER tracking_fdw TO {name}')
        db.sql(f'CREATE USER MAPPING FOR {name} SERVER aws OPTIONS ({KEYS})')
    db.foreign_table('src', 'id int', stream)
    db.sql('CREATE TABLE target (id int)')
    db.sql(f'GRANT SELECT ON src TO {alice}; GRANT INSERT ON target TO {alice}; SET ROLE {alice}')
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.sql('RESET ROLE')
    db.wait_value(10, 'SELECT count(*) FROM target')
    yield alice, bob, stream
    db.sql('RESET ROLE')
    for name in names:
        db.sql(f'DROP OWNED BY {name} CASCADE; DROP ROLE {name}')


def test_another_role_alters_its_own(db, alice, kinesalite, put):
    """As often as it likes, on the server that the worker uses, too."""
    _, bob, stream = alice
    worker = db.worker('p')
    session = db.connect(user=bob)
    for i in range(5):
        session.execute(f"ALTER USER MAPPING FOR {bob} SERVER aws OPTIONS (SET access_key_id '{i}')")
        session.execute("CREATE SERVER mine FOREIGN DATA WRAPPER tracking_fdw "
                        f"OPTIONS (region 'eu-west-{i}')")
        session.execute(f'CREATE USER MAPPING FOR {bob} SERVER mine OPTIONS ({KEYS})')
        session.execute('DROP SERVER mine CASCADE')
        put(kinesalite.client(), stream, ids(1, 10 + i))
        db.wait_value(11 + i, 'SELECT count(*) FROM target')
        assert db.worker('p') == worker


@pytest.mark.parametrize('how', [
    "ALTER USER MAPPING FOR {alice} SERVER aws OPTIONS (SET access_key_id 'new')",
    "DROP USER MAPPING FOR {alice} SERVER aws; "
    "CREATE USER MAPPING FOR PUBLIC SERVER aws OPTIONS (access_key_id 'new', secret_access_key 'x')",
    "ALTER SERVER aws OPTIONS (SET region 'eu-west-1')",
    "ALTER FOREIGN TABLE src OPTIONS (ADD start 'latest')"])
def test_its_own_are_altered(db, alice, kinesalite, put, wait_until, how):
    worker = db.worker('p')
    db.sql(how.format(alice=alice[0]))
    wait_until(lambda: db.status('p')[0]['worker_pid'] not in (worker, None))


@pytest.mark.parametrize('how', ["ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse "
                                 "OPTIONS (SET password 'another')",
                                 "ALTER SERVER warehouse OPTIONS (SET port '1')"])
def test_those_of_the_store_are_altered(db, store, wait_until, how):
    """Though the source is a table, which needs no server."""
    store.table('landed', 'id int')
    store.server(db)
    db.sql('CREATE TABLE source (id int PRIMARY KEY); INSERT INTO source VALUES (1)')
    db.sql("CREATE FOREIGN TABLE wh (id int) SERVER warehouse OPTIONS (table_name 'landed', schema_name 'public')")
    db.pipeline('p', 'source', target='wh', max_latency='0.2 s')
    wait_until(lambda: store.sql('SELECT id FROM landed') == [(1,)])
    worker = db.worker('p')
    db.sql(how)
    wait_until(lambda: db.status('p')[0]['worker_pid'] != worker)
