"""Numbers that are times, whole numbers, bytes in base64: a value lands as what was
meant, or is refused."""
import base64
import decimal
import json
import random

import psycopg
import pytest

USECS = {'s': 10**6, 'ms': 10**3, 'us': 1, 'ns': decimal.Decimal('0.001'), 'days': 86400 * 10**6}
SEED = 12


@pytest.fixture
def land(db, stream_of):
    """land([(column, value), ...]): what becomes of each value of JSON in a column of its
    own, of a type and options: its text, or the reason for refusing the record."""
    def run(cases):
        columns = {column: f'c{i}' for i, column in enumerate(dict.fromkeys(c for c, _ in cases))}
        db.foreign_table('t', ', '.join(f'{name} {column}' for column, name in columns.items()) +
                         ", n int OPTIONS (metadata 'partition_key')"
                         ", reason text OPTIONS (metadata 'decode_error')",
                         stream_of([(f'{{"{columns[column]}":{value}}}', str(n))
                                    for n, (column, value) in enumerate(cases)]), on_error='null')
        texts = ', '.join(f'{name}::text' for name in columns.values())
        return [row[1].partition(': ')[2] if row[1] else row[0] for row in db.sql(
            f'SELECT coalesce({texts}), reason FROM t ORDER BY n')]
    return run


def quoted(texts):
    return [json.dumps(text) for text in texts]


def refused(text, kind):
    return (f"{text} is not of type {kind}: column option epoch 's', 'ms', 'us', 'ns' or 'days' "
            'says what a number counts')


# without the option

KINDS = {'timestamptz': 'timestamp with time zone', 'timestamptz(0)': 'timestamp with time zone',
         'timestamp': 'timestamp without time zone', 'date': 'date',
         'time': 'time without time zone', 'timetz': 'time with time zone'}


def test_a_number_alone_is_no_time(land):
    numbers = ['1700001015', '1700001015123', '1700001015.5', '1.7e9', '-1', '0', '20260203',
               '20260203040506', '123456', '1234', '19675']
    strings = ['1700001015', ' 1700001015 ', '1700001015123', '1700001015123456789', '123456',
               '1700001015.25', '1.7e9', '-1700001015', '12345', '1234', '1700001015Z', '123456.5']
    cases = [(kind, text) for kind in KINDS for text in numbers + strings]
    assert land([(kind, text) for kind in KINDS for text in numbers + quoted(strings)]) == [
        refused(text, KINDS[kind]) for kind, text in cases]


def test_the_basic_form_of_iso_8601_is_a_time(db, land):
    db.sql("SET TimeZone = 'Asia/Kolkata'")
    texts = ['20260203', '20260203040506', '20260203040506.25', ' 20260203040506 ',
             '20260203T040506Z', '20260230', '20261301040506']
    rows = land([(kind, text) for kind in ('timestamptz', 'timestamp', 'date', 'timestamp(1)')
                 for text in quoted(texts)])
    tz, plain, day, rounded = (rows[i:i + 7] for i in (0, 7, 14, 21))
    assert tz[:5] == [f'2026-02-03 {text}+05:30' for text in (
        '00:00:00', '04:05:06', '04:05:06.25', '04:05:06', '09:35:06')]
    assert plain[:5] == [f'2026-02-03 {text}' for text in (
        '00:00:00', '04:05:06', '04:05:06.25', '04:05:06', '04:05:06')]
    assert day[:5] == ['2026-02-03'] * 5 and rounded[2] == '2026-02-03 04:05:06.3'
    assert all('out of range' in row for part in (tz, plain, day, rounded) for row in part[5:])


def test_digits_of_a_date_are_no_time_of_day(land):
    digits = ['45296000', '20260203040506']
    assert land([('time', text) for text in quoted(digits + ['12:34:56', 'T040506'])]) == [
        *(refused(text, KINDS['time']) for text in digits), '12:34:56', '04:05:06']


