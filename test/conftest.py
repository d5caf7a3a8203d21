"""Fixtures: what a test asks for by name.  The machinery is in harness/."""
import collections
import pathlib
import uuid

import psycopg
import pytest

from harness import records
from harness.bucket import Bucket
from harness.cluster import Cluster
from harness.postgres_proxy import PostgresProxy
from harness.proxy import Proxy
from harness.redshift import Redshift, Warehouse
from harness.servers import (ACCESS_KEY, SECRET_KEY, REGION, BigRecords, Certificate, Clock,
                             GivenRecords, Kinesalite, KinesisLocal, ManyShards, Moto)
from harness.store import Store, open_cluster
from harness.wait import wait_until as poll_until

TEST = pathlib.Path(__file__).parent


# What has a database of its own takes longer than what has not.
LONG = {'db', 'new_db', 'store', 'warehouse'}


def pytest_collection_modifyitems(items):
    """The longest files first: where several processes share them, none is left
    alone with a long one at the end."""
    long = collections.Counter(item.path for item in items if LONG & set(item.fixturenames))
    items.sort(key=lambda item: -long[item.path])


# helpers

@pytest.fixture(scope='session')
def wait_until():
    return poll_until


@pytest.fixture(scope='session')
def put():
    return records.put


# PostgreSQL

# of the shared cluster: a copy of it is made faster than the extension in it
WITH_EXTENSION = 'with_extension'


@pytest.fixture(scope='session')
def cluster():
    """The cluster that tests share; one that restarts or crashes its server
    makes its own with new_cluster."""
    with Cluster() as shared:
        try:
            shared.maintain(f'CREATE DATABASE {WITH_EXTENSION} IS_TEMPLATE true')
            with shared.connect(dbname=WITH_EXTENSION) as conn:
                conn.execute('CREATE EXTENSION tracking_fdw')
            shared.maintain(f'ALTER DATABASE {WITH_EXTENSION} ALLOW_CONNECTIONS false')
        except psycopg.Error as error:
            pytest.exit(f'the extension does not load: {error}', returncode=1)
        shared.template = WITH_EXTENSION
        yield shared


@pytest.fixture
def new_cluster():
    made = []

    def make(**kw):
        made.append(Cluster(**kw))
        return made[-1]
    yield make
    for each in made:
        each.destroy()


class Database:
    """A database with the extension, and a connection to it."""

    def __init__(self, cluster, extension='tracking_fdw', encoding=None):
        self.cluster = cluster
        self.dbname = f'test_{uuid.uuid4().hex[:12]}'
        template = cluster.template if extension == 'tracking_fdw' and not encoding else None
        other = (f" ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0" if encoding else
                 f' TEMPLATE {template}' if template else '')
        cluster.maintain(f'CREATE DATABASE {self.dbname}{other}')
        self.conn = self.connect()
        if not template:
            self.conn.execute(f'CREATE EXTENSION {extension}')

    def connect(self, **kw):
        kw.setdefault('client_encoding', 'utf8')
        return self.cluster.connect(dbname=self.dbname, **kw)

    def sql(self, query, *args):
        """Rows of a query; None for a statement without a result."""
        cursor = self.conn.execute(query, args or None)
        return cursor.fetchall() if cursor.description else None

    def value(self, query, *args):
        """The one value of a query's one row; None without a row."""
        rows = self.sql(query, *args)
        return rows[0][0] if rows else None

    def foreign_table(self, name, columns, stream, **options):
        """A foreign table of server "aws"."""
        options = {'stream': stream, **options}
        listed = ', '.join(f"{option} '{value}'" for option, value in options.items())
        self.conn.execute(
            f'CREATE FOREIGN TABLE {name} ({columns}) SERVER aws OPTIONS ({listed})')

    def pipeline(self, name, source, **arguments):
        """Create a pipeline; arguments are those of create_pipeline()."""
        named = ''.join(f', {argument} => %s' for argument in arguments)
        self.sql(f'SELECT tracking.create_pipeline(%s, %s{named})',
                 name, source, *arguments.values())

    def status(self, pipeline):
        """Rows of pipeline_status, as dictionaries."""
        cursor = self.conn.execute(
            'SELECT * FROM tracking.pipeline_status WHERE pipeline = %s ORDER BY shard_id',
            (pipeline,))
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor]

    def worker(self, pipeline):
        """Process id of a pipeline's worker, waited for."""
        return poll_until(lambda: (self.status(pipeline) or [{}])[0].get('worker_pid'),
                          what=f'worker of {pipeline}')

    def wait_value(self, expected, query, timeout=30):
        poll_until(lambda: self.value(query) == expected, timeout,
                   lambda: f'{query} to be {expected!r}, is {self.value(query)!r}')

    def drop(self):
        self.conn.close()
        poll_until(self._dropped, what=f'end of {self.dbname}')

    def _dropped(self):
        try:
            self.cluster.maintain(f'DROP DATABASE {self.dbname} WITH (FORCE)')
        except psycopg.errors.ObjectInUse:      # by a worker that is just beginning
            return False
        return True


