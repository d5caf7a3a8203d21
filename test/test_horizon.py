"""A position older than the stream's retention, and records that are listed all the same: what is
read already is left out, of aggregates too."""
import datetime
import json

import pytest

from harness.kpl import aggregate
from harness.servers import Kinesalite


def ids(n, start=0):
    return [json.dumps({'id': i}) for i in range(start, start + n)]


@pytest.fixture
def aged(db, sql_server, clocked, make_stream, put):
    """Table src over a stream whose server's clock goes a day late: of ten aggregates
    of ten records each five are 26 hours old, and five are 25."""
    server, clock = clocked(Kinesalite)
    clock.ahead(hours=-26)
    stream = make_stream(server)
    for batch, hours in enumerate((-26, -25)):
        clock.ahead(hours=hours)
        put(server.client(), stream,
            [aggregate(ids(10, 50 * batch + 10 * i)) for i in range(5)])
    sql_server(db, server.url)
    db.foreign_table('src', 'id int', stream)
    db.sql('CREATE TABLE target (id int)')


def hours_ago(hours):
    now = datetime.datetime.now(datetime.timezone.utc)
    return str(now - datetime.timedelta(hours=hours))


def landed(db):
    return [row[0] for row in db.sql('SELECT id FROM target ORDER BY 1')]


@pytest.mark.parametrize('hours, first', [(27, 0), (25.5, 50), (24.5, 100)])
def test_aggregates_older_than_the_position(db, aged, hours, first):
    db.pipeline('p', 'src', target='target', enabled=False, start_at=hours_ago(hours))
    db.sql("CALL tracking.run_pipeline('p')")
    assert landed(db) == list(range(first, 100))


def test_reset_to_a_time_that_is_past_retention(db, aged):
    """By a role that may use the server, no more; with a worker."""
    db.sql('CREATE ROLE plain LOGIN; GRANT tracking_fdw_pipeline TO plain')
    try:
        db.sql('GRANT USAGE ON FOREIGN SERVER aws TO plain')
        db.sql('GRANT SELECT ON src TO plain')
        db.sql('ALTER TABLE target OWNER TO plain')
        db.sql("CREATE USER MAPPING FOR plain SERVER aws OPTIONS (access_key_id 'AKID', "
               "secret_access_key 'secret')")
        with db.connect(user='plain') as plain:
            plain.execute("SELECT tracking.create_pipeline('p', 'src', target => 'target', "
                          "enabled => false)")
            plain.execute("CALL tracking.run_pipeline('p')")
            plain.execute('TRUNCATE target')
            plain.execute("SELECT tracking.reset_pipeline('p', %s)", (hours_ago(25.5),))
            plain.execute("SELECT tracking.start_pipeline('p')")
        db.wait_value(50, 'SELECT count(*) FROM target')
        assert landed(db) == list(range(50, 100))
    finally:
        db.sql("SELECT tracking.drop_pipeline('p')")
        db.sql('DROP OWNED BY plain')
        db.sql('DROP ROLE plain')


def test_a_position_within_an_aggregate_that_is_past_retention(db, aged):
    db.sql('ALTER TABLE target ADD CHECK (id <> 33)')
    db.pipeline('p', 'src', target='target', enabled=False, batch_rows=7, on_error='stop')
    with pytest.raises(Exception, match='stopped at a record'):
        db.sql("CALL tracking.run_pipeline('p')")
    assert ':' in db.value('SELECT position FROM tracking.checkpoint')
    db.sql('ALTER TABLE target DROP CONSTRAINT target_id_check')
    db.sql("UPDATE tracking.checkpoint SET read_until = read_until - interval '30 days'")
    db.sql("CALL tracking.run_pipeline('p')")
    assert landed(db) == list(range(100))
    assert db.sql('SELECT * FROM tracking.gap') == []
