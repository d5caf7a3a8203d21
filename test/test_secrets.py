"""What the other side was told in confidence, it tells nobody by way of us."""
import base64
import json
import re
import urllib.parse
import xml.sax.saxutils

import psycopg
import pytest

from harness.fake_store import FakeStore
from harness.recorder import Recorder, answer
from harness.servers import SECRET_KEY
from harness.store import PASSWORD

TOKEN = 'IQoJb3JpZ2luX2VjEJ//////////wEaCXVzLWVhc3Qt+' + '/aB3+dE6/gH9' * 20 + '=='
PIECE = 8


def pieces(secret):
    return {secret[i:i + PIECE] for i in range(len(secret) - PIECE + 1)}


def leaks(text, *secrets):
    """Pieces of secrets that are in text."""
    return [piece for secret in secrets for piece in pieces(secret) if piece in text]


# what is shown of a text: by the function that all texts pass

@pytest.fixture
def shown(unit):
    def show(text, *secrets, max_bytes=1024):
        text = text.encode() if isinstance(text, str) else text
        return bytes(unit.execute('SELECT unit.clean_text(%s, %s, %s)', (
            text, max_bytes, list(secrets))).fetchone()[0]).decode()
    return show


def entities(text):
    return ''.join(f'&#x{ord(c):X};' if not c.isalnum() else c for c in text)


FORMS = {
    'as it is': lambda s: s,
    'percent': lambda s: urllib.parse.quote(s, safe=''),
    'percent, lower': lambda s: urllib.parse.quote(s, safe='').replace('%2F', '%2f'),
    'percent twice': lambda s: urllib.parse.quote(urllib.parse.quote(s, safe=''), safe=''),
    'percent, all': lambda s: ''.join(f'%{ord(c):02X}' for c in s),
    'json': lambda s: json.dumps(s).replace('/', '\\/'),
    'json, all': lambda s: ''.join(f'\\u{ord(c):04x}' for c in s),
    'json in json': lambda s: json.dumps(json.dumps(s).replace('/', '\\/')),
    'xml': xml.sax.saxutils.escape,
    'entities': entities,
    'decimal entities': lambda s: ''.join(f'&#{ord(c)};' for c in s),
    'base64': lambda s: base64.b64encode(s.encode()).decode(),
    'base64 behind a byte': lambda s: base64.b64encode(b'x' + s.encode() + b'yz').decode(),
    'base64 behind two': lambda s: base64.b64encode(b'xy' + s.encode() + b'z').decode(),
    'hex': lambda s: s.encode().hex(),
    'HEX': lambda s: s.encode().hex().upper(),
    'in lines': lambda s: '\n'.join(re.findall('.{1,40}', s)),
}
SECRETS = {'token': TOKEN, 'key': SECRET_KEY, 'short': 'p%w&"\\1', 'password': 'it\'s "a" <b>%41\\'}


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', SECRETS)
def test_a_secret_is_cut_out_in_whatever_form(shown, kind, form):
    secret, told = SECRETS[kind], FORMS[form](SECRETS[kind])
    for before, behind in (('', ''), ('token: ', ', and more'), ('é\n', '\n\xff')):
        text = shown(before + told + behind, secret, max_bytes=4000)
        assert '***' in text and not leaks(text, told, secret)
        assert text.startswith(before.replace('\n', ' ')) and text.endswith(behind.replace('\n', ' '))


def test_what_is_no_secret_stays(shown):
    text = 'The security token included in the request is invalid, 100%25 of it: &amp; \\u0041'
    assert shown(text, TOKEN, SECRET_KEY) == text
    assert shown(text) == text
    assert shown('a b', 'a', '') == 'a b'


@pytest.mark.parametrize('kind', SECRETS)
def test_a_text_may_end_or_begin_anywhere_in_a_secret(unit, kind):
    """The remote cuts its text, or we do."""
    secret = SECRETS[kind]
    text = f'X-Amz-Security-Token:{secret}\nhost:example {secret}'
    for cut in ('substr(t, 1, n)', 'substr(t, n + 1)'):
        for limit in (10000, 40):
            rows = unit.execute(
                f"""SELECT convert_from(unit.clean_text(convert_to({cut}, 'UTF8'), {limit}, ARRAY[s]), 'UTF8')
                    FROM (SELECT %s::text AS t, %s::text AS s) q, generate_series(0, length(t)) n""",
                (text, secret)).fetchall()
            assert len(rows) == len(text) + 1
            most = min(PIECE, len(secret)) - 1
            for row, in rows:
                assert not leaks(row, secret) and secret not in row
                # nor more than half of one that is no longer than a piece
                assert len(secret) > PIECE or secret[:most] not in row
    padded = unit.execute(
        """SELECT convert_from(unit.clean_text(convert_to(repeat('x', n) || %s, 'UTF8'), 1024, ARRAY[%s]), 'UTF8')
           FROM generate_series(0, 1030) n""", (text, secret)).fetchall()
    assert not any(leaks(row, secret) for row, in padded)