@pytest.fixture
def new_db(new_cluster):
    """Databases in clusters other than the shared one."""
    return Database


@pytest.fixture
def db(cluster):
    database = Database(cluster)
    yield database
    database.drop()


@pytest.fixture
def new_role(db):
    """new_role('alice'): a role of the test's own, which may log in and make
    schemas and tables; its name."""
    made = []

    def make(name):
        made.append(f'{name}_{db.dbname}')
        db.sql(f'CREATE ROLE {made[-1]} LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO {made[-1]}; '
               f'GRANT CREATE ON DATABASE {db.dbname} TO {made[-1]}; '
               f'GRANT tracking_fdw_pipeline TO {made[-1]}')
        return made[-1]
    yield make
    db.sql('RESET SESSION AUTHORIZATION; RESET ROLE')
    for name in made:
        db.sql(f'DROP OWNED BY {name} CASCADE; DROP ROLE {name}')


@pytest.fixture(scope='session')
def unit(cluster):
    """A connection to a database with the extension that shows C functions of
    the lower layers to SQL."""
    if not (TEST / 'unit').is_dir():
        pytest.skip('no test/unit')
    database = Database(cluster, 'tracking_unit')
    yield database.conn
    database.drop()


# Stores

@pytest.fixture(scope='session')
def store_cluster():
    with open_cluster() as cluster:
        yield cluster


@pytest.fixture
def store(store_cluster):
    """A database of another cluster, to load into."""
    database = Store(store_cluster)
    yield database
    database.drop()


@pytest.fixture
def store_proxy(store_cluster):
    """A proxy in front of the stores' cluster.  Clients come as its ROLE."""
    proxy = PostgresProxy(store_cluster.port)
    yield proxy
    proxy.close()


# Kinesis servers

@pytest.fixture(scope='session')
def certificate():
    return Certificate()


def _serve(server):
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope='session')
def kinesalite(certificate):
    yield from _serve(Kinesalite(certificate))


@pytest.fixture(scope='session')
def kinesis_local(certificate):
    yield from _serve(KinesisLocal(certificate))


@pytest.fixture(scope='session')
def moto():
    if not Moto.available():
        pytest.skip('moto is only set up for root')
    yield from _serve(Moto())


@pytest.fixture(scope='session')
def lenient_moto():
    """moto that verifies no signature."""
    if not Moto.available():
        pytest.skip('moto is only set up for root')
    yield from _serve(Moto(verify=False))


