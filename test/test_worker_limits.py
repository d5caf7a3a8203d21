"""What pipelines may take of the server, by settings that only who administers
it sets; and that nobody takes what another needs for a first worker."""
import psycopg
import pytest

ROLES = ('alice', 'bob', 'carol')


class Limited:
    """A database in a server of its own, and roles that may create pipelines."""

    def __init__(self, db, wait_until):
        self.db, self.wait_until = db, wait_until
        for role in ROLES:
            if not db.value('SELECT count(*) FROM pg_roles WHERE rolname = %s', role):
                db.sql(f'CREATE ROLE {role} LOGIN; GRANT tracking_fdw_pipeline TO {role}')
        db.sql('CREATE TABLE landed (id int PRIMARY KEY); CREATE TABLE target (id int); '
               f'GRANT ALL ON landed, target TO {", ".join(ROLES)}')

    def pipeline(self, role, name, source='landed', **arguments):
        with self.db.connect(user=role) as conn:
            named = ''.join(f', {argument} => %s' for argument in arguments)
            conn.execute(f'SELECT tracking.create_pipeline(%s, %s, target => %s{named})',
                         (name, source, 'target', *arguments.values()))

    def working(self):
        """How many workers each pipeline of this database has."""
        return dict(self.db.sql(
            'SELECT p.name, count(r.pid)::int FROM tracking.pipeline p JOIN tracking.pipeline_runner r '
            'ON r.pipeline_id = p.id GROUP BY p.name'))

    def until(self, **working):
        self.wait_until(lambda: self.working() == working, 40,
                        lambda: f'{working}, but {self.working()}')

    def lacks(self, name, what):
        def says():
            status = self.db.status(name)[0]
            return status['state'] == 'retrying' and what in status['last_error']
        self.wait_until(says, what=f'{name} to say {what}')

    def set(self, **settings):
        with self.db.connect() as conn:
            for name, value in settings.items():
                conn.execute(f'ALTER SYSTEM SET tracking_fdw.{name} = {value}')
        self.db.cluster.reload()


@pytest.fixture
def limited(new_cluster, new_db, wait_until):
    def make(conf, cluster=None):
        return Limited(new_db(cluster or new_cluster(conf=conf)), wait_until)
    return make


@pytest.fixture
def shards(sql_server, make_stream, kinesalite):
    """Table src over a stream of four shards, for everybody."""
    def make(db):
        stream = make_stream(kinesalite, 4)
        sql_server(db, kinesalite.url, user='PUBLIC')
        db.sql('GRANT USAGE ON FOREIGN SERVER aws TO PUBLIC')
        db.foreign_table('src', 'id int', stream)
        db.sql('GRANT SELECT ON src TO PUBLIC')
        return stream
    return make


# When a pipeline is created or altered

@pytest.mark.parametrize('setting, allowed, too_much', [
    ('max_workers_per_pipeline', 'workers => 4', 'workers => 5'),
    ('max_workers_per_pipeline', 'workers => 4', 'workers => 64'),
    ('max_batch_bytes', 'batch_bytes => 67108864', 'batch_bytes => 67108865'),
    ('max_batch_bytes', 'batch_bytes => 67108864', 'batch_bytes => 1073741824')])
def test_more_than_a_role_may_ask_for(db, setting, allowed, too_much):
    role = f'alice_{db.dbname}'
    db.sql(f'CREATE ROLE {role}; GRANT tracking_fdw_pipeline TO {role}')
    db.sql("CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'eu-west-1')")
    db.foreign_table('src', 'id int', 's')
    db.sql(f'CREATE TABLE target (id int); GRANT ALL ON src, target TO {role}')
    create = "SELECT tracking.create_pipeline('{}', 'src', target => 'target', enabled => false, {})"
    try:
        db.sql(f'SET ROLE {role}')
        db.sql(create.format('p', allowed))
        for call in create.format('q', too_much), f"SELECT tracking.alter_pipeline('p', {too_much})":
            with pytest.raises(psycopg.Error) as raised:
                db.sql(call)
            assert raised.value.sqlstate == '53400'
            assert f'tracking_fdw.{setting}' in raised.value.diag.message_detail
        # it is not for the role to change, in whatever way
        for change in (f'SET tracking_fdw.{setting} = 1000000',
                       f'ALTER ROLE {role} SET tracking_fdw.{setting} = 1000000'):
            with pytest.raises(psycopg.Error):
                db.sql(change)
        db.sql('RESET ROLE')
        db.sql(create.format('of_superuser', too_much))
    finally:
        db.sql(f'RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}')