def test_words_that_mean_another_time_each_time(land):
    texts = ['now', ' NOW ', 'today', 'Tomorrow', 'yesterday', '12:00 today', 'today 12:00 UTC']
    assert land([(kind, text) for kind in KINDS for text in quoted(texts)]) == [
        f'"{text}" is not of type {KINDS[kind]}: it depends on when it is read'
        for kind in KINDS for text in texts]


def test_words_that_mean_the_same_time_each_time(land):
    assert land([(kind, text) for kind in ('timestamp', 'date')
                 for text in quoted(['epoch', 'infinity', '-infinity'])]) == [
        '1970-01-01 00:00:00', 'infinity', '-infinity', '1970-01-01', 'infinity', '-infinity']


def test_times_within_others(db, land):
    db.sql('CREATE DOMAIN moment AS timestamptz; CREATE TYPE visit AS (at timestamp, page text)')
    for row in land([
            ('timestamptz[]', '[1700001015]'), ('timestamptz[]', '["now"]'),
            ('timestamptz[]', '"{1700001015}"'), ('date[]', '"{today}"'),
            ('date[]', '"{{\\"today\\"}}"'), ('tstzrange', '"[now,)"'),
            ('daterange', '"[2026-01-01,tomorrow]"'), ('tsrange', '"[2026-01-01,1700001015)"'),
            ('tstzmultirange', '"{[now,]}"'), ('moment', '1700001015'), ('moment', '"now"'),
            ('moment[]', '["today"]'), ('visit', '{"at":1700001015}'),
            ('visit[]', '[{"at":"now"}]')]):
        assert 'option epoch' in row or 'depends on when' in row


def test_times_within_others_that_are_meant(db, land):
    db.sql('CREATE TYPE visit AS (at timestamp, page text)')
    assert land([('date[]', '"{2026-01-02,20260103,NULL}"'),
                 ('tsrange', '"[2026-01-01,2026-01-02 03:04)"'), ('visit', '"(2026-01-01,now)"'),
                 ('visit', '{"at":"2026-01-01","page":"now"}')]) == [
        '{2026-01-02,2026-01-03,NULL}', '["2026-01-01 00:00:00","2026-01-02 03:04:00")',
        *['("2026-01-01 00:00:00",now)'] * 2]


# with it

def number_of(rng):
    """A number as producers write it, and as it is."""
    whole = rng.choice([rng.randint(-10**10, 10**10), rng.randint(-10**4, 10**6), 0,
                        rng.randint(-10**17, 10**17)])
    text = str(whole)
    if rng.random() < 0.5:
        text += '.' + ''.join(rng.choices('0123456789', k=rng.choice([1, 3, 6, 7, 12, 40])))
    if rng.random() < 0.3:
        text += rng.choice('eE') + str(rng.choice(['', '+', '-'])) + str(rng.randint(0, 12))
    return text


def test_epochs_are_right_to_the_microsecond(db, land):
    """Against calculation in numeric, in every unit: 5000 numbers."""
    rng = random.Random(SEED)
    db.sql("SET TimeZone = 'America/New_York'")
    cases = [(rng.choice(list(USECS)), number_of(rng)) for _ in range(5000)]
    rows = land([(f"timestamptz OPTIONS (epoch '{unit}')",
                  text if rng.random() < 0.8 else f'"{text}"') for unit, text in cases])
    expected = db.sql("""
        SELECT CASE WHEN usecs BETWEEN -210866803200000000 AND 9223372036854775807 THEN
            ('1970-01-01Z'::timestamptz + trunc(usecs / 86400e6)::int * interval '24:00' +
             mod(usecs, 86400e6)::bigint * interval '1us')::text END
        FROM (SELECT round(number::numeric * unit) AS usecs, i
              FROM unnest(%s::text[], %s::numeric[]) WITH ORDINALITY AS u (number, unit, i)) AS x
        ORDER BY i""", [text for _, text in cases], [decimal.Decimal(USECS[unit]) for unit, _ in cases])
    landed = 0
    for case, row, (made,) in zip(cases, rows, expected):
        if made is None:
            made = f'epoch {case[1]} is out of range for type timestamp with time zone'
        else:
            landed += 1
        assert row == made, (case, SEED)
    assert landed > 2000


