"""Small pure functions: back-off, endpoints, positions."""
import hashlib

import psycopg
import pytest


@pytest.mark.parametrize('attempt, ceiling', [
    (0, 100), (1, 200), (2, 400), (7, 12800), (8, 20000), (9, 20000), (1000, 20000)])
def test_backoff_doubles_up_to_the_cap(unit, attempt, ceiling):
    for random in (0.0, 0.25, 0.999):
        assert unit.execute('SELECT unit.backoff_delay_ms(%s, 100, 20000, %s)',
                            (attempt, random)).fetchone() == (int(ceiling * random),)


def test_backoff_survives_extremes(unit):
    def delay(attempt, base, cap):
        return unit.execute('SELECT unit.backoff_delay_ms(%s, %s, %s, 0.5)',
                            (attempt, base, cap)).fetchone()[0]
    assert delay(0, 500, 100) == 50
    assert delay(5, 0, 100) == 0
    assert delay(2**31 - 1, 1, 2**62) == 2**61


@pytest.mark.parametrize('refused', [False, True])
def test_md5_where_openssl_has_it_and_where_it_complies_with_fips(unit, refused):
    with psycopg.connect(unit.info.dsn) as session:
        for n in (0, 1, 55, 56, 63, 64, 65, 1000, 100000):
            data = bytes(i * 7 % 256 for i in range(n))
            assert session.execute('SELECT unit.md5(%s, %s)', (data, refused)).fetchone() == \
                (hashlib.md5(data).digest(),)
        assert session.execute("SELECT unit.md5('abc', %s)", (refused,)).fetchone()[0].hex() == \
            '900150983cd24fb0d6963f7d28e17f72'


@pytest.mark.parametrize('region, url', [
    ('us-east-1', 'https://kinesis.us-east-1.amazonaws.com/'),
    ('us-gov-west-1', 'https://kinesis.us-gov-west-1.amazonaws.com/'),
    ('cn-north-1', 'https://kinesis.cn-north-1.amazonaws.com.cn/'),
    ('eusc-de-east-1', 'https://kinesis.eusc-de-east-1.amazonaws.eu/'),
    ('us-iso-east-1', 'https://kinesis.us-iso-east-1.c2s.ic.gov/'),
    ('us-isob-east-1', 'https://kinesis.us-isob-east-1.sc2s.sgov.gov/')])
def test_endpoint_of_a_region(unit, region, url):
    row = unit.execute('SELECT * FROM unit.aws_endpoint(%s, NULL, NULL)', (region,)).fetchone()
    assert row == (url, url.split('/')[2], '/')


@pytest.mark.parametrize('endpoint, expected', [
    ('http://localhost:4567', ('http://localhost:4567/', 'localhost:4567', '/')),
    ('http://localhost:80/', ('http://localhost:80/', 'localhost', '/')),
    ('https://h:443', ('https://h:443/', 'h', '/')),
    ('https://h:80', ('https://h:80/', 'h:80', '/')),
    ('http://[::1]:4567', ('http://[::1]:4567/', '[::1]:4567', '/')),
    ('https://proxy/kinesis', ('https://proxy/kinesis', 'proxy', '/kinesis'))])
def test_custom_endpoint(unit, endpoint, expected):
    assert unit.execute('SELECT * FROM unit.aws_endpoint(NULL, %s, NULL)',
                        (endpoint,)).fetchone() == expected
    assert unit.execute("SELECT * FROM unit.aws_endpoint('us-east-1', 'http://other', %s)",
                        (endpoint,)).fetchone() == expected


@pytest.mark.parametrize('region, endpoint', [
    (None, None), ('', None), ('evil.com/', None), ('us-east-1 ', None), ('US-EAST-1', None),
    ('us-east-1', 'ftp://h'), ('us-east-1', 'h:80'), ('us-east-1', 'http://'),
    ('us-east-1', 'http:///x'), ('us-east-1', 'http://u:p@h'), ('us-east-1', 'http://h?q'),
    ('us-east-1', 'http://h#f'), ('us-east-1', 'http://h\r\nX: y'), ('us-east-1', '')])
