"""A PostgreSQL cluster that is a store: other people's, reached over TCP with
a password."""
import uuid

from .cluster import Cluster

PASSWORD = 'pass-word-of-the-loader'

HBA = """
local all all trust
host all trusted 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


def open_cluster():
    """The cluster, with roles loader (who has a password) and trusted."""
    cluster = Cluster(preload=False, conf='max_prepared_transactions = 4\n')
    (cluster.data / 'pg_hba.conf').write_text(HBA)
    cluster.reload()
    with cluster.connect() as conn:
        conn.execute(f"CREATE ROLE loader LOGIN PASSWORD '{PASSWORD}'")
        conn.execute('CREATE ROLE trusted LOGIN')
    return cluster


class Store:
    """A database of its own in such a cluster, and a connection to it."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.dbname = f'store_{uuid.uuid4().hex[:12]}'
        cluster.maintain(f'CREATE DATABASE {self.dbname} OWNER loader')
        self.conn = cluster.connect(dbname=self.dbname)
        self.conn.execute('GRANT ALL ON SCHEMA public TO PUBLIC')

    def sql(self, query, *args):
        cursor = self.conn.execute(query, args or None)
        return cursor.fetchall() if cursor.description else None

    def value(self, query, *args):
        rows = self.sql(query, *args)
        return rows[0][0] if rows else None

    def table(self, name, columns):
        """A table that the loader owns."""
        self.sql(f'CREATE TABLE {name} ({columns}); ALTER TABLE {name} OWNER TO loader')

    def server(self, db, name='warehouse', **options):
        """A server for this store in db, with the loader's mapping for the current user."""
        options = {'host': '127.0.0.1', 'port': self.cluster.port, 'dbname': self.dbname,
                   'sslmode': 'disable', **options}
        listed = ', '.join(f"{option} '{value}'" for option, value in options.items())
        db.sql(f'CREATE SERVER {name} FOREIGN DATA WRAPPER tracking_redshift OPTIONS ({listed})')
        self.mapping(db, name)

    def mapping(self, db, server='warehouse', role='CURRENT_USER', user='loader',
                password=PASSWORD):
        secret = f", password '{password}'" if password else ''
        db.sql(f"CREATE USER MAPPING FOR {role} SERVER {server} OPTIONS (user '{user}'{secret})")

    def loaders(self):
        """Process ids of the connections that the extension has here."""
        return [pid for pid, in self.sql(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'tracking_fdw' "
            'AND datname = current_database()')]

    def drop(self):
        self.conn.close()
        self.cluster.maintain(f'DROP DATABASE {self.dbname} WITH (FORCE)')
