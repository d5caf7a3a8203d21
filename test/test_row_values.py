"""What is made without an input function is, byte for byte, what the function
makes: on generated values, the same ones at every run."""
import json
import random
import uuid

import psycopg
import pytest

DOCUMENTS = 200_000


# generators: text of JSON, with odd ones among the usual

def digits(rng, most):
    return ''.join(rng.choices('0123456789', k=rng.randint(1, most)))


def number(rng):
    kind = rng.random()
    if kind < 0.3:
        return str(rng.randint(-100, 100000))
    if kind < 0.5:
        return f'{rng.uniform(-1000, 1000):.{rng.randint(0, 6)}f}'
    if kind < 0.55:
        return rng.choice(NUMBERS)
    integer = rng.choice(['0', '1', '9' * rng.randint(1, 40),
                          str(rng.randint(1, 9)) + digits(rng, rng.choice([3, 8, 16, 40]))])
    fraction = rng.choice(['', '', '.' + digits(rng, rng.choice([2, 4, 20, 70])),
                           '.' + '0' * rng.randint(1, 12) + digits(rng, 6), '.50', '.0000'])
    exponent = rng.choice(['', '', '', rng.choice('eE') + rng.choice(['', '+', '-']) +
                           str(rng.choice([0, 1, 2, 3, 4, 5, 7, 20, 63, 64, 200, 300,
                                           rng.randint(0, 400)]))])
    return rng.choice(['', '', '-']) + integer + fraction + exponent


NUMBERS = [
    '0', '-0', '0.0', '-0.0', '-0.00', '0e0', '0e5', '0.00e1', '0e-5', '0E+400', '-0e-63',
    '1.0', '1.50', '100', '10000', '100000000', '1e-7', '1E+2', '1.0e1', '1.25e1', '1.25e2',
    '12345e-3', '12345e-5', '12345e-8', '9999', '99999999', '0.9999', '0.99999', '0.0001',
    '0.00001', '1e15', '1e16', '1e22', '1e23', '9007199254740993', '1e308', '1e309', '1e400',
    '-1e400', '1e-400', '5e-324', '2e-324', '1.7976931348623157e308', '1.7976931348623159e308',
    '1e255', '1e256', '1e259', '9e255', '1e-63', '1e-64', '1.0e-63', '1e-255', '1e-256', '1e-257',
    '1e001', '1e-001', '1e0000000000', '1e1000', '1e-1000', '1e16383', '1e-16383', '1e131071',
    '32767', '32768', '-32768', '-32769', '2147483647', '2147483648', '-2147483648', '-2147483649',
    '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809',
    '18446744073709551615', '18446744073709551616', '0.1', '1e2', '-1e2', '1.5', '2.5', '-2.5',
    '9' * 63, '9' * 64, '1' + '0' * 62, '1' + '0' * 63, '-' + '9' * 62, '0.' + '0' * 60 + '1',
    '0.' + '0' * 61 + '1', '0.' + '0' * 62 + '1', '123456789' * 20]

PIECES = ['a', 'b', 'key', 'value', 'x' * 9, ' ', 'caf\u00e9', '\u20ac', '\U0001f600', '\u0436\u0437',
          '\\n', '\\"', '\\\\', '\\/', '\\b\\f\\r\\t', '\\u0041', '\\u00e9', '\\u20AC',
          '\\ud83d\\ude00', '\\uD834\\uDD1E', '\\u0001', '\\uffff', '\x7f', "'", '{', ']', ',:']
KEYS = ['id', 'name', 'a', 'b', 'aa', 'ab', 'ba', 'type', 'page', 'properties', '', 'A', 'Z']


def string(rng):
    kind = rng.random()
    if kind < 0.6:
        return f'"{rng.choice(KEYS)}{rng.randint(0, 99)}"'
    if kind < 0.999:
        return '"' + ''.join(rng.choices(PIECES, k=rng.randint(0, 8))) + '"'
    return '"' + rng.choice(PIECES) * rng.choice([300, 20_000]) + '"'


def key(rng):
    return f'"{rng.choice(KEYS)}"' if rng.random() < 0.7 else string(rng)


def space(rng):
    return rng.choice(['', '', '', '', ' ', '\n\t', ' \r\n '])


