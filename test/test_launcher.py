"""The launcher waits for no database: each has what it needs, whatever
becomes of another."""


def supervisors(db):
    """Those in the database."""
    return db.value("SELECT count(*) FROM pg_stat_activity "
                    "WHERE backend_type = 'tracking_fdw supervisor' AND datname = %s", db.dbname)


def test_other_databases_are_locked_or_closed(new_cluster, new_db, wait_until):
    """As by a DROP DATABASE, or as the template of another while it is copied."""
    cluster = new_cluster()
    with cluster.connect() as session:
        for name in 'locked', 'closed':
            session.execute(f'CREATE DATABASE {name}')
    db = new_db(cluster)
    db.sql('CREATE TABLE landed (id bigserial PRIMARY KEY); CREATE TABLE target (id bigint)')
    db.pipeline('p', 'landed', target='target')
    db.worker('p')
    with cluster.connect() as session:
        session.execute('ALTER DATABASE closed ALLOW_CONNECTIONS false')
        session.execute('BEGIN')
        session.execute('ALTER DATABASE locked RENAME TO another')
        db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
               "WHERE backend_type LIKE 'tracking%' ORDER BY backend_type <> 'tracking_fdw launcher'")
        # one waits there, and another is at work here
        wait_until(lambda: db.value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND NOT granted "
            "AND classid = 'pg_database'::regclass"))
        wait_until(lambda: supervisors(db))
        db.sql('INSERT INTO landed DEFAULT VALUES')
        db.wait_value(1, 'SELECT count(*) FROM target')
        session.execute('ROLLBACK')
    assert 'not currently accepting connections' not in cluster.log()
