"""Values made of others: what a document becomes is what json_populate_record() makes of
it, and what INSERT writes is read back, on generated types and values."""
import json
import random

import pytest

SEEDS = (3, 4)
TYPES = 40
DOCUMENTS = 12      # of each type


# generators: a type is its name in SQL and a function that makes a value for JSON

class Types:
    """Types made in a database, of those before them; json_populate_record() makes no hstore
    of an object."""

    def __init__(self, db, rng, hstore):
        self.db, self.rng, self.hstore, self.n = db, rng, hstore, 0
        db.sql('CREATE EXTENSION hstore')
        db.sql("CREATE TYPE mood AS ENUM ('sad', 'ok', 'so so')")

    def scalar(self):
        rng = self.rng
        word = lambda: ''.join(rng.choices(['a', 'B', ' ', '"', '\\', ',', '{', '}', '(', 'é', "'",
                                            'NULL', '\n', '=>', '1'], k=rng.randint(0, 6)))
        day = lambda: f'{rng.randint(1, 2500):04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}'
        clock = lambda: f'{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}' + \
            rng.choice(['', '.5', '.123456'])
        number = lambda: rng.choice([0, 1, -5, 2147483647, rng.randint(-10**6, 10**6)])
        return rng.choice([
            ('int', number), ('bigint', number), ('text', word), ('varchar(9)', lambda: word()[:9]),
            ('numeric', lambda: rng.choice([1.5, -0.001, 10**20, 'NaN', '1.50'])),
            ('float8', lambda: rng.choice([1.5, 1e300, 'Infinity', 'NaN', 0.1])),
            ('boolean', lambda: rng.random() < 0.5), ('date', day), ('time', clock),
            ('timestamp', lambda: f'{day()}T{clock()}'),
            ('timestamptz', lambda: f'{day()} {clock()}{rng.choice(["Z", "+05:30", "-08:00"])}'),
            ('interval', lambda: f'{number()} days {clock()}'),
            ('uuid', lambda: '%032x' % rng.getrandbits(128)),
            ('bytea', lambda: '\\x%04x' % rng.getrandbits(16)),
            ('jsonb', lambda: rng.choice([{}, [], [1, [2]], {'a': [word(), None]}, word(), 1.5, True])),
            ('mood', lambda: rng.choice(['sad', 'ok', 'so so'])),
            ('hstore' if self.hstore else 'text', lambda: rng.choice(['', '"a"=>"1", "b"=>NULL', '"k \\"q"=>"v,\\\\", "é"=>"=>"'])),
            ('int4range', lambda: rng.choice(['[1,5)', '(,3)', 'empty'])),
            ('tstzrange', lambda: f'["{day()} {clock()}Z",)'),
            ('datemultirange', lambda: rng.choice(['{}', '{[2026-01-01,2026-02-01),[2026-03-01,)}']))])

    def maybe(self, make):
        return lambda: None if self.rng.random() < 0.15 else make()

    def array(self, depth):
        kind, make = self.type(depth)
        if kind.endswith('[]') or kind.startswith(('list', 'jsonb')):
            return kind, make   # which json_populate_record() does not read back

        def values(dims):
            return [values(dims[1:]) if dims[1:] else self.maybe(make)() for _ in range(dims[0])]
        return kind + '[]', lambda: values([self.rng.randint(1, 3)
                                            for _ in range(self.rng.randint(1, 3))]) \
            if self.rng.random() < 0.9 else []

    def composite(self, depth):
        parts = {f'{self.rng.choice(["a", "B c", "é"])}{i}': self.type(depth)
                 for i in range(self.rng.randint(1, 4))}
        self.n += 1
        listed = ', '.join(f'"{name}" {kind}' for name, (kind, _) in parts.items())
        self.db.sql(f'CREATE TYPE row{self.n} AS ({listed})')
        return f'row{self.n}', lambda: {name: self.maybe(make)() for name, (_, make) in parts.items()
                                        if self.rng.random() < 0.9}

    def domain(self, depth):
        kind, make = self.type(depth)
        self.n += 1
        name = ('list' if kind.endswith('[]') or kind.startswith('list') else
                'jsonb_' if kind.startswith('jsonb') else 'dom') + str(self.n)
        self.db.sql(f"CREATE DOMAIN {name} AS {kind} CHECK (value::text IS DISTINCT FROM '7')")
        return name, make

    def type(self, depth):
        kind = self.rng.random()
        if depth == 0 or kind < 0.3:
            return self.scalar()
        return (self.array if kind < 0.6 else self.composite if kind < 0.85 else
                self.domain)(depth - 1)


def broken(rng, value):
    """The same with something that may not be right in it."""
    if isinstance(value, list) and value and rng.random() < 0.8:
        i = rng.randrange(len(value))
        return value[:i] + [broken(rng, value[i])] + value[i + 1:]
    if isinstance(value, dict) and value and rng.random() < 0.8:
        return {**value, rng.choice(list(value)): broken(rng, rng.choice(list(value.values())))}
    return rng.choice([[], {}, [[]], 'x', '{}', True, [value], [value, [value]], {'a0': value}, None])