def test_epochs_at_the_ends(land):
    zero, last = '1970-01-01 00:00:00+00', '1969-12-31 23:59:59.999999+00'
    cases = {'-0': zero, '-0.0000004': zero, '-0.0000005': last, '-0.000001': last,
             '0.0000005': '1970-01-01 00:00:00.000001+00', '1e400000000': None,
             '-1e400000000': None, '1e-400000000': zero, '0e999999999999999999999': zero,
             '9224318015999.999999': '294276-12-31 23:59:59.999999+00', '9224318016000': None,
             '-210866803200': '4714-11-24 00:00:00+00 BC', '-210866803201': None,
             '1' + '0' * 100_000 + 'e-100000': '1970-01-01 00:00:01+00',
             '0.' + '0' * 100_000 + '17e100010': '2023-11-14 22:13:20+00', '1' * 100_000: None}
    rows = land([("timestamptz OPTIONS (epoch 's')", text) for text in cases])
    for row, (text, made) in zip(rows, cases.items()):
        assert row == made if made else 'is out of range for type' in row and len(row) < 700, text[:30]


def test_epochs_of_dates_and_of_the_time_of_day(db, land):
    db.sql("SET TimeZone = 'Pacific/Auckland'")
    cases = [('date', 'ms', '1700001015999', '2023-11-14'), ('date', 'ms', '-1', '1969-12-31'),
             ('date', 'ms', '-86400000', '1969-12-31'), ('date', 'ms', '-86400001', '1969-12-30'),
             ('date', 'ms', '86399999.999', '1970-01-01'), ('date', 'days', '19675', '2023-11-14'),
             ('date', 'days', '19675.99', '2023-11-14'), ('date', 'days', '-0.5', '1969-12-31'),
             ('date', 'days', '2145042905', '5874897-12-31'), ('date', 'days', '2145042906', None),
             ('time', 'us', '45296000001', '12:34:56.000001'), ('time', 'us', '0', '00:00:00'),
             ('time', 'us', '"-0"', '00:00:00'), ('time', 'us', '86400000000', '24:00:00'),
             ('time', 'ms', '-1', None), ('time', 'ms', '86400001', None),
             ('time', 'ms', '1e30', None), ('time', 'days', '0.5', '12:00:00'),
             ('time(1)', 'days', '0.0000017', '00:00:00.1'), ('time', 'days', '1', '24:00:00'),
             ('timestamp(0)', 's', '1.6', '1970-01-01 00:00:02'),
             ('timestamptz(0)', 'ns', '-1400000000', '1970-01-01 11:59:59+12')]
    # New Zealand was at +12 in 1970
    rows = land([(f"{kind} OPTIONS (epoch '{unit}')", value) for kind, unit, value, _ in cases])
    for row, case in zip(rows, cases):
        assert row == case[-1] if case[-1] else \
            'is out of range for type' in row, case


def test_what_is_no_epoch(land):
    values = ['"2026-01-02T03:04:05Z"', '"now"', '""', '" 1"', '"+1"', '"1e"', '"0x1F"', '".5"',
              '"5."', '"NaN"', '"infinity"', 'true', '{}', '[1]', '"1_000"']
    assert land([("timestamptz OPTIONS (epoch 's')", value) for value in values]) == [
        '"{}" is not a number, which column option epoch requires'.format(value.strip('"'))
        for value in values]