def test_endpoint_that_cannot_be(unit, region, endpoint):
    with pytest.raises(psycopg.Error) as raised:
        unit.execute('SELECT * FROM unit.aws_endpoint(%s, %s, NULL)', (region, endpoint))
    assert raised.value.sqlstate in ('HV00J', 'HV024')
    assert raised.value.diag.message_hint
    assert 'u:p' not in str(raised.value)


@pytest.mark.parametrize('a, b, order', [
    ('9', '10', -1), ('10', '9', 1), ('0', '0', 0), ('1' * 129, '1' * 129, 0),
    ('9' * 128, '1' + '0' * 128, -1), ('2' * 56, '2' * 55 + '3', -1)])
def test_sequence_numbers_compare_as_integers(unit, a, b, order):
    assert unit.execute('SELECT unit.sequence_compare(%s, %s)', (a, b)).fetchone() == (order,)


@pytest.mark.parametrize('text, normal', [
    ('TRIM_HORIZON', 'TRIM_HORIZON'), ('LATEST', 'LATEST'), ('SHARD_END', 'SHARD_END'),
    ('0', '0'), ('1' * 129, '1' * 129), ('12:3', '12:3'),
    ('', None), ('x', None), ('1' * 130, None), ('12:', None), ('12:x', None), ('-1', None),
    ('TRIM_HORIZONS', None), ('AT_TIMESTAMP:', None), ('1 ', None)])
def test_positions_as_text(unit, text, normal):
    assert unit.execute('SELECT unit.position_normalize(%s)', (text,)).fetchone() == (normal,)


@pytest.mark.parametrize('document, texts', [
    (b'<a>1</a>', ['1']), (b'<a x="y">1</a >\n<a\t>2</a>', ['1', '2']), (b'<a/><a />', ['', '']),
    (b'<b><a> 1 </a></b><c><a><b>2</b></a></c>', [' 1 ', '<b>2</b>']),
    (b'<aa>1</aa><ba>2</ba><a>3</a>', ['3']), (b'<a>1</aa></a>', ['1</aa>']),
    (b'<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x437;&#x1F600;</a>', ['<>&"\'ABз😀']),
    (b'<a>& &; &x; &#; &#x; &#0; &#xD800; &#x110000; &ampamp; &amp</a>',
     ['& &; &x; &#; &#x; &#0; &#xD800; &#x110000; &ampamp; &amp']),
    (b'', []), (b'<', []), (b'<a', []), (b'<a>', []), (b'<a>1', []), (b'<a>1</a', []), (b'</a>', []),
    (b'<a>1</', []), (b'<b>1</b>', []), (b'\0<a>1</a>', ['1'])])
def test_texts_of_xml(unit, document, texts):
    assert unit.execute("SELECT unit.xml_texts(%s, 'a')", (document,)).fetchone() == (texts,)


@pytest.mark.parametrize('document, is_root', [
    (b'<a>', True), (b'<a/>', True), (b'<a x="1">', True),
    (b' \n\n<?xml version="1.0"?>\r\n <a>', True), (b'<?xml?><?x?><a>', True),
    (b'<aa>', False), (b'<b><a>', False), (b'</a>', False), (b'', False), (b'<a', False), (b'<', False),
    (b'a>', False), (b'<?xml', False), (b' ', False), (b'\0<a>', False)])
def test_the_root_of_xml(unit, document, is_root):
    assert unit.execute("SELECT unit.xml_root_is(%s, 'a')", (document,)).fetchone() == (is_root,)


def test_xml_escapes(unit):
    text = 'a<b>&"\'é\r\n\t'
    escaped = unit.execute('SELECT unit.xml_escape(%s)', (text,)).fetchone()[0]
    assert escaped == 'a&lt;b&gt;&amp;&quot;\'é&#13;&#10;&#9;'
    assert unit.execute("SELECT unit.xml_texts(%s, 'a')",
                        (f'<a>{escaped}</a>'.encode(),)).fetchone() == ([text],)
