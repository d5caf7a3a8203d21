"""A pipeline that publishes: a record that a stream took cannot be taken back,
so that it goes when all of its batch is accepted, and goes once.  What is in the
stream is counted by boto3."""
import json
from collections import Counter

import psycopg
import pytest

from test_select import read_by_boto3

BOUNDS = 'FROM landed WHERE id > $1 AND id <= $2'


@pytest.fixture
def published(db, sql_server, make_stream, kinesalite, proxy):
    """Table landed, and stream out, reached by the proxy; how often each id is
    in the stream."""
    stream = make_stream(kinesalite, 2)
    sql_server(db, proxy.url, max_retries=0)
    db.foreign_table('out', "id int, doc text, key text OPTIONS (metadata 'partition_key'), "
                     "hash numeric OPTIONS (metadata 'explicit_hash_key'), "
                     "seq text OPTIONS (metadata 'sequence_number')", stream)
    db.sql('CREATE TABLE landed (id bigint PRIMARY KEY, doc text); '
           'CREATE TABLE target (id int PRIMARY KEY, seq text)')

    def count():
        return Counter(json.loads(record['Data'])['id']
                       for _, record in read_by_boto3(kinesalite.client(), stream))
    return count


def land(db, n, doc="'d' || i"):
    db.sql(f'INSERT INTO landed SELECT i, {doc} FROM generate_series(1, %s::int) i', n)


def once(*ids):
    return {i: 1 for i in ids}


def letters(db):
    return [n for n, in db.sql('SELECT sequence_number::int FROM tracking.dead_letter ORDER BY 1')]


@pytest.mark.parametrize('batch_bytes', [16777216, 65536])
def test_a_row_that_is_too_large(db, published, batch_bytes):
    """What is more than may be held is sent before, and not again."""
    land(db, 1000)
    db.pipeline('p', 'landed', enabled=False, batch_bytes=batch_bytes, command=f"""
        INSERT INTO out (id, doc)
        SELECT id, repeat('x', CASE WHEN id = 700 THEN 1100000 ELSE 500 END) {BOUNDS}""")
    db.sql("CALL tracking.run_pipeline('p')")
    assert published() == once(*range(1, 700), *range(701, 1001))
    assert letters(db) == [700]


def test_a_key_that_the_stream_would_refuse(db, published):
    land(db, 20)
    db.pipeline('p', 'landed', enabled=False, command=f"""
        INSERT INTO out (id, key, hash) SELECT id, CASE WHEN id = 3 THEN '' ELSE 'k' END,
        CASE id WHEN 4 THEN 340282366920938463463374607431768211456 WHEN 5 THEN -1 WHEN 6 THEN 1.5
                WHEN 7 THEN 340282366920938463463374607431768211455 ELSE 0 END {BOUNDS}""")
    db.sql("CALL tracking.run_pipeline('p')")
    assert published() == once(1, 2, *range(7, 21))
    assert letters(db) == [3, 4, 5, 6]


@pytest.mark.parametrize('publish', [
    f"INSERT INTO out (id, key) SELECT id, 'k' {BOUNDS}; INSERT INTO target (id) SELECT 100 / (id - 7) {BOUNDS}",
    f'WITH p AS (INSERT INTO out (id) SELECT id {BOUNDS} RETURNING id, seq) '
    'INSERT INTO target SELECT 700 / (id - 7), seq FROM p'])
def test_a_statement_behind_it_fails(db, published, publish):
    """With RETURNING each is sent at once: the guilty one, too, but no more often."""
    land(db, 10)
    db.pipeline('p', 'landed', command=publish, enabled=False)
    db.sql('ALTER TABLE target DROP CONSTRAINT target_pkey')
    db.sql("CALL tracking.run_pipeline('p')")
    assert letters(db) == [7]
    counted = published()
    assert max(counted.values()) == 1
    assert set(range(1, 11)) - set(counted) == ({7} if 'RETURNING' not in publish else set())
    if 'RETURNING' in publish:
        assert db.value('SELECT count(DISTINCT seq) FROM target') == 9


def test_the_same_twice_is_twice(db, published):
    land(db, 6)
    db.pipeline('p', 'landed', enabled=False, batch_bytes=65536, command=f"""
        INSERT INTO out (id, doc, key) SELECT 1, repeat('d', 20000), 'k' {BOUNDS};
        SELECT 1 / (id - 4) {BOUNDS}""")
    db.sql("CALL tracking.run_pipeline('p')")
    assert letters(db) == [4]
    assert published() in ({1: 5}, {1: 6})      # the fourth may have been sent before


