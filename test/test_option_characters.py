"""No option smuggles a line into what is sent, whoever stored it."""
import json
import re

import psycopg
import pytest

from harness.recorder import Recorder, answer
from harness.servers import ACCESS_KEY, REGION, SECRET_KEY
from harness.store import PASSWORD

MARK = 'mark-of-a-secret'
# a second request on the same connection, by what is to be one header
SMUGGLED = (f'{MARK}\r\nContent-Length: 0\r\n\r\n'
            'POST /smuggled HTTP/1.1\r\nHost: other\r\nX-Rest: ')

# object -> how options are put on it, and those that it needs
STREAM, STORE = 'tracking_fdw', 'tracking_redshift'
OBJECTS = {
    (STREAM, 'server'): ('CREATE SERVER new FOREIGN DATA WRAPPER tracking_fdw OPTIONS ({})',
                         {'region': REGION}),
    (STREAM, 'mapping'): ('CREATE USER MAPPING FOR PUBLIC SERVER aws OPTIONS ({})',
                          {'access_key_id': 'x', 'secret_access_key': 'y'}),
    (STREAM, 'table'): ('CREATE FOREIGN TABLE new (id int) SERVER aws OPTIONS ({})',
                        {'stream': 's'}),
    (STREAM, 'column'): ("CREATE FOREIGN TABLE new (id int OPTIONS ({})) SERVER aws "
                         "OPTIONS (stream 's')", {}),
    (STORE, 'server'): ('CREATE SERVER new FOREIGN DATA WRAPPER tracking_redshift OPTIONS ({})',
                        {'host': 'h', 'dbname': 'd'}),
    (STORE, 'mapping'): ('CREATE USER MAPPING FOR PUBLIC SERVER warehouse OPTIONS ({})',
                         {'user': 'u'}),
    (STORE, 'table'): ('CREATE FOREIGN TABLE new (id int) SERVER warehouse OPTIONS ({})', {}),
    (STORE, 'column'): ('CREATE FOREIGN TABLE new (id int OPTIONS ({})) SERVER warehouse', {}),
}
CONTROLS = ['\n', '\r', '\r\n', '\t', '\x01', '\x1b', '\x7f', '\x85', '\x9b', '\u2028', '\u2029']
# those that are nothing but text: others have characters or values of their own
TEXTS = {
    (STREAM, 'server'): ['ca_bundle'],
    (STREAM, 'mapping'): ['access_key_id', 'secret_access_key', 'session_token'],
    (STORE, 'server'): ['host', 'dbname', 'sslrootcert', 'aws_server'],
    (STORE, 'mapping'): ['user', 'password'],
    (STORE, 'table'): ['schema_name', 'table_name'],
    (STORE, 'column'): ['column_name'],
}


def quoted(options):
    return ', '.join(f"{name} '{value}'" for name, value in options.items())


@pytest.fixture
def servers(db, sql_server, store):
    sql_server(db, 'http://127.0.0.1:1')
    store.server(db)


def refusal(db, query, *args):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query, *args)
    return raised.value


def names(db, create, needed):
    """The options that an object can have, as the validator itself says."""
    hint = refusal(db, create.format(quoted({**needed, 'no_such': 'x'}))).diag.message_hint
    return re.search(r'are: (.*)\.', hint)[1].split(', ')


@pytest.mark.parametrize('kind', OBJECTS, ids=' '.join)
def test_no_option_holds_a_control_character(db, servers, kind):
    create, needed = OBJECTS[kind]
    for name in names(db, create, needed):
        for control in CONTROLS:
            for value in (f'{MARK}{control}', f'{control}{MARK}', f'{MARK}{control}x'):
                error = refusal(db, create.format(quoted({**needed, name: value})))
                assert error.sqlstate == 'HV024', (name, control, error)
                assert f'option "{name}"' in error.diag.message_primary
                assert MARK not in str(error) + (error.diag.message_hint or '')


@pytest.mark.parametrize('kind', TEXTS, ids=' '.join)
def test_why_an_option_is_refused(db, servers, kind):
    create, needed = OBJECTS[kind]
    for name in TEXTS[kind]:
        for control in CONTROLS:
            error = refusal(db, create.format(quoted({**needed, name: f'a{control}b'})))
            assert 'control character' in error.diag.message_hint
        # what is no control character, and just beside one in UTF-8
        with db.conn.transaction(force_rollback=True):
            db.sql(create.format(quoted({**needed, name: 'a b\xa0\u2027\u202f\xc2'})))


@pytest.fixture
def recorder():
    made = Recorder(lambda head, body: answer(
        400, json.dumps({'__type': 'AccessDeniedException', 'message': 'no'}).encode(),
        'Content-Type: application/x-amz-json-1.1'))
    yield made
    made.close()


@pytest.fixture
def events(db, sql_server, recorder):
    sql_server(db, recorder.url, max_retries=0)
    db.foreign_table('events', 'id int', 'events')
    return recorder