@pytest.fixture(params=['kinesalite', 'kinesis_local'])
def kinesis(request):
    """Each of the two npm servers in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope='session')
def clocked_servers(certificate):
    made = {}
    yield made
    for server, _ in made.values():
        server.stop()


@pytest.fixture
def clocked(clocked_servers, certificate):
    """clocked(kind): a server whose clock the test may set, and that clock."""
    used = []

    def make(kind):
        if kind not in clocked_servers:
            clock = Clock()
            clocked_servers[kind] = kind(certificate, clock), clock
        used.append(clocked_servers[kind])
        return used[-1]
    yield make
    for _, clock in used:
        clock.ahead()


@pytest.fixture
def many_shards():
    made = []

    def make(count):
        made.append(ManyShards(count))
        return made[-1]
    yield make
    for each in made:
        each.stop()


@pytest.fixture
def big_records():
    made = []

    def make(shards, records, size):
        made.append(BigRecords(shards, records, size))
        return made[-1]
    yield make
    for each in made:
        each.stop()


@pytest.fixture
def given_records():
    made = []

    def make(*args):
        made.append(GivenRecords(*args))
        return made[-1]
    yield make
    for each in made:
        each.stop()


@pytest.fixture
def make_stream(request):
    def make(server=None, shards=1):
        return records.make_stream(server or request.getfixturevalue('kinesalite'), shards)
    return make


@pytest.fixture
def new_proxy():
    made = []

    def make(backend):
        made.append(Proxy(backend.url))
        return made[-1]
    yield make
    for each in made:
        each.close()


@pytest.fixture
def proxy(new_proxy, kinesalite):
    """A proxy in front of kinesalite."""
    return new_proxy(kinesalite)


@pytest.fixture(scope='session')
def sql_server():
    """sql_server(db, url): server "aws" at url, and the user's mapping."""
    def make(db, url, access_key=ACCESS_KEY, secret_key=SECRET_KEY, user='CURRENT_USER',
             **options):
        options = {'region': REGION, 'endpoint': url, **options}
        listed = ', '.join(f"{name} '{value}'" for name, value in options.items())
        db.conn.execute(f'CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw OPTIONS ({listed})')
        db.conn.execute(f"CREATE USER MAPPING FOR {user} SERVER aws OPTIONS "
                        f"(access_key_id '{access_key}', secret_access_key '{secret_key}')")
    return make


@pytest.fixture
def source(db, sql_server, make_stream, kinesalite):
    """Foreign table src over a new stream of a server, and a table target;
    returns the stream."""
    def make(server=kinesalite, url=None, shards=1, **options):
        stream = make_stream(server, shards)
        sql_server(db, url or server.url, **options)
        db.foreign_table('src', "id int, name text, "
                         "arrived timestamptz OPTIONS (metadata 'approximate_arrival_timestamp')",
                         stream)
        db.sql('CREATE TABLE target (name text, id int, landed timestamptz DEFAULT now(), '
               'arrived timestamptz)')
        return stream
    return make


@pytest.fixture
def stream_of(db, sql_server, make_stream, put, kinesalite):
    """stream_of(records): a stream of one shard with these records, in their
    order, and server "aws"."""
    def make(records, server=kinesalite, url=None):
        stream = make_stream(server)
        put(server.client(), stream, records)
        sql_server(db, url or server.url)
        return stream
    return make


@pytest.fixture
def table(db, stream_of):
    """table(records): table t over them."""
    def make(records, columns="id int, name text", **options):
        db.foreign_table('t', columns, stream_of(records), **options)
    return make


# Redshift

@pytest.fixture(scope='session')
def new_redshift(moto):
    """new_redshift(...): a stand-in for Redshift in front of a cluster, which
    those of a session share; its S3 is moto's.  Arguments are those of Redshift."""
    made = []
    with Cluster(preload=False) as behind:
        def make(**kw):
            made.append(Redshift(behind, moto, **kw))
            return made[-1]
        yield make
        for each in made:
            each.stop()


@pytest.fixture(scope='session')
def redshift(new_redshift):
    """The stand-in that tests share; its faults and its log are a test's own
    by way of warehouse."""
    return new_redshift()


@pytest.fixture
def new_warehouse():
    """new_warehouse(redshift): a database of one of the test's own."""
    made = []

    def make(redshift, **kw):
        made.append(Warehouse(redshift, **kw))
        return made[-1]
    yield make
    for each in made:
        each.drop()


@pytest.fixture
def warehouse(redshift, new_warehouse):
    return new_warehouse(redshift)


@pytest.fixture
def bucket(moto):
    return Bucket(moto)