def test_a_subtransaction_takes_back_what_it_published(db, published):
    land(db, 4)
    db.sql("""CREATE FUNCTION say(n bigint) RETURNS bool LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO out (id) VALUES (n);
            PERFORM 1 / (n - 2);
            RETURN true;
        EXCEPTION WHEN division_by_zero THEN
            INSERT INTO out (id) VALUES (100 + n);
            RETURN false;
        END $$""")
    db.pipeline('p', 'landed', command=f'SELECT say(id) {BOUNDS}', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert published() == once(1, 3, 4, 102)
    db.sql('INSERT INTO out (id) VALUES (5)')       # goes at once, as ever
    assert published() == once(1, 3, 4, 102, 5)


def test_a_batch_of_which_a_part_is_published(db, published, proxy, wait_until):
    """The worker sends what is left, when the stream takes it."""
    land(db, 1200)
    proxy.error('PutRecords', 'LimitExceededException', first=2, after=1)
    db.pipeline('p', 'landed', target='out', max_latency='0.2 s')
    db.wait_value(1200, 'SELECT coalesce(sum(records), 0)::int FROM tracking.checkpoint')
    assert published() == once(*range(1, 1201))
    assert len(proxy.requests('PutRecords')) == 5
    assert 'injected' in db.status('p')[0]['last_error']


def test_a_commit_that_fails(db, published, wait_until):
    """What is published is remembered when the commit behind it fails, here that of a table of
    postgres_fdw, and the batch is tried again by the process that remembers it."""
    db.sql(f"""CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{db.cluster.dir}', port '{db.cluster.port}', dbname '{db.dbname}');
        CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'postgres');
        CREATE TABLE kept (id bigint); CREATE TABLE refusing (); INSERT INTO refusing DEFAULT VALUES;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            IF EXISTS (SELECT FROM public.refusing) THEN RAISE 'refused'; END IF; RETURN NULL; END$$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON kept DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse();
        CREATE FOREIGN TABLE far_kept (id bigint) SERVER far OPTIONS (table_name 'kept')""")
    land(db, 5)
    db.pipeline('p', 'landed', max_latency='0.2 s', command=
                f'INSERT INTO far_kept SELECT id {BOUNDS}; INSERT INTO out (id) SELECT id {BOUNDS}')
    wait_until(lambda: db.status('p')[0]['failures'] >= 1)
    assert db.status('p')[0]['last_error'].startswith('refused')
    assert published() == once(*range(1, 6))
    worker = db.worker('p')
    db.sql('TRUNCATE refusing')
    db.wait_value(5, 'SELECT count(*) FROM kept')
    assert published() == once(*range(1, 6)) and db.worker('p') == worker


def test_a_stop_while_a_batch_is_published(db, published, proxy):
    land(db, 1200)
    held = proxy.hold('PutRecords', first=1, after=1)
    db.pipeline('p', 'landed', target='out', max_latency='0.2 s')
    held.wait()
    db.sql("SELECT tracking.stop_pipeline('p')")
    held.release()
    db.wait_value(1200, 'SELECT coalesce(sum(records), 0)::int FROM tracking.checkpoint')
    assert published() == once(*range(1, 1201))


def test_nothing_is_published_of_what_stops_the_pipeline(db, published):
    land(db, 10)
    db.pipeline('p', 'landed', enabled=False, on_error='stop', command=f"""
        INSERT INTO out (id) SELECT id {BOUNDS}; SELECT 1 / (id - 7) {BOUNDS}""")
    with pytest.raises(psycopg.Error, match='stopped at a record'):
        db.sql("CALL tracking.run_pipeline('p')")
    assert published() == once(*range(1, 7))


def test_a_replay_publishes(db, published):
    land(db, 3)
    db.sql('INSERT INTO target VALUES (2)')
    db.pipeline('p', 'landed', enabled=False, command=f"""
        INSERT INTO out (id) SELECT id {BOUNDS}; INSERT INTO target (id) SELECT id {BOUNDS}""")
    db.sql("CALL tracking.run_pipeline('p')")
    assert published() == once(1, 3) and letters(db) == [2]
    db.sql('DELETE FROM target WHERE id = 2')
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 1
    assert published() == once(1, 2, 3)
