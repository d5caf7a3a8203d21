"""A database of a stand-in, as a test uses it."""


class Warehouse:
    """A database of a stand-in, a user, and a connection."""

    def __init__(self, redshift, user='loader', password='Secret.of.loader-1'):
        self.redshift, self.user, self.password = redshift, user, password
        redshift.create_user(user, password)
        self.dbname = redshift.create_database()
        self.conn = self.connect()
        redshift.clear()

    def connect(self, **kw):
        return self.redshift.connect(self.dbname, kw.pop('user', self.user), **kw)

    def sql(self, query, *args):
        """Rows of a query; None for a statement without a result."""
        cursor = self.conn.execute(query, args or None)
        return cursor.fetchall() if cursor.description else None

    def value(self, query, *args):
        """The one value of a query's one row; None without a row."""
        rows = self.sql(query, *args)
        return rows[0][0] if rows else None

    def drop(self):
        self.redshift.clear()
        self.conn.close()
        self.redshift.drop_database(self.dbname)