def test_long_texts_are_done_with_soon(shown):
    assert len(shown('x' * 10_000_000, TOKEN, SECRET_KEY)) == 1027
    assert len(shown(TOKEN[:8] * 100_000, 'x' + TOKEN * 20, SECRET_KEY)) <= 1027


# an endpoint that repeats requests

def canonical(head):
    """What a service says that it has signed: all of the request."""
    return head.decode('latin-1').replace('\r\n', '\n')


def as_json(code, text):
    return json.dumps({'__type': code, 'message': text}).encode()


def as_xml(code, text):
    return f'<Error><Code>{code}</Code><Message>{entities(text)}</Message></Error>'.encode()


def as_html(code, text):
    return f'<html><title>{code}</title><body>{xml.sax.saxutils.escape(text)}</body></html>'.encode()


SHAPES = {'json': as_json, 'xml': as_xml, 'html': as_html, 'plain': lambda code, text: text.encode()}


class Echo(Recorder):
    """shape makes the body of an error; says is how the text goes on behind
    the request that it repeats."""

    def __init__(self, shape=as_json, status=403, code='InvalidSignatureException'):
        self.shape, self.status, self.code = shape, status, code
        super().__init__(self.refuse)

    def refuse(self, head, body):
        text = ('The Canonical String for this request should have been\n'
                f"'{canonical(head)}', and your secret is {SECRET_KEY}")
        return answer(self.status, self.shape(self.code, text), *self.headers(head))

    def headers(self, head):
        return ()

    def secrets(self):
        signatures = [re.search(rb'Signature=(\w{64})', head)[1].decode()
                      for head, _ in self.requests]
        return [TOKEN, SECRET_KEY, *signatures]


class EchoInHeaders(Echo):
    """The same in what is read of an answer besides its body."""

    def headers(self, head):
        token = re.search(rb'X-Amz-Security-Token: (\S+)', head)[1].decode()
        return [f'x-amzn-ErrorType: {token}', f'x-amzn-RequestId: {token}',
                f'x-amz-bucket-region: {token}']


class EchoOfRecords(Echo):
    """The same in the results of PutRecords, one by one."""

    def refuse(self, head, body):
        if b'PutRecords' not in head:
            return super().refuse(head, body)
        results = [{'ErrorCode': f'InternalFailure {TOKEN}', 'ErrorMessage': canonical(head)}
                   for _ in json.loads(body)['Records']]
        return answer(200, json.dumps({'FailedRecordCount': 1, 'Records': results}).encode())


@pytest.fixture
def make():
    made = []

    def start(server):
        made.append(server)
        return server
    yield start
    for each in made:
        each.close()


class Told:
    """All that a session, and the server's log, are told from now on."""

    def __init__(self, db):
        self.db, self.texts, self.logged = db, [], len(db.cluster.log())
        db.conn.add_notice_handler(lambda notice: self.texts.extend(self.fields(notice)))

    @staticmethod
    def fields(diag):
        return [str(getattr(diag, name)) for name in dir(diag) if name.startswith(
            ('message', 'context', 'internal', 'statement', 'source'))]

    def refusal(self, query, sqlstate=None):
        with pytest.raises(psycopg.Error) as raised:
            self.db.sql(query)
        self.texts += [str(raised.value), *self.fields(raised.value.diag)]
        assert sqlstate in (None, raised.value.sqlstate), raised.value
        return raised.value

    def all(self):
        # what somebody types is logged by the server as it is
        log = re.sub(r'(?m)^.*USER MAPPING.*\n(?:\t.*\n)*', '', self.db.cluster.log()[self.logged:])
        seen = self.db.sql('SELECT query FROM pg_catalog.pg_stat_activity')
        return '\n'.join([*self.texts, log, str(seen)])


@pytest.fixture(scope='module')
def loud_cluster():
    from harness.cluster import Cluster
    with Cluster(conf='log_min_messages = debug5\nlog_error_verbosity = verbose\n'
                      'log_duration = on\nlog_connections = on\n') as cluster:
        yield cluster