def size(rng, depth):
    if rng.random() < 0.002:
        return rng.choice([31, 32, 33, 64, 65, 400])
    return rng.randint(0, max(1, 7 - 2 * depth))


def scalar(rng):
    kind = rng.random()
    if kind < 0.45:
        return number(rng)
    if kind < 0.85:
        return string(rng)
    return rng.choice(['true', 'false', 'null'])


def document(rng, depth=0):
    kind = rng.random()
    if depth > 3 or kind < 0.1 + 0.2 * depth:
        return scalar(rng)
    gap = space(rng)
    if kind < 0.75:
        members = [f'{key(rng)}{gap}:{gap}{document(rng, depth + 1)}'
                   for _ in range(size(rng, depth))]
        return '{' + gap + f',{gap}'.join(members) + gap + '}'
    items = [document(rng, depth + 1) for _ in range(size(rng, depth))]
    return '[' + gap + f'{gap},'.join(items) + gap + ']'


ODD_DOCUMENTS = [
    '{}', '[]', ' [ ] ', '{"":{}}', '[[]]', '[{}]', '"', 'null', ' true ', '-0', '""', '"\\u0000x"',
    '[' * 512 + ']' * 512, '{"a":' * 511 + '[1]' + '}' * 511, '[1,' * 400 + '2' + ']' * 400,
    '{"a":1,"a":2}', '{"a":1,"\\u0061":"2","a":[3]}', '{"b":1,"a":{"x":1},"b":2,"a":{"y":2}}',
    '{"aa":1,"b":2,"":3,"B":4,"ab":5}', '{"\u20ac":1,"abc":2,"\u00e9":3,"zz":4}',
    '{"a":"\\u0000"}', '{"\\u0000":1}', '["\\ud800"]', '["\\udc00\\ud800"]', '["\\ud83d\\u0041"]',
    '{"a":"\\u0000","a":1}', '[1e131072]', '[1e131071]', '[1e-16383]', '[1e-16384]', '1e99999999999',
    json.dumps(['x' * 70_000]), json.dumps({'k' * 70_000: 'v' * 3, 'a': 1.5}),
    json.dumps(list(range(5000))), json.dumps([[]] * 100 + [{}] * 100),
    json.dumps({f'k{i % 300}': i for i in range(299)}), json.dumps([{'a': i} for i in range(100)]),
    '{' + ','.join(f'"key{i * 7919 % 1000}":{i}' for i in range(3000)) + '}',
    '{' + ','.join(f'"a":{i}' for i in range(500)) + '}',
    json.dumps([1.5, 'a', 2, 'bc', 3, None, 'def', 4, True, {}, 5, 'x', [], 6]),
    json.dumps({'a': 'x' * 1_000_000}), json.dumps([1] * 300_000)]
ODD_DOCUMENTS.remove('"')