@pytest.fixture
def holder(db, stream_of):
    """holder(seed): tables whose columns have generated types, f over a stream and o, and
    documents for them, each (column, text of JSON)."""
    def make(seed, may_be_broken):
        rng = random.Random(seed)
        types = Types(db, rng, hstore=not may_be_broken)
        made = [types.type(3) for _ in range(TYPES)]
        columns = ', '.join(f'c{i} {kind}' for i, (kind, _) in enumerate(made))
        documents = []
        for i, (_, value) in enumerate(made):
            for k in range(DOCUMENTS):
                document = value()
                if may_be_broken and k % 3 == 0:
                    document = broken(rng, document)
                documents.append((i, json.dumps({f'c{i}': document}, ensure_ascii=False)))
        db.sql(f'CREATE TABLE o (n int, {columns})')
        stream = stream_of([(text, str(n)) for n, (_, text) in enumerate(documents)]
                           if may_be_broken else [])
        key = "n int OPTIONS (metadata 'partition_key'), " if may_be_broken else 'n int, '
        db.foreign_table('f', key + columns + (
            ", reason text OPTIONS (metadata 'decode_error')" if may_be_broken else ''),
            stream, **({'on_error': 'null'} if may_be_broken else {}))
        return made, documents
    return make


POPULATE = """
    CREATE FUNCTION populate(document json) RETURNS SETOF o LANGUAGE plpgsql AS $$ BEGIN
        RETURN QUERY SELECT (json_populate_record(NULL::o, document)).*;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded
        OR undefined_function OR wrong_object_type OR array_subscript_error THEN RETURN;
    END $$"""


@pytest.mark.parametrize('seed', SEEDS)
def test_a_document_becomes_what_json_populate_record_makes_of_it(db, holder, seed):
    made, documents = holder(seed, True)
    db.sql(POPULATE)
    listed = ', '.join(f'c{i}::text' for i in range(TYPES))
    rows = {row[0]: row[1:] for row in db.sql(f'SELECT n, reason, {listed} FROM f')}
    refused = 0
    for n, (i, text) in enumerate(documents):
        expected = db.sql(f'SELECT c{i}::text FROM populate(%s::json)', text)
        told = (seed, made[i][0], text, rows[n][0])
        if expected:
            assert rows[n][0] is None and rows[n][1 + i] == expected[0][0], told
        else:
            assert rows[n][0] is not None, told
            refused += 1
    assert refused < len(documents) / 3


@pytest.mark.parametrize('seed', [seed + 10 for seed in SEEDS])
def test_what_is_published_is_read_back(db, holder, seed):
    made, documents = holder(seed, False)
    for n, (i, text) in enumerate(documents):
        db.sql(f'INSERT INTO o (n, c{i}) SELECT %s, c{i} FROM json_populate_record(NULL::o, %s)',
               n, text)
    db.sql("SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German'; SET bytea_output = 'escape'")
    db.sql('INSERT INTO f SELECT * FROM o')
    db.sql("RESET DateStyle; SET TimeZone = 'America/New_York'")
    for i, (kind, _) in enumerate(made):
        assert db.sql(f"""SELECT o.n, o.c{i}::text, f.c{i}::text FROM o JOIN f USING (n)
            WHERE o.c{i}::text IS DISTINCT FROM f.c{i}::text LIMIT 3""") == [], (seed, kind)
    assert db.value('SELECT count(*) FROM f') == len(documents)


def test_arrays_of_several_dimensions(db, stream_of):
    db.foreign_table('t', 'v text[], i int[], reason text OPTIONS (metadata \'decode_error\')',
                     stream_of(['{"v":[["a","b"],["c","d"]],"i":[[[1,2]],[[3,null]]]}',
                                '{"v":["a",["b",1],{"c":2}],"i":[[],[]]}', '{"v":[["a"],"b"]}',
                                '{"v":[["a"],["b","c"]]}', '{"i":[[[[[[[1]]]]]]]}',
                                '{"v":"{{a},{b}}"}']), on_error='null')
    assert db.sql('SELECT v, i FROM t WHERE reason IS NULL') == [
        ([['a', 'b'], ['c', 'd']], [[[1, 2]], [[3, None]]]), (['a', '["b",1]', '{"c":2}'], []),
        ([['a'], ['b']], None)]
    assert db.sql('SELECT reason FROM t WHERE reason IS NOT NULL') == [
        ('column "v": array of JSON is malformed: it has elements where another has arrays',),
        ('column "v": array of JSON is malformed: its arrays differ in length',),
        ('column "i": array of JSON has more dimensions than an array can have',)]