def plant(db, catalog, column, option, value):
    """Store an option behind the validator's back, as an earlier release would have."""
    db.sql(f'UPDATE pg_catalog.{catalog} SET {column} = array_append(ARRAY('
           f'SELECT o FROM unnest({column}) o WHERE o NOT LIKE %s), %s) WHERE {column} IS NOT NULL',
           f'{option}=%', f'{option}={value}')


def test_a_session_token_adds_no_request(db, events, wait_until):
    try:
        db.sql('ALTER USER MAPPING FOR CURRENT_USER SERVER aws OPTIONS '
               f"(ADD session_token '{SMUGGLED}')")
    except psycopg.Error as error:
        assert error.sqlstate == 'HV024'
    refusal(db, 'SELECT * FROM events')
    db.conn.close()
    wait_until(lambda: events.n_open == 0)
    lines = [head.split(b'\r\n')[0] for head, _ in events.requests]
    assert lines and set(lines) == {b'POST / HTTP/1.1'}


@pytest.mark.parametrize('catalog, column, option', [
    ('pg_user_mapping', 'umoptions', 'session_token'),
    ('pg_user_mapping', 'umoptions', 'access_key_id'),
    ('pg_foreign_server', 'srvoptions', 'region'),
    ('pg_foreign_server', 'srvoptions', 'endpoint'),
    ('pg_foreign_server', 'srvoptions', 'kinesis_endpoint')])
@pytest.mark.parametrize('query', ['SELECT * FROM events', 'INSERT INTO events VALUES (1)'])
def test_what_was_stored_before_is_not_sent(db, events, catalog, column, option, query):
    value = SMUGGLED if 'endpoint' not in option else f'{events.url}/{SMUGGLED}'
    plant(db, catalog, column, option, value)
    error = refusal(db, query)
    assert error.sqlstate == 'HV024' and f'option "{option}"' in error.diag.message_primary
    assert MARK not in f'{error}{error.diag.message_hint}{error.diag.context}'
    assert events.requests == []


def test_a_pipeline_does_not_send_it_either(db, events, wait_until):
    db.sql('CREATE TABLE target (id int)')
    plant(db, 'pg_user_mapping', 'umoptions', 'session_token', SMUGGLED)
    db.pipeline('p', 'events', target='target')
    told = wait_until(lambda: db.status('p')[0]['last_error'])
    assert 'option "session_token"' in told and MARK not in told
    assert events.requests == []


@pytest.mark.parametrize('catalog, column, option', [
    ('pg_user_mapping', 'umoptions', 'user'), ('pg_user_mapping', 'umoptions', 'password'),
    ('pg_foreign_server', 'srvoptions', 'dbname'), ('pg_foreign_server', 'srvoptions', 'host'),
    ('pg_foreign_table', 'ftoptions', 'table_name'),
    ('pg_foreign_table', 'ftoptions', 'schema_name'),
    ('pg_attribute', 'attfdwoptions', 'column_name')])
def test_what_was_stored_before_does_not_reach_a_store(db, store, catalog, column, option):
    store.server(db)
    db.sql("CREATE FOREIGN TABLE wh (id int OPTIONS (column_name 'id')) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    plant(db, catalog, column, option, f'{MARK}\r\n')
    error = refusal(db, 'SELECT * FROM wh')
    assert error.sqlstate == 'HV024' and f'option "{option}"' in error.diag.message_primary
    assert MARK not in f'{error}{error.diag.message_hint}{error.diag.context}'
    assert store.loaders() == []


def test_a_header_is_looked_at_where_it_is_set(unit, recorder):
    """The last that looks, whatever a header is made of."""
    for value in (f'{MARK}\r\nX-More: 1', f'{MARK}\n', f'{MARK}\r', f'{MARK}\x7f', f'{MARK}\x01'):
        with pytest.raises(psycopg.Error) as raised:
            unit.execute("SELECT * FROM unit.http_post(ARRAY[%s], 'x', 1000, 1000, 1000, NULL, "
                         "'x-answer', 'X-Test: ' || %s)", (recorder.url, value))
        assert raised.value.sqlstate == '22023'
        assert '"X-Test"' in raised.value.diag.message_primary and MARK not in str(raised.value)
    for url in (f'{recorder.url}/a b', f'{recorder.url}/ HTTP/1.1\r\nX-More: 1\r\n\r\n'):
        with pytest.raises(psycopg.Error) as raised:
            unit.execute("SELECT * FROM unit.http_post(ARRAY[%s], 'x', 1000, 1000, 1000, NULL, "
                         "'x-answer', 'X-Test: 1')", (url,))
        assert raised.value.sqlstate == '22023'
    assert recorder.requests == []


def test_a_tab_in_a_header_is_white_space(unit, recorder):
    unit.execute("SELECT * FROM unit.http_post(ARRAY[%s], 'x', 1000, 1000, 1000, NULL, "
                 "'x-answer', E'X-Test: a\\tb')", (recorder.url,))
    assert b'X-Test: a\tb\r\n' in recorder.requests[0][0]