def test_epochs_of_arrays_and_domains(db, land):
    db.sql("CREATE DOMAIN lately AS timestamptz CHECK (value > '2020-01-01')")
    violated = 'value for domain lately violates check constraint "lately_check"'
    assert land([
        ("timestamptz[] OPTIONS (epoch 's')", '[[0,null],["1.5",-1]]'),
        ("lately OPTIONS (epoch 'ms')", '1700001015000'),
        ("lately[] OPTIONS (epoch 'ms')", '[1700001015000]'), ("lately OPTIONS (epoch 'ms')", '1'),
        ("lately[] OPTIONS (epoch 'ms')", '[1]'), ("timestamptz[] OPTIONS (epoch 's')", '"{0}"'),
    ]) == ['{{"1970-01-01 00:00:00+00",NULL},{"1970-01-01 00:00:01.5+00","1969-12-31 23:59:59+00"}}',
           '2023-11-14 22:30:15+00', '{"2023-11-14 22:30:15+00"}', violated, violated,
           'JSON string cannot be converted to an array']


def test_what_is_published_as_an_epoch_is_read_back(db, stream_of):
    """Whatever TimeZone says, in every unit: 200 times of each type, and the ends of each."""
    kinds = {'tz': 'timestamptz', 'ts': 'timestamp', 'd': 'date', 'h': 'time', 'a': 'timestamptz[]'}
    db.foreign_table('t', 'n int, ' + ', '.join(
        f"{name}_{unit} {kind} OPTIONS (epoch '{unit}')"
        for unit in USECS for name, kind in kinds.items()), stream_of([]))
    db.sql("SET TimeZone = 'Asia/Kathmandu'; SELECT setseed(0.12)")
    db.sql(f"""CREATE TABLE o AS SELECT n, {', '.join(
        f'{name} AS {name}_{unit}' for unit in USECS for name in kinds)}
        FROM (SELECT i AS n, '1970-01-01Z'::timestamptz + s AS tz, '1970-01-01'::timestamp - s AS ts,
                '1970-01-01'::date + (random() * 1e5 - 5e4)::int AS d, '00:00'::time + s AS h,
                ARRAY['1970-01-01Z'::timestamptz + s, NULL] AS a
            FROM (SELECT i, ((random() - 0.4) * 3e15)::bigint * interval '1us' AS s
                  FROM generate_series(1, 200) i) AS x
            UNION ALL VALUES
                (501, '4714-11-24 BC Z'::timestamptz, '4714-11-24 BC'::timestamp,
                 '4714-11-24 BC'::date, '00:00'::time, '{{}}'::timestamptz[]),
                (502, '294276-12-31 23:59:59.999999Z', '294276-12-31 23:59:59.999999',
                 '5874897-12-31', '24:00', '{{{{2026-01-01Z,2026-01-02Z}},{{2026-01-03Z,NULL}}}}'),
                (503, '1970-01-01Z', '1970-01-01', '1970-01-01', '00:00:00.000001', NULL)) AS y""")
    db.sql('INSERT INTO t SELECT * FROM o')
    db.sql("SET TimeZone = 'America/New_York'")
    assert db.value('SELECT count(*) FROM t') == 203
    assert db.sql('(TABLE o EXCEPT TABLE t) UNION ALL (TABLE t EXCEPT TABLE o)') == []