def test_arrays_of_json_have_one_dimension(db, stream_of):
    """As any JSON is an element; INSERT refuses what would not be read back."""
    db.foreign_table('t', 'v jsonb[]', stream_of(['{"v":[[1],[2,3]]}']))
    assert db.sql('SELECT v FROM t') == [([[1], [2, 3]],)]
    db.sql("INSERT INTO t VALUES (ARRAY['[1]', '2']::jsonb[])")
    assert db.sql('SELECT v FROM t OFFSET 1') == [([[1], 2],)]
    with pytest.raises(Exception, match='more than one dimension') as raised:
        db.sql("INSERT INTO t VALUES (ARRAY[['1'], ['2']]::jsonb[])")
    assert raised.value.sqlstate == '0A000'


def test_domains_of_arrays_in_arrays(db, stream_of):
    db.sql('CREATE DOMAIN pair AS int[] CHECK (cardinality(value) = 2)')
    db.foreign_table('t', "v pair[], reason text OPTIONS (metadata 'decode_error')",
                     stream_of(['{"v":[[1,2],[3]]}']), on_error='null')
    db.sql("INSERT INTO t VALUES (ARRAY['{1,2}', '{3,4}']::pair[])")
    assert db.sql('SELECT v::text, reason FROM t') == [
        (None, 'column "v": value for domain pair violates check constraint "pair_check"'),
        ('{"{1,2}","{3,4}"}', None)]


def test_composites(db, stream_of):
    """Members by their exact names, the last of several; constraints of what is missing."""
    db.sql("""CREATE DOMAIN needed AS int NOT NULL; CREATE TYPE page AS (id int, "N" text, l text[]);
              CREATE TYPE visit AS (page page, need needed)""")
    db.foreign_table('t', "v visit, l page[], reason text OPTIONS (metadata 'decode_error')",
                     stream_of([
                         '{"v":{"page":{"id":1,"id":2.0,"N":"x","n":"y","l":["a",null]},"need":1}}',
                         r'{"l":[{"\u0069d":1},null,{},{"\u0000":1,"N":{"a":[1]}}]}',
                         '{"v":{"page":{}}}', '{"v":{"need":null}}', '{"v":[1]}', '{"v":1}',
                         '{"v":{"page":{"id":"x"},"need":1}}', '{"v":"(,3)"}',
                         r'{"l":[{"N":"\u0000"}]}']), on_error='null')
    violated = 'column "v": domain needed does not allow null values'
    assert db.sql('SELECT v::text, l::text, reason FROM t') == [
        ('("(2,x,""{a,NULL}"")",1)', None, None),
        (None, '{"(1,,)",NULL,"(,,)","(,\\"{\\"\\"a\\"\\":[1]}\\",)"}', None),
        (None, None, violated), (None, None, violated),
        (None, None, 'column "v": JSON array cannot be converted to visit'),
        (None, None, 'column "v": JSON number cannot be converted to visit'),
        (None, None, 'column "v": invalid input syntax for type integer: "x"'),
        ('(,3)', None, None),
        (None, None, r'column "l": \u0000 cannot be converted to text')]


def test_a_composite_with_a_dropped_column(db, stream_of):
    db.sql('CREATE TABLE page (a int, gone int, b text); ALTER TABLE page DROP COLUMN gone')
    db.foreign_table('t', 'v page', stream_of(['{"v":{"a":1,"gone":2,"b":"x"}}']))
    assert db.sql('SELECT (v).a, (v).b, v::text FROM t') == [(1, 'x', '(1,x)')]


def test_hstore(db, stream_of):
    db.sql('CREATE SCHEMA other; CREATE EXTENSION hstore SCHEMA other')
    db.foreign_table('t', 'v other.hstore', stream_of([
        r'{"v":{"a":"1","b":null,"\u00e9\"\\":"=>,\n","n":1.50,"o":{"x":[1]},"t":true}}',
        '{"v":{}}', '{"v":"k=>v"}']))
    assert db.sql('SELECT v::text FROM t') == [
        (r'"a"=>"1", "b"=>NULL, "n"=>"1.50", "o"=>"{\"x\":[1]}", "t"=>"true", "é\"\\"=>"=>,' '\n"',),
        ('',), ('"k"=>"v"',)]


def test_many_small_values_are_within_the_memory_of_a_record(db, stream_of):
    """What a record may take is looked at before it is taken."""
    db.sql('CREATE TABLE wide (%s)' % ', '.join(f'c{i} int' for i in range(1000)))
    db.foreign_table('t', "v wide[], reason text OPTIONS (metadata 'decode_error')", stream_of(
        ['{"v":[%s]}' % ','.join(['{}'] * 200_000), '{"v":[{}]}']), on_error='null')
    assert [bool(row[0]) for row in db.sql('SELECT reason FROM t')] == [True, False]
    assert 'needs more memory' in db.sql('SELECT reason FROM t')[0][0]
