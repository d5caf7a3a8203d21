"""What goes wrong has a message that says what to do, and tells no secret."""
import json

import psycopg
import pytest

from harness.servers import ACCESS_KEY, SECRET_KEY

GOOD = '{"id":1,"name":"good"}'
MIB = 1024 * 1024

# what is wrong -> payload, and a word of the reason
BAD = {
    'malformed': (b'{"id":2,"name":', None),
    'not json at all': (b'id=2', None),
    'trailing bytes': (b'{"id":2} {"id":3} x', None),
    'invalid utf-8': (b'{"id":2,"name":"\xff\xfe"}', 'UTF'),
    'nul': (b'{"id":2,"name":"a\\u0000b"}', None),
    'lone surrogate': (b'{"id":2,"name":"\\ud800"}', None),
    'empty': (b'', None),
    'too deep': (b'[' * 100000 + b']' * 100000, None),
    'number out of range': (b'{"id":99999999999,"name":"x"}', 'id'),
    'not a number': (b'{"id":"two","name":"x"}', 'id'),
    'an object for a number': (b'{"id":{},"name":"x"}', 'id'),
}


@pytest.fixture(params=BAD)
def bad(request, db, sql_server, kinesalite, make_stream, put):
    """Table t over a good record, a bad one, and another good one."""
    payload, word = BAD[request.param]
    stream = make_stream(kinesalite)
    for record in (GOOD, payload, GOOD):
        put(kinesalite.client(), stream, [record])
    sql_server(db, kinesalite.url)
    db.foreign_table('t', "id int, name text, why text OPTIONS (metadata 'decode_error'), "
                     "data bytea OPTIONS (metadata 'data')", stream, empty='error')
    return payload, word


def test_bad_record_fails_a_scan_by_default(db, bad):
    with pytest.raises(psycopg.Error) as raised:
        db.sql('SELECT id, name FROM t')
    diag = raised.value.diag
    text = ' '.join(filter(None, (diag.message_primary, diag.message_detail, diag.context)))
    assert 'shardId-000000000000' in text
    assert raised.value.sqlstate[:2] in ('22', '54', '23')
    assert bad[1] is None or bad[1] in text
    assert 'on_error' in diag.message_hint


def test_bad_record_as_nulls(db, bad):
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD on_error 'null')")
    rows = db.sql('SELECT id, name, why, data FROM t')
    assert rows[0][:3] == rows[2][:3] == (1, 'good', None)
    assert rows[1][:2] == (None, None) and rows[1][2] and bytes(rows[1][3]) == bad[0]


def test_bad_record_skipped(db, bad):
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD on_error 'skip')")
    assert db.sql('SELECT id, name FROM t') == [(1, 'good')] * 2


def test_bad_record_to_dead_letters(db, bad):
    db.sql('CREATE TABLE target (id int, name text)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id, name FROM target') == [(1, 'good')] * 2
    (data, reason, sqlstate, shard, position), = db.sql(
        """SELECT d.data, d.reason, d.sqlstate, d.shard_id, d.sequence_number < c.position::numeric
           FROM tracking.dead_letter d JOIN tracking.checkpoint c USING (pipeline, shard_id)""")
    assert bytes(data) == bad[0] and reason and len(sqlstate) == 5
    assert shard == 'shardId-000000000000' and position
    assert db.status('p')[0]['dead_letters'] == 1


def test_record_of_a_mebibyte(db, sql_server, kinesis, make_stream, put):
    stream = make_stream(kinesis)
    text = 'x' * (MIB - len('{"id":1,"name":""}') - len('k'))
    put(kinesis.client(), stream, [('{"id":1,"name":"%s"}' % text, 'k')])
    sql_server(db, kinesis.url)
    db.foreign_table('t', 'id int, name text', stream)
    assert db.sql('SELECT id, length(name) FROM t') == [(1, len(text))]


# servers, streams, credentials