def test_how_an_epoch_is_written(db, stream_of):
    db.sql("SET TimeZone = 'America/New_York'")
    db.foreign_table('t', """s timestamptz OPTIONS (epoch 's'), ms timestamptz OPTIONS (epoch 'ms'),
        us timestamptz OPTIONS (epoch 'us'), ns timestamptz OPTIONS (epoch 'ns'),
        days timestamptz OPTIONS (epoch 'days'), d date OPTIONS (epoch 'ns'),
        h time OPTIONS (epoch 's'), a timestamptz[] OPTIONS (epoch 's'),
        raw text OPTIONS (metadata 'data')""", stream_of([]))
    db.sql("""INSERT INTO t SELECT v, v, v, v, v, '2023-11-14', '12:34:56.5', ARRAY[v, NULL]
              FROM (VALUES ('2023-11-14 22:30:15.12Z'::timestamptz), ('1969-12-31 12:00Z')) AS x (v)""")
    assert db.sql('SELECT raw FROM t') == [
        ('{"s":1700001015.12,"ms":1700001015120,"us":1700001015120000,"ns":1700001015120000000,'
         '"days":19675.937675,"d":1699920000000000000,"h":45296.5,"a":[1700001015.12,null]}',),
        ('{"s":-43200,"ms":-43200000,"us":-43200000000,"ns":-43200000000000,"days":-0.5,'
         '"d":1699920000000000000,"h":45296.5,"a":[-43200,null]}',)]
    for value in ("(s) VALUES ('infinity')", "(d) VALUES ('-infinity')"):
        with pytest.raises(psycopg.Error, match='cannot be written as an epoch') as raised:
            db.sql(f'INSERT INTO t {value}')
        assert raised.value.sqlstate == '22008'


def test_a_pipeline_lands_epochs(db, source, kinesalite, put):
    """Into a plain target, without the executor."""
    stream = source()
    db.sql("DROP FOREIGN TABLE src; CREATE TABLE landed (at timestamptz, n int)")
    db.foreign_table('src', "at timestamptz OPTIONS (epoch 'ms'), n int", stream)
    put(kinesalite.client(), stream, [{'at': 1700001015123, 'n': 1e3}, '{"at":1.5e3,"n":2.0}',
                                      '{"at":"no","n":3}'])
    db.pipeline('p', 'src', target='landed', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT extract(epoch FROM at)::float8, n FROM landed ORDER BY 1') == [
        (1.5, 2), (1700001015.123, 1000)]
    assert 'option epoch' in db.value('SELECT reason FROM tracking.dead_letter')


# which columns have the option

def test_types_that_the_options_are_not_for(db, stream_of):
    stream = stream_of(['{}'])
    db.sql('CREATE TYPE visit AS (at timestamp)')
    for column in ("int OPTIONS (epoch 's')", "text OPTIONS (epoch 'ms')",
                   "jsonb OPTIONS (epoch 'ms')", "timetz OPTIONS (epoch 's')",
                   "interval OPTIONS (epoch 's')", "int[] OPTIONS (epoch 's')",
                   "text OPTIONS (base64 'true')", "timestamptz OPTIONS (base64 'true')",
                   "visit OPTIONS (epoch 's')"):
        db.sql('DROP FOREIGN TABLE IF EXISTS t')
        db.foreign_table('t', f'v {column}', stream)
        for statement in ('SELECT * FROM t', 'INSERT INTO t VALUES (NULL)'):
            with pytest.raises(psycopg.Error, match='column "v" with option') as raised:
                db.sql(statement)
            assert raised.value.sqlstate == 'HV004'
            assert 'Make it a column of type' in raised.value.diag.message_hint


def test_options_that_make_no_sense(db, sql_server):
    sql_server(db, 'http://127.0.0.1:1')
    for options in ("epoch 'sec'", "epoch ''", "base64 'maybe'", "epoch 's', base64 'true'",
                    "epoch 's', metadata 'data'", "base64 'true', metadata 'data'"):
        with pytest.raises(psycopg.Error) as raised:
            db.foreign_table('t', f'v timestamptz OPTIONS ({options})', 's')
        assert raised.value.sqlstate in ('HV024', 'HV00D')
    db.foreign_table('t', "v timestamptz OPTIONS (epoch 's')", 's')
    db.sql("ALTER FOREIGN TABLE t ALTER v OPTIONS (SET epoch 'ms')")


def test_options_of_a_raw_table(db, stream_of):
    db.foreign_table('t', "v timestamptz OPTIONS (epoch 's')", stream_of(['1']), format='raw')
    with pytest.raises(psycopg.Error, match='format "raw" does not take'):
        db.sql('SELECT * FROM t')


