"""moto recomputes every signature: the right key works, others are refused."""
import psycopg
import pytest


def test_right_key(db, moto, sql_server, make_stream, put):
    stream = make_stream(moto, 2)
    put(moto.client(), stream, [{'id': i} for i in range(100)])
    sql_server(db, moto.url, moto.access_key, moto.secret_key)
    db.foreign_table('t', "id int, name text, key text OPTIONS (metadata 'partition_key')", stream)
    db.sql("INSERT INTO t SELECT i, 'é ' || i, 'ключ ' || i FROM generate_series(100, 199) i")
    assert db.sql('SELECT count(*), count(DISTINCT id) FROM t') == [(200, 200)]


@pytest.mark.parametrize('wrong, code', [
    ({'secret_key': 'wrong'}, 'SignatureDoesNotMatch'),
    ({'access_key': 'AKIAUNKNOWNUNKNOWN00'}, 'InvalidClientTokenId')])
def test_wrong_keys(db, moto, sql_server, make_stream, wrong, code):
    stream = make_stream(moto)
    keys = {'access_key': moto.access_key, 'secret_key': moto.secret_key, **wrong}
    sql_server(db, moto.url, max_retries=1, **keys)
    db.foreign_table('t', 'id int', stream)
    for query in ('SELECT * FROM t', 'INSERT INTO t VALUES (1)'):
        with pytest.raises(psycopg.Error) as raised:
            db.sql(query)
        assert raised.value.sqlstate == '28000'
        assert code in raised.value.diag.message_detail
        assert 'user mapping' in raised.value.diag.message_hint
        assert keys['secret_key'] not in str(raised.value)


def test_session_token_is_signed(db, moto, sql_server, make_stream, put):
    stream = make_stream(moto)
    put(moto.client(), stream, [{'id': 1}])
    iam, sts = moto.client('iam'), moto.client('sts')
    role = iam.create_role(RoleName='reader', AssumeRolePolicyDocument='{}')['Role']['Arn']
    iam.put_role_policy(
        RoleName='reader', PolicyName='kinesis', PolicyDocument='{"Version":"2012-10-17",'
        '"Statement":[{"Effect":"Allow","Action":"kinesis:*","Resource":"*"}]}')
    assumed = sts.assume_role(RoleArn=role, RoleSessionName='test')['Credentials']
    sql_server(db, moto.url, assumed['AccessKeyId'], assumed['SecretAccessKey'], max_retries=1)
    db.foreign_table('t', 'id int', stream)
    with pytest.raises(psycopg.Error, match='could not'):
        db.sql('SELECT * FROM t')
    db.sql('ALTER USER MAPPING FOR CURRENT_USER SERVER aws OPTIONS '
           f"(ADD session_token '{assumed['SessionToken']}')")
    assert db.sql('SELECT id FROM t') == [(1,)]


def test_a_wrong_clock_is_corrected_from_the_answer(db, moto, sql_server, new_proxy, make_stream,
                                                    put):
    """The service refuses a date that is off; its answer's Date says by how much."""
    stream = make_stream(moto)
    put(moto.client(), stream, [{'id': 1}])
    proxy = new_proxy(moto)
    proxy.raw(None, b'{"__type":"InvalidSignatureException","message":"Signature expired"}',
              status=403, headers=[('Date', 'Thu, 01 Jan 2026 00:00:00 GMT')], first=1)
    sql_server(db, proxy.url, moto.access_key, moto.secret_key, max_retries=2)
    db.foreign_table('t', 'id int', stream)
    assert db.sql('SELECT id FROM t') == [(1,)]
    dates = [e['headers']['X-Amz-Date'] for e in proxy.requests()]
    assert not dates[0].startswith('20260101') and dates[1].startswith('20260101T0000')