@pytest.fixture
def table(db, sql_server, kinesalite, make_stream):
    sql_server(db, kinesalite.url, max_retries=0)
    db.foreign_table('t', 'id int', make_stream(kinesalite))


def failure(db, query='SELECT * FROM t'):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query)
    assert raised.value.sqlstate != 'XX000'
    return raised.value.diag


@pytest.mark.parametrize('endpoint', ['http://127.0.0.1:1', 'http://no-such-host.invalid:4567'])
def test_wrong_endpoint(db, table, endpoint):
    db.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{endpoint}')")
    diag = failure(db)
    assert endpoint.split('//')[1].split(':')[0] in diag.message_primary + diag.message_detail
    assert 'endpoint' in diag.message_hint


def test_endpoint_that_is_another_service(db, table, proxy):
    proxy.raw(None, b'<html><body>hello</body></html>', status=404)
    db.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")
    diag = failure(db)
    assert '404' in diag.message_detail and diag.message_hint


def test_missing_stream(db, table, kinesis):
    db.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{kinesis.url}')")
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET stream 'not-there')")
    diag = failure(db)
    assert 'not-there' in diag.message_primary
    assert 'ResourceNotFoundException' in diag.message_detail and diag.message_hint


def test_missing_shard(db, table):
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD shard 'shardId-000000000077')")
    assert 'shardId-000000000077' in failure(db).message_primary


def test_no_user_mapping(db, table):
    db.sql('DROP USER MAPPING FOR CURRENT_USER SERVER aws')
    assert 'CREATE USER MAPPING' in failure(db).message_hint


def test_denied(db, table, proxy):
    proxy.error(None, 'AccessDeniedException', 'User is not authorized to perform that')
    db.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")
    diag = failure(db)
    assert 'not authorized to perform that' in diag.message_detail and diag.message_hint
    # what no retry can help is not retried
    assert len(proxy.requests()) == 1


# secrets

def test_no_secret_in_any_log(new_cluster, new_db, sql_server, kinesalite, new_proxy, make_stream,
                              put, wait_until):
    token = 'sessionTOKENsessionTOKENsessionTOKEN'
    cluster = new_cluster(conf='log_min_messages = debug5\nlog_connections = on\n'
                          'log_duration = on\nlog_error_verbosity = verbose\n')
    proxy = new_proxy(kinesalite)
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [{'id': 1, 'name': 'record body'}])
    db = new_db(cluster)
    sql_server(db, proxy.url, max_retries=1)
    db.sql(f"ALTER USER MAPPING FOR CURRENT_USER SERVER aws OPTIONS (ADD session_token '{token}')")
    db.foreign_table('t', 'id int, name text', stream)
    db.sql('CREATE TABLE target (id int, name text)')
    assert db.sql('SELECT id FROM t') == [(1,)]
    db.sql("INSERT INTO t VALUES (2, 'record body')")
    db.pipeline('p', 't', target='target', max_latency='0.2 s')
    db.wait_value(2, 'SELECT count(*) FROM target')
    explained = json.dumps(db.sql('EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM t'))
    proxy.error(None, 'AccessDeniedException')
    wait_until(lambda: db.status('p')[0]['last_error'])
    for query in ('SELECT * FROM t', "INSERT INTO t VALUES (3)"):
        with pytest.raises(psycopg.Error) as raised:
            db.sql(query)
        explained += str(raised.value)
    proxy.clear()
    proxy.reset(None)
    with pytest.raises(psycopg.Error):
        db.sql('SELECT * FROM t')
    explained += json.dumps(db.status('p'), default=str)
    explained += str(db.sql('SELECT query FROM pg_stat_activity'))
    log = cluster.log()
    assert 'DEBUG' in log
    # the statement that failed is logged; what records hold is not
    for secret in (SECRET_KEY, token, 'Signature='):
        assert secret not in log and secret not in explained
    assert ACCESS_KEY not in log
    assert 'body' not in log.replace("'record body'", '')