@pytest.fixture
def loud(loud_cluster, new_db):
    database = new_db(loud_cluster)
    database.sql('SET client_min_messages = debug5')
    yield database
    database.drop()


def event_table(db, sql_server, url):
    sql_server(db, url, max_retries=0)
    db.sql('ALTER USER MAPPING FOR CURRENT_USER SERVER aws OPTIONS '
           f"(ADD session_token '{TOKEN}')")
    db.foreign_table('events', 'id int', 'events')


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('kind', [Echo, EchoInHeaders, EchoOfRecords])
def test_a_refusal_that_repeats_the_request(loud, sql_server, make, wait_until, kind, shape):
    echo = make(kind(SHAPES[shape]))
    told = Told(loud)
    event_table(loud, sql_server, echo.url)
    for query in ('SELECT * FROM events', 'INSERT INTO events VALUES (1)',
                  "COPY events FROM PROGRAM 'echo 1'",
                  'EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM events',
                  'IMPORT FOREIGN SCHEMA aws FROM SERVER aws INTO public'):
        told.refusal(query)
    loud.sql('CREATE TABLE target (id int)')
    loud.pipeline('p', 'events', target='target')
    wait_until(lambda: loud.status('p')[0]['last_error'])
    told.refusal("CALL tracking.run_pipeline('p')")
    told.texts += [str(loud.status('p')), str(loud.sql('SELECT * FROM tracking.pipeline')),
                   str(loud.sql('SELECT * FROM tracking.checkpoint')),
                   str(loud.sql('SELECT * FROM tracking.dead_letter'))]
    found = told.all()
    assert b'X-Amz-Security-Token' in echo.requests[0][0] and 'DEBUG' in found
    assert not leaks(found, *echo.secrets())
    # what helps is still told
    if shape in ('json', 'xml') and kind is Echo:
        assert 'The Canonical String' in found and 'x-amz-security-token:***' in found.lower() \
            .replace(': ', ':')


@pytest.mark.parametrize('status, code', [
    (400, 'ExpiredIteratorException'), (400, 'ResourceNotFoundException'), (500, 'InternalFailure'),
    (400, 'ProvisionedThroughputExceededException'), (403, 'AccessDeniedException'),
    (404, 'Unheard'), (301, 'PermanentRedirect'), (200, 'None')])
def test_whatever_the_refusal_means(loud, sql_server, make, status, code):
    echo = make(Echo(as_json, status, code))
    told = Told(loud)
    event_table(loud, sql_server, echo.url)
    for query in ('SELECT * FROM events', 'INSERT INTO events VALUES (1)'):
        told.refusal(query)
    assert not leaks(told.all(), *echo.secrets())


@pytest.mark.parametrize('script', [b'HTTP/1.1 200 %s\r\n', b'%s\r\n\r\n', b'HTTP/1.1 %s',
                                    b'HTTP/1.1 302 x\r\nLocation: http://%s/\r\n'
                                    b'Content-Length: 0\r\n\r\n',
                                    b'HTTP/1.1 200 x\r\nTransfer-Encoding: %s\r\n\r\n',
                                    b'HTTP/1.1 200 x\r\nContent-Length: %s\r\n\r\n'])
def test_an_answer_that_is_none(loud, sql_server, make, script):
    """What libcurl says of it may have its words."""
    broken = make(Recorder(lambda head, body: script % TOKEN.encode()))
    told = Told(loud)
    event_table(loud, sql_server, broken.url)
    loud.sql("ALTER SERVER aws OPTIONS (ADD request_timeout '1s')")
    told.refusal('SELECT * FROM events')
    assert broken.requests and not leaks(told.all(), TOKEN, SECRET_KEY)