def documents(rng):
    """Odd ones, generated ones, and those put together from these."""
    yield from ODD_DOCUMENTS
    parts = [document(rng) for _ in range(DOCUMENTS // 10)]
    yield from parts
    parts = [part for part in parts if len(part) < 200]
    keys = [key(rng) for _ in range(1000)]
    for _ in range(DOCUMENTS - DOCUMENTS // 10):
        count = int(rng.random() * 6)
        values = rng.choices(parts, k=count)
        if rng.random() < 0.3:
            yield f'[{",".join(values)}]'
        else:
            yield '{' + ','.join(map(':'.join, zip(rng.choices(keys, k=count), values))) + '}'


def large_documents(rng):
    """Documents of up to some 100 kB, more than what becomes nodes, each of many."""
    parts = [part for part in (document(rng) for _ in range(5000)) if len(part) > 20]
    for size in [5_000] * 30 + [300_000] * 20 + [2_000_000] * 2:
        values = []
        while size > 0:
            values.append(rng.choice(parts))
            size -= len(values[-1])
        keys = [key(rng) for _ in values]
        yield f'[{",".join(values)}]'
        yield '{' + ','.join(map(':'.join, zip(keys, values))) + '}'
        yield '[' * 500 + ','.join(values[:100]) + ']' * 500
    for value in ('"' + 'x' * 300_000 + '"', '"\\n' + 'x' * 300_000 + '\\u00e9"',
                  '{"' + 'k' * 300_000 + '":1}', '{"\\u0041' + 'k' * 300_000 + '":1}',
                  ' [' + '1,' * 200_000 + '1] ', '[' + '"",' * 100_000 + 'null]',
                  '[' + '[],' * 100_000 + '{}]', '{' + '"a":1,' * 50_000 + '"b":2}'):
        yield value


REFUSED = ['[' + '1,' * 200_000 + value + ']' for value in
           ('"\\u0000"', '{"\\u0000":1}', '"\\ud83d"', '1' * 200_000, '1e200000', '{"a":1e-99999}')]


def skeleton(rng, depth=0):
    """Members of an object: a key, and such members or None for a value."""
    return [(key(rng), skeleton(rng, depth + 1) if rng.random() < 0.3 - depth / 10 else None)
            for _ in range(size(rng, depth))]


def filled(rng, members, gap):
    values = (document(rng, rng.choice([2, 4, 4])) if inside is None else filled(rng, inside, gap)
              for _, inside in members)
    return '{' + ','.join(f'{name}:{gap}{value}'
                          for (name, _), value in zip(members, values)) + '}'


def shaped_documents(rng):
    """Documents that are shaped alike, ten each time, and odd ones."""
    for document in ODD_DOCUMENTS:
        yield from [document] * 2
    for _ in range(DOCUMENTS // 20):
        members, gap = skeleton(rng), space(rng)
        for _ in range(10):
            yield filled(rng, members, gap)


def numbers(rng):
    yield from NUMBERS
    for _ in range(50_000):
        yield number(rng)


def numbers_and_texts(rng):
    """Numbers of JSON, and strings that may be numbers of SQL."""
    for text in numbers(rng):
        yield text
        yield json.dumps(rng.choice(['', '', ' ', '+', '0']) + text + rng.choice(['', '', ' ']))
    for text in ('Infinity', '-infinity', 'inf', 'NaN', 'nan', '0x1F', '1_000', '.5', '5.', '1e',
                 '', ' ', '--1', 'one', '\u0661'):
        yield json.dumps(text)


def booleans():
    yield from ['true', 'false', '1', '0', '2', '1.0', '""', '[]', '{}']
    for word in ('true', 'false', 'yes', 'no', 'on', 'off', '1', '0', 't', 'fals', 'o', '2', 'truer'):
        for text in (word, word.upper(), f' {word}', f'{word} ', f'\u00a0{word}'):
            yield json.dumps(text)


def uuids(rng):
    for _ in range(20_000):
        text = list(str(uuid.UUID(int=rng.getrandbits(128))))
        if rng.random() < 0.3:
            text = list(''.join(text).upper())
        if rng.random() < 0.3:
            text[rng.randrange(36)] = rng.choice('0gG-{} \u00e9')
        if rng.random() < 0.1:
            del text[rng.randrange(36)]
        text = ''.join(text)
        yield json.dumps(rng.choice([text] * 6 + [f'{{{text}}}', text.replace('-', ''), f' {text}']))


def times(rng):
    for text in ('infinity', '-infinity', 'epoch', 'now ', '0001-01-01', '0000-01-01', '0044-03-15 BC',
                 '0001-01-01T00:00:00Z', '0001-12-31 23:59:59.999999+00 BC', '9999-12-31',
                 '10000-01-01', '294276-12-31T23:59:59.999999Z', '294277-01-01T00:00:00Z',
                 '4714-11-24 00:00:00+00 BC', '2016-12-31T23:59:60Z', '2016-12-31T23:59:60.5Z',
                 '2016-12-31T24:00:00Z', '2016-12-31T24:00:01Z', '1900-02-29', '2000-02-29',
                 '2026-02-29', '2026-W01-1', '2026-001', '20260102', '20260102T030405Z',
                 '2026-01-02T03:04:05.9999999Z', '2026-01-02T03:04:05.1234565Z',
                 '2026-01-02T03:04:05.Z', '2026-01-02T03:04:05,5Z', '2026-01-02T03:04:05+15:59',
                 '2026-01-02T03:04:05+16:00', '2026-01-02T03:04:05-15:59:59', '2026-01-02 +01:00',
                 '2026-01-02T03:04:05 America/New_York', '2026-01-02T03:04:05z', ''):
        yield json.dumps(text)
    for _ in range(50_000):
        day = f'{rng.choice([rng.randint(1, 9999), rng.randint(1900, 2100)]):04}-' \
              f'{rng.randint(1, 12 if rng.random() < 0.97 else 13):02}-' \
              f'{rng.randint(1, 28 if rng.random() < 0.8 else 32):02}'
        time = f'{rng.randint(0, 23 if rng.random() < 0.98 else 24):02}:' \
               f'{rng.randint(0, 59 if rng.random() < 0.98 else 60):02}' \
               f':{rng.randint(0, 59 if rng.random() < 0.98 else 60):02}'
        if rng.random() < 0.6:
            time += '.' + digits(rng, rng.choice([3, 6, 7]))
        zone = rng.choice(['', 'Z', '+00:00', '-00:00', f'{rng.choice("+-")}{rng.randint(0, 16):02}:'
                           f'{rng.choice([0, 30, 45, 59, 60]):02}', '+01', '-0330', ' UTC', 'z'])
        yield json.dumps(rng.choice([
            day, day, day + 'T' + time, day + ' ' + time, day + 'T' + time + zone,
            day + 'T' + time + zone, day + ' ' + time + zone, day + zone, f' {day}T{time}Z ',
            day.replace('-', '/'), day + 't' + time + 'Z', day + 'T' + time[:5] + zone]))
    yield from ['20260102', '1767322800', '{}', 'true']


def texts(rng):
    yield from [r'"\u0000"', r'"a\u0000"', r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\u0041"', '""']
    for _ in range(20_000):
        yield document(rng, rng.choice([0, 4]))


# the comparison

@pytest.fixture
def compare(unit):
    """compare(values, type): what is made of a value without the input function is what
    the function makes of its text, and what is refused the function refuses with the same
    SQLSTATE.  Returns {outcome: number of values}."""
    def run(values, kind, typmod=-1, made=None, shaped=False):
        # the text of a value, as json tells it, and what the type makes of it
        made = made or f"(t::json #>> '{{}}')::{kind}"
        with unit.transaction(force_rollback=True):
            unit.execute('CREATE TEMP TABLE doc (t text)')
            with unit.cursor() as cursor, cursor.copy('COPY doc FROM STDIN') as copy:
                for value in values:
                    copy.write_row((value,))
            unit.execute(f"""
                CREATE TEMP TABLE tried AS SELECT t, (d).value, (d).outcome
                FROM (SELECT t, unit.row_value(t, NULL::{kind}, {typmod}, {shaped}) AS d FROM doc
                      OFFSET 0) AS x""")
            assert unit.execute(f"""
                SELECT left(t, 200) FROM tried WHERE CASE WHEN outcome = 'done' THEN
                NOT record_image_eq(ROW(value), ROW({made})) END LIMIT 5""").fetchall() == []
            for text, outcome in unit.execute("""
                    SELECT t, outcome FROM tried WHERE outcome NOT IN ('done', 'call', 'null')
                    LIMIT 200""").fetchall():
                with pytest.raises(psycopg.Error) as raised, unit.transaction():
                    unit.execute(f'SELECT {made} FROM (VALUES (%s)) AS d (t)', (text,))
                assert raised.value.sqlstate == outcome, text
            return dict(unit.execute('SELECT outcome, count(*) FROM tried GROUP BY 1').fetchall())
    return run


def test_jsonb(compare):
    outcomes = compare(documents(random.Random(1)), 'jsonb', made='t::jsonb')
    # what is left to the function is odd: numbers of extreme size, no text
    assert outcomes['call'] < DOCUMENTS / 10
    assert outcomes.keys() == {'done', 'call', 'null'}


def test_jsonb_of_documents_shaped_alike(compare):
    outcomes = compare(shaped_documents(random.Random(9)), 'jsonb', made='t::jsonb', shaped=True)
    assert outcomes['done'] > DOCUMENTS / 3
    assert outcomes.keys() <= {'done', 'call', 'null'}


def test_large_jsonb(compare):
    outcomes = compare(large_documents(random.Random(10)), 'jsonb', made='t::jsonb')
    assert outcomes.keys() == {'done'}


@pytest.mark.parametrize('document', REFUSED, ids=[each[-20:] for each in REFUSED])
def test_large_jsonb_that_is_refused(unit, document):
    """With what the function says."""
    with pytest.raises(psycopg.Error) as expected:
        unit.execute('SELECT %s::jsonb', (document,))
    try:
        outcome, = unit.execute('SELECT (unit.row_value(%s, NULL::jsonb, -1, false)).outcome',
                                (document,)).fetchone()
    except psycopg.Error as raised:     # by the function that makes numbers
        outcome = raised.sqlstate
    assert outcome == expected.value.sqlstate


def test_json(compare):
    outcomes = compare(texts(random.Random(2)), 'json', made='t::json')
    assert outcomes.keys() == {'done', 'null'}


@pytest.mark.parametrize('kind, refused', [
    ('smallint', ['22003', '22P02']), ('int', ['22003', '22P02']),
    ('bigint', ['22003', '22P02']),
    ('float8', []), ('numeric', [])])
def test_numbers(compare, kind, refused):
    made = None
    if refused:         # a number of JSON may be whole however it is spelled
        made = f"""(CASE WHEN json_typeof(t::json) <> 'number' THEN (t::json #>> '{{}}')::{kind}
            WHEN trunc(t::numeric) = t::numeric THEN trim_scale(t::numeric)::text::{kind}
            ELSE ('not ' || trunc(t::numeric)::text::{kind})::{kind} END)"""
    outcomes = compare(numbers_and_texts(random.Random(3)), kind, made=made)
    assert outcomes.keys() == {'done', 'call', *refused}
    assert outcomes['done'] > 10_000


def test_boolean(compare):
    outcomes = compare(booleans(), 'boolean')
    assert outcomes.keys() == {'done', 'call'}


def test_uuid(compare):
    outcomes = compare(uuids(random.Random(4)), 'uuid')
    assert outcomes['done'] > 8000 and outcomes['call'] > 8000


@pytest.mark.parametrize('zone, style', [
    ('UTC', 'ISO, MDY'), ('America/New_York', 'SQL, DMY'), ('Asia/Kolkata', 'German, YMD')])
@pytest.mark.parametrize('kind', ['date', 'timestamp', 'timestamptz'])
def test_times(compare, unit, kind, zone, style):
    unit.execute(f"SET TimeZone = '{zone}'; SET DateStyle = '{style}'")
    try:
        outcomes = compare(times(random.Random(5)), kind)
    finally:
        unit.execute('RESET TimeZone; RESET DateStyle')
    assert outcomes.keys() == {'done', 'call'}
    assert outcomes['done'] > 4000


def test_text(compare):
    outcomes = compare(texts(random.Random(6)), 'text')
    assert outcomes.keys() - {'done', 'null'} == {'22P02', '22P05'}


@pytest.mark.parametrize('most', [1, 5, 300])
def test_varchar(compare, most):
    modifier = most + 4
    made = f"varcharin(textout(t::json #>> '{{}}'), 0, {modifier})"
    outcomes = compare(texts(random.Random(7)), 'varchar', modifier, made)
    assert outcomes['done'] > 500 and outcomes['call'] > 0


@pytest.mark.parametrize('kind', ['numeric', 'jsonb', 'text', 'timestamptz'])
def test_arrays(compare, kind):
    rng = random.Random(8)
    items = {'numeric': number, 'timestamptz': None}.get(kind, lambda rng: document(rng, 2))
    items = list(times(rng)) if items is None else [items(rng) for _ in range(5000)]
    items.append('null')
    element = "nullif(x::text, 'null')::jsonb" if kind == 'jsonb' else f'x::{kind}'
    elements = 'json_array_elements' + ('' if kind == 'jsonb' else '_text')
    if kind == 'text':      # where an array of arrays is one of two dimensions
        made = "(SELECT v FROM json_to_record(json_build_object('v', t::json)) AS r (v text[]))"
    else:
        made = f'ARRAY(SELECT {element} FROM {elements}(t::json) AS x)'
    outcomes = compare(
        ['[]'] + [f'[{",".join(rng.choices(items, k=rng.randint(1, 4)))}]' for _ in range(5000)],
        f'{kind}[]', made=made)
    assert outcomes['done'] > 100