# whole numbers

WHOLE = {'1790.0': 1790, '1.79E+3': 1790, '1e4': 10000, '17900e-1': 1790, '0.0179e5': 1790,
         '1.000': 1, '100000e-5': 1, '-0.0': 0, '0e400000000': 0, '-1.5e1': -15,
         '1' + '0' * 50_000 + 'e-50000': 1}


def test_whole_numbers_however_they_are_spelled(db, land):
    db.sql('CREATE DOMAIN small AS int CHECK (value < 20000)')
    kinds = ('smallint', 'int', 'bigint', 'small')
    assert land([(kind, text) for kind in kinds for text in WHOLE] +
                [(f'{kind}[]', f'[[{text}],[null]]') for kind in kinds for text in WHOLE]) == [
        *[str(n) for _ in kinds for n in WHOLE.values()],
        *[f'{{{{{n}}},{{NULL}}}}' for _ in kinds for n in WHOLE.values()]]


def test_whole_numbers_at_the_ends(land):
    cases = [('bigint', '9223372036854775807.0', '9223372036854775807'),
             ('bigint', '-9.223372036854775808e18', '-9223372036854775808'),
             ('int', '2147483647.0', '2147483647'), ('int', '-2.147483648e9', '-2147483648'),
             ('smallint', '3.2767e4', '32767'), ('smallint', '-32768.00', '-32768')]
    assert land([case[:2] for case in cases]) == [case[2] for case in cases]


def test_numbers_that_are_not_whole_or_too_large(land):
    """Without taking time or memory."""
    names = {'smallint': 'smallint', 'int': 'integer', 'bigint': 'bigint'}
    fractions = ['12.5', '1e-1', '1790.0000000000000000000000001', '1e-400000000', '0.1e0']
    ranges = ['1e19', '1e400000000', '-1e400000000', '9223372036854775808.0', '1' * 30]
    rows = land([(kind, text) for kind in names for text in fractions + ranges])
    assert rows == [reason for name in names.values() for reason in (
        *(f'invalid input syntax for type {name}: "{text}"' for text in fractions),
        *(f'value "{text}" is out of range for type {name}' for text in ranges))]


def test_a_string_is_what_the_input_function_takes(land):
    assert land([('int', '"1790"'), ('int', '"1790.0"'), ('int', '"1e3"')]) == [
        '1790', 'invalid input syntax for type integer: "1790.0"',
        'invalid input syntax for type integer: "1e3"']


# bytes

def test_bytes_in_base64(db, stream_of):
    stored = [bytes(range(n)) for n in (0, 1, 2, 3, 255)]
    db.foreign_table('t', """v bytea OPTIONS (base64 'true'), a bytea[] OPTIONS (base64 'true'),
                             plain bytea OPTIONS (base64 'false'),
                             raw text OPTIONS (metadata 'data')""",
                     stream_of([{'v': base64.b64encode(each).decode(), 'plain': '\\x00'}
                                for each in stored]))
    assert db.sql('SELECT v, plain FROM t') == [(each, b'\0') for each in stored]
    db.sql('INSERT INTO t VALUES (%s, %s)', stored[4], [stored[3], None, stored[0]])
    v, a, raw = db.sql('SELECT v, a, raw FROM t WHERE a IS NOT NULL')[0]
    assert (v, a) == (stored[4], [stored[3], None, stored[0]])
    assert json.loads(raw) == {'v': base64.b64encode(stored[4]).decode(), 'a': ['AAEC', None, '']}


def test_what_is_no_base64(land):
    values = ['"AAE"', '"AAE_"', '"A A="', '"\\\\x00"', '1234', 'true', '{}', '"AAF="']
    assert land([("bytea OPTIONS (base64 'true')", value) for value in values]) == [
        'value is not a string of base64, which column option base64 requires'] * len(values)
