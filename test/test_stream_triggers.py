"""Triggers of a stream's table, and functions, see what their statement has
published."""
import json

import pytest

from test_select import read_by_boto3

COLUMNS = ("id int, name text, sh text OPTIONS (metadata 'shard_id'), "
           "seq numeric OPTIONS (metadata 'sequence_number')")


@pytest.fixture
def stream(db, sql_server, kinesalite, proxy, make_stream):
    """Table t over a new stream, reached by the proxy, and table seen."""
    stream = make_stream(kinesalite)
    sql_server(db, proxy.url)
    db.foreign_table('t', COLUMNS, stream)
    db.sql('CREATE TABLE seen (id int, sh text, seq numeric)')
    return stream


def trigger(db, level, body):
    db.sql(f"""CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body}; RETURN NULL; END $$""")
    db.sql(f'CREATE TRIGGER fire AFTER INSERT ON t FOR EACH {level} EXECUTE FUNCTION fire()')


def put_rows(db, how, n):
    if how == 'copy':
        with db.conn.cursor() as cursor, cursor.copy('COPY t (id, name) FROM STDIN') as copy:
            for i in range(n):
                copy.write_row((i, f'n{i}'))
    elif how == 'projected':
        db.sql("INSERT INTO t (name, id) SELECT 'n' || i, i FROM generate_series(0, %s - 1) i", n)
    else:
        db.sql("CREATE TABLE rows AS SELECT i AS id, 'n' || i AS name, NULL::text AS sh, "
               'NULL::numeric AS seq FROM generate_series(0, %s - 1) i', n)
        db.sql('INSERT INTO t SELECT * FROM rows')


@pytest.mark.parametrize('how', ['projected', 'as it is', 'copy'])
def test_new_has_what_kinesis_answered(db, stream, kinesalite, how):
    trigger(db, 'ROW', 'INSERT INTO seen VALUES (NEW.id, NEW.sh, NEW.seq)')
    put_rows(db, how, 3)
    assert db.sql('SELECT * FROM seen ORDER BY id') == sorted(
        (json.loads(r['Data'])['id'], shard, int(r['SequenceNumber']))
        for shard, r in read_by_boto3(kinesalite.client(), stream))


@pytest.mark.parametrize('how', ['projected', 'copy'])
def test_an_after_trigger_reads_the_rows_of_its_statement(db, stream, how):
    trigger(db, 'STATEMENT', 'INSERT INTO seen (id) SELECT id FROM t')
    put_rows(db, how, 3)
    assert db.sql('SELECT id FROM seen ORDER BY id') == [(0,), (1,), (2,)]


def test_a_function_reads_what_is_published_so_far(db, stream):
    db.sql("""CREATE FUNCTION so_far() RETURNS bigint LANGUAGE plpgsql AS $$
        BEGIN RETURN (SELECT count(*) FROM t); END $$""")
    db.sql("INSERT INTO t (id, name) SELECT i, so_far() FROM generate_series(0, 2) i")
    assert db.sql('SELECT id, name FROM t ORDER BY id') == [(0, '0'), (1, '1'), (2, '2')]


def test_a_trigger_that_wants_neither_leaves_rows_packed(db, stream, proxy):
    db.sql('ALTER FOREIGN TABLE t DROP COLUMN sh, DROP COLUMN seq')
    trigger(db, 'ROW', 'INSERT INTO seen VALUES (NEW.id)')
    put_rows(db, 'projected', 20)
    assert len(proxy.requests('PutRecords')) == 1
    assert db.value('SELECT count(*) FROM seen') == 20