def test_a_setting_made_before_the_library_is_loaded(new_cluster, new_db):
    """Without the preload a session knows nothing of the settings at first."""
    db = new_db(new_cluster(preload=False))
    db.sql('CREATE ROLE alice LOGIN; GRANT tracking_fdw_pipeline TO alice; '
           'CREATE TABLE landed (id int PRIMARY KEY); GRANT ALL ON landed TO alice')
    with db.connect(user='alice') as conn:
        conn.execute("SET tracking_fdw.max_batch_bytes = '1GB'")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            conn.execute("SELECT tracking.create_pipeline('p', 'landed', batch_bytes => 1073741824, "
                         "command => 'SELECT 1 FROM landed WHERE id > $1 AND id <= $2')")


def test_the_number_of_a_roles_pipelines(limited):
    here = limited('tracking_fdw.max_pipelines_per_role = 2\n')
    for name in 'a', 'b':
        here.pipeline('alice', name, enabled=False)
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match='more than 2 pipelines'):
        here.pipeline('alice', 'c', enabled=False)
    here.pipeline('bob', 'c', enabled=False)
    # an old snapshot does not help
    here.db.sql("SELECT tracking.drop_pipeline('a')")
    with here.db.connect(user='alice', autocommit=False) as conn:
        conn.execute('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
        conn.execute('SELECT 1')
        here.pipeline('alice', 'd', enabled=False)
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            conn.execute("SELECT tracking.create_pipeline('e', 'landed', target => 'target', "
                         'enabled => false)')


# When workers are started

def test_the_default_leaves_room_for_others(limited):
    here = limited('max_worker_processes = 8\n')
    for i in range(6):
        here.pipeline('alice', f'p{i}')
    here.until(p0=1, p1=1, p2=1, p3=1)
    for name in 'p4', 'p5':
        here.lacks(name, 'The server may have 4 workers at once, by tracking_fdw.max_workers')


def test_one_role_does_not_take_all(limited):
    """Whoever has none gets one, until each has: roles before pipelines, and
    pipelines before a second worker."""
    here = limited('tracking_fdw.max_workers = 3\n')
    for i in range(5):
        here.pipeline('alice', f'a{i}')
    here.until(a0=1, a1=1, a2=1)
    here.pipeline('bob', 'b0')
    here.pipeline('bob', 'b1')
    here.until(a0=1, a1=1, b0=1)
    here.pipeline('carol', 'c')
    here.until(a0=1, b0=1, c=1)
    here.lacks('a1', 'tracking_fdw.max_workers')
    here.db.sql("SELECT tracking.drop_pipeline('a0')")
    here.until(a1=1, b0=1, c=1)


def test_nor_in_another_database(limited):
    """The supervisors of two databases have nothing to decide together with."""
    here = limited('tracking_fdw.max_workers = 3\n')
    for i in range(5):
        here.pipeline('alice', f'a{i}')
    here.until(a0=1, a1=1, a2=1)
    there = limited('', here.db.cluster)
    there.pipeline('bob', 'b0')
    there.until(b0=1)
    here.until(a0=1, a1=1)
    there.pipeline('bob', 'b1')
    there.lacks('b1', 'tracking_fdw.max_workers')
    there.pipeline('carol', 'c')
    there.until(b0=1, c=1)
    here.until(a0=1)
    there.db.sql("SELECT tracking.drop_pipeline('b0'), tracking.drop_pipeline('b1'), "
                 "tracking.drop_pipeline('c')")
    here.until(a0=1, a1=1, a2=1)


def test_a_second_worker_gives_way_to_a_first(limited, shards, kinesalite, put):
    """And the shards are spread among those that are left: none is left out."""
    here = limited('tracking_fdw.max_workers = 4\n')
    stream = shards(here.db)
    here.pipeline('alice', 'a', 'src', workers=4, max_latency='0.2 s')
    here.until(a=4)
    here.pipeline('alice', 'b')
    here.pipeline('bob', 'c')
    here.until(a=2, b=1, c=1)
    put(kinesalite.client(), stream, [{'id': i} for i in range(100)])
    here.db.wait_value(100, 'SELECT count(*) FROM target')
    assert here.db.sql("SELECT worker, count(*)::int FROM tracking.checkpoint WHERE pipeline = 'a' "
                       'GROUP BY 1 ORDER BY 1') == [(0, 2), (1, 2)]
    there = limited('', here.db.cluster)
    there.pipeline('alice', 'there')
    there.until(there=1)
    here.until(a=1, b=1, c=1)


def test_workers_of_a_role(limited, shards):
    here = limited('tracking_fdw.max_workers_per_role = 2\n')
    shards(here.db)
    for name in 'abc':
        here.pipeline('alice', name)
    here.until(a=1, b=1)
    here.lacks('c', 'by tracking_fdw.max_workers_per_role')
    here.pipeline('bob', 'd', 'src', workers=2)
    there = limited('', here.db.cluster)
    there.pipeline('alice', 'there')
    there.lacks('there', 'by tracking_fdw.max_workers_per_role')
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
        here.pipeline('bob', 'e', 'src', workers=3)
    here.pipeline('postgres', 's', 'src', workers=4)
    here.until(a=1, b=1, d=2, s=4)


def test_a_setting_is_lowered_and_raised(limited, shards):
    here = limited('')
    shards(here.db)
    here.pipeline('alice', 'a', 'src', workers=4)
    here.pipeline('alice', 'b', 'src', workers=2)
    here.until(a=4, b=2)
    here.set(max_workers_per_pipeline=3)
    here.until(a=3, b=2)
    here.set(max_workers_per_role=3)
    here.until(a=2, b=1)
    here.set(max_workers=2)
    here.until(a=1, b=1)
    here.set(max_workers=0)
    here.until()
    here.set(max_workers=10, max_workers_per_role=10, max_workers_per_pipeline=10)
    here.until(a=4, b=2)


def test_no_slot_of_the_server(limited, shards):
    """Others have taken them; what there is goes to who has none."""
    here = limited('max_worker_processes = 6\ntracking_fdw.max_workers = 100\n')
    shards(here.db)     # two launchers, one of them the server's, and a supervisor: three are left
    here.pipeline('alice', 'a', 'src', workers=4)
    here.until(a=3)
    here.pipeline('alice', 'b')
    here.until(a=2, b=1)
    here.pipeline('bob', 'c')
    here.until(a=1, b=1, c=1)
    here.pipeline('bob', 'd')
    here.lacks('d', 'no background worker slot is free')


def test_batch_bytes_of_one_that_is_there(limited):
    here = limited('')
    here.pipeline('alice', 'a', batch_bytes=1 << 20)
    worker = here.db.worker('a')
    here.set(max_batch_bytes="'64kB'")
    here.wait_until(lambda: here.db.status('a')[0]['worker_pid'] not in (worker, None))
    here.db.sql("INSERT INTO landed SELECT generate_series(1, 20000)")
    here.db.wait_value(20000, 'SELECT count(*) FROM target')
    assert here.db.value('SELECT max(bytes) < 128 * 1024 FROM tracking.batch')