def test_s3_repeats_nothing_either(unit, make):
    def refuse(head, body):
        if b'DELETE' in head or b'?delete' in head:
            keys = re.findall(rb'<Key>(.*?)</Key>', body)
            return answer(200, b'<DeleteResult>%s</DeleteResult>' % b''.join(
                b'<Error><Key>%s</Key><Code>%s</Code><Message>%s</Message></Error>' % (
                    key, TOKEN.encode(), entities(canonical(head)).encode()) for key in keys))
        return answer(403, as_xml('SignatureDoesNotMatch', canonical(head)),
                      f'x-amz-request-id: {TOKEN}')
    s3 = make(Recorder(refuse))
    unit.execute('SELECT unit.s3_server(%s, %s, %s, %s, %s, 0)',
                 (s3.url, 'bucket', 'AKID', SECRET_KEY, TOKEN))
    told = []
    for call in ("unit.s3_put_object('k', 'text/plain', 'x')",
                 "unit.s3_upload('k', 'text/plain', 'x', 100000, 'finish', 9000000)"):
        with pytest.raises(psycopg.Error) as raised:
            unit.execute(f'SELECT {call}')
        told += Told.fields(raised.value.diag)
    told += [str(row) for row in unit.execute(
        "SELECT * FROM unit.s3_delete_objects(ARRAY['a', 'b'])")]
    signatures = [re.search(rb'Signature=(\w{64})', head)[1].decode() for head, _ in s3.requests]
    assert len(signatures) >= 3 and '***' in '\n'.join(told)
    assert not leaks('\n'.join(told), TOKEN, SECRET_KEY, *signatures)


def test_a_region_that_is_told_is_a_name_or_not_told(unit):
    def hint(region):
        return unit.execute("SELECT hint FROM unit.aws_error(301, NULL, ''::bytea, %s)",
                            (region,)).fetchone()[0]
    assert 'region "eu-west-1"' in hint('eu-west-1')
    for region in ("x', endpoint 'http://evil", 'eu west', 'x' * 65, TOKEN):
        assert 'The bucket is in region' not in hint(region)


# a store that repeats passwords

def store_table(db, port, password=PASSWORD):
    db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
           f"(host '127.0.0.1', port '{port}', dbname 'x', sslmode 'disable', "
           "dialect 'postgresql')")
    db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS '
           f"(user 'loader', password '{password}')")
    db.sql('CREATE FOREIGN TABLE wh (id int) SERVER warehouse')


TELLS = {
    'as it is': lambda password: b'login with "%s" is not possible\nDETAIL: %s' % (
        password, password),
    'escaped': lambda password: b'login with %s' % urllib.parse.quote(password, safe='').encode(),
    'cut': lambda password: b'x' * 4090 + password,
    'in bad encoding': lambda password: b'\xff\xfe' + password + b'\xc3',
    'long': lambda password: (password + b' ') * 200,
    'cut by itself': lambda password: b'you said ' + password[:-1],
}


@pytest.mark.parametrize('tell', TELLS)
@pytest.mark.parametrize('login', [False, True])
def test_a_store_that_repeats_the_password(loud, make, tell, login):
    store = make(FakeStore(TELLS[tell], login))
    told = Told(loud)
    store_table(loud, store.port)
    sqlstate = 'P0001' if login else '08001'
    told.refusal('SELECT * FROM wh', sqlstate)
    told.refusal('EXPLAIN ANALYZE SELECT * FROM wh', sqlstate)
    assert tell == 'cut' or '***' in '\n'.join(told.texts)
    assert not leaks(told.all(), PASSWORD)
    assert all(len(text) < 20000 for text in told.texts)


def test_a_row_that_a_store_refuses_with_the_password(loud, store, sql_server, kinesalite,
                                                      make_stream, put):
    """Dead letters have the store's words."""
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [{'id': 1}, {'id': 2}])
    sql_server(loud, kinesalite.url)
    loud.foreign_table('events', 'id int', stream)
    store.server(loud)
    store.table('landed', 'id int')
    store.sql(f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE NOTICE '% is the password', '{PASSWORD}';
            IF new.id = 1 THEN
                RAISE EXCEPTION 'password % of loader', '{PASSWORD}' USING errcode = '23514',
                    detail = '{PASSWORD}', hint = 'say {PASSWORD}';
            END IF;
            RETURN new;
        END $$""")
    store.sql('CREATE TRIGGER refuse BEFORE INSERT ON landed FOR EACH ROW EXECUTE FUNCTION refuse()')
    told = Told(loud)
    loud.sql("CREATE FOREIGN TABLE wh (id int) SERVER warehouse "
             "OPTIONS (schema_name 'public', table_name 'landed')")
    told.refusal('INSERT INTO wh VALUES (1)', '23514')
    loud.pipeline('load', 'events', target='wh', enabled=False)
    loud.sql("CALL tracking.run_pipeline('load')")
    assert store.sql('SELECT id FROM landed') == [(2,)]
    reason = loud.value('SELECT reason FROM tracking.dead_letter')
    assert 'of loader' in reason and '***' in reason
    told.texts += [reason, str(loud.status('load')), str(loud.sql('SELECT * FROM tracking.load'))]
    assert not leaks(told.all(), PASSWORD)
