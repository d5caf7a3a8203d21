"""Expressions and queries: what of them Redshift takes.

A parser that builds nothing.  It raises where Redshift has no such thing, and
notes which parts of the text PostgreSQL is to be told otherwise.
"""
from .lexer import syntax_error
from .wire import RedshiftError

RESERVED = frozenset('''
    all and any array as asc between both case cast check collate column constraint create cross
    default deferrable desc distinct do else end except false for foreign freeze from full grant
    group having ilike in initially inner intersect into is isnull join leading left like limit
    minus natural new not notnull null off offset old on only or order outer overlaps placing
    primary references right select session_user similar snapshot some table then to top trailing
    true union unique user using verbose when where with returning
    '''.split())
OPERATORS = frozenset('+ - * / % || = <> != < <= > >= ~ !~ ~* !~*'.split())
FUNCTIONS = frozenset('''
    abs avg bool_and bool_or btrim ceil ceiling char_length character_length chr coalesce
    count current_database current_schema date_part date_trunc dense_rank
    first_value floor getdate greatest has_schema_privilege has_table_privilege initcap
    json_parse json_serialize lag last_value lead least left len length lower lpad ltrim max md5
    min mod nullif nvl octet_length pg_backend_pid pg_last_copy_count pg_last_copy_id
    pg_last_query_id position power rank repeat replace reverse right round row_number rpad rtrim
    sign split_part sqrt stddev strpos substring sum to_char to_date to_number to_timestamp
    translate trim trunc upper variance version
    '''.split())
BARE_FUNCTIONS = frozenset('current_date current_user session_user sysdate user'.split())
OF_SESSION = ('pg_last_copy_id', 'pg_last_copy_count', 'pg_last_query_id')
TYPES = {
    'smallint': 'smallint', 'int2': 'smallint', 'integer': 'integer', 'int': 'integer',
    'int4': 'integer', 'bigint': 'bigint', 'int8': 'bigint', 'decimal': 'numeric',
    'numeric': 'numeric', 'real': 'real', 'float4': 'real', 'float8': 'double precision',
    'float': 'double precision', 'double': 'double precision', 'boolean': 'boolean',
    'bool': 'boolean', 'char': 'char', 'character': 'char', 'nchar': 'char', 'bpchar': 'char',
    'varchar': 'varchar', 'nvarchar': 'varchar', 'text': 'varchar', 'date': 'date',
    'timestamp': 'timestamp', 'timestamptz': 'timestamptz', 'time': 'time', 'timetz': 'timetz',
    'super': 'super'}
MAX_LENGTH = {'char': 4096, 'varchar': 65535}


class Type:
    """A type as PostgreSQL is to be told it; length in bytes, or None."""

    def __init__(self, name, length=None, sql=None):
        self.name, self.length, self.sql = name, length, sql or name


class Parser:
    def __init__(self, sql, found, session_values=None):
        self.sql, self.found, self.at = sql, found, 0
        self.edits = []             # (start, end, instead)
        self.session_values = session_values or {}
        self.n_queries = 0

    # tokens

    @property
    def token(self):
        return self.found[self.at]

    def ahead(self, n=1):
        return self.found[min(self.at + n, len(self.found) - 1)]

    def take(self):
        token = self.token
        self.at += 1
        return token

    def fail(self):
        return syntax_error(self.token.text)

    def is_word(self, *words):
        return self.token.word in words

    def accept(self, *words):
        """Take these words, all or none."""
        for n, word in enumerate(words):
            if self.ahead(n).word != word:
                return False
        self.at += len(words)
        return True

    def expect(self, *words):
        for word in words:
            if not self.accept(word):
                raise self.fail()

    def accept_op(self, text):
        if self.token.kind == 'op' and self.token.text == text:
            return self.take()
        return None

    def expect_op(self, text):
        token = self.accept_op(text)
        if not token:
            raise self.fail()
        return token

    def expect_kind(self, kind):
        if self.token.kind != kind:
            raise self.fail()
        return self.take()

    def expect_end(self):
        if self.token.kind != 'end':
            raise self.fail()

    # what PostgreSQL is told

    def replace(self, start, end, text):
        self.edits.append((start, end, text))

    def rewritten(self):
        out, at = [], self.found[0].start
        for start, end, text in sorted(self.edits):
            out += [self.sql[at:start], text]
            at = end
        return ''.join(out) + self.sql[at:self.found[-1].start]

    # names and types

    def name(self):
        """A name, folded as Redshift does: quoted names, too."""
        token = self.token
        if token.kind == 'quoted':
            self.take()
            if token.value() != token.value().lower():
                self.replace(token.start, token.end, token.text.lower())
            return token.value().lower()
        if token.kind != 'word' or token.word in RESERVED:
            raise self.fail()
        return self.take().word

    def label(self):
        """A name where any word will do."""
        if self.token.kind == 'word':
            return self.take().word
        return self.name()

    def qualified(self):
        """The names of [schema.]table."""
        names = [self.name()]
        if self.accept_op('.'):
            names.append(self.label())
        return names

    def table(self):
        """[schema.]table, quoted for PostgreSQL."""
        return '.'.join('"%s"' % name.replace('"', '""') for name in self.qualified())

    def names(self):
        """( name [, ...] )"""
        self.expect_op('(')
        found = self.comma(self.name)
        self.expect_op(')')
        return found

    def comma(self, item):
        found = [item()]
        while self.accept_op(','):
            found.append(item())
        return found

    def integer(self):
        token = self.expect_kind('number')
        if not token.text.isdigit():
            raise syntax_error(token.text)
        return int(token.text)

    def type(self):
        start, word = self.token.start, self.label()
        if word not in TYPES:
            raise RedshiftError('42704', f'type "{word}" does not exist')
        found = self._sized(word)
        if self.accept_op('['):
            raise RedshiftError('0A000', f'Column type "{word}[]" is not supported.')
        self.replace(start, self.found[self.at - 1].end, found.sql)
        return found

    def _sized(self, word):
        name = TYPES[word]
        if word == 'double':
            self.expect('precision')
        if word in ('character', 'nchar', 'char') and self.accept('varying'):
            name = 'varchar'
        if name in MAX_LENGTH:
            length = self._length(MAX_LENGTH[name], 256 if name == 'varchar' or word == 'bpchar'
                                  else 1)
            return Type(name, length, f'{name}({length})')
        if name == 'numeric':
            return self._numeric()
        if name in ('timestamp', 'time'):
            if self.accept('with'):
                name += 'tz'
                self.expect('time', 'zone')
            elif self.accept('without'):
                self.expect('time', 'zone')
        return Type(name)

    def _length(self, most, default):
        if not self.accept_op('('):
            return default
        length = most if self.accept('max') else self.integer()
        self.expect_op(')')
        if not 1 <= length <= most:
            raise RedshiftError('22023', f'length for type cannot exceed {most}')
        return length

    def _numeric(self):
        precision, scale = 18, 0
        if self.accept_op('('):
            precision = self.integer()
            if self.accept_op(','):
                scale = self.integer()
            self.expect_op(')')
        if not 1 <= precision <= 38 or scale > precision:
            raise RedshiftError('22023', f'DECIMAL precision {precision} must be between 1 and 38')
        return Type('numeric', None, f'numeric({precision},{scale})')

    # expressions

    def expression(self):
        while self.accept('not'):
            pass
        while self.token.kind == 'op' and self.token.text in ('+', '-'):
            self.take()
        self.primary()
        self.casts()
        while self.more():
            self.casts()

    def casts(self):
        while True:
            if self.accept_op('::'):
                self.type()
            elif self.accept('at'):
                self.expect('time', 'zone')
                self.primary()
            else:
                return

    def more(self):
        """Take an operator and its right side, if there is one."""
        if self.token.kind == 'op' and self.token.text not in ('(', ')', ',', ';', '.', '['):
            if self.token.text not in OPERATORS:
                raise RedshiftError('42883', f'operator does not exist: {self.token.text}')
            self.take()
            self.operand()
        elif self.accept('and') or self.accept('or'):
            self.expression()
        elif self.accept('is'):
            self.accept('not')
            if not self.is_word('null', 'true', 'false', 'unknown'):
                raise self.fail()
            self.take()
        elif self.is_word('not', 'in', 'like', 'ilike', 'similar', 'between'):
            self.accept('not')
            self.test()
        else:
            return False
        return True

    def operand(self):
        if self.is_word('any', 'some', 'all'):      # of arrays or of subqueries
            raise self.fail()
        while self.token.kind == 'op' and self.token.text in ('+', '-'):
            self.take()
        self.primary()
        self.casts()

    def test(self):
        if self.accept('in'):
            self.expect_op('(')
            if self.is_word('select', 'with'):
                self.query()
            else:
                self.comma(self.expression)
            self.expect_op(')')
        elif self.accept('between'):
            self.operand()
            while self.token.kind == 'op' and self.token.text in OPERATORS:
                self.take()
                self.operand()
            self.expect('and')
            self.operand()
        elif self.accept('like') or self.accept('ilike') or self.accept('similar', 'to'):
            self.operand()
            if self.accept('escape'):
                self.expect_kind('string')
        else:
            raise self.fail()

    def primary(self):
        token = self.token
        if token.kind in ('string', 'number', 'param'):
            self.take()
        elif token.text == '(' and token.kind == 'op':
            self.parenthesis()
        elif token.word in ('true', 'false', 'null'):
            self.take()
        elif token.word == 'case':
            self.case()
        elif token.word in BARE_FUNCTIONS and self.ahead().text != '(':
            self.take()
            if token.word == 'sysdate':
                self.replace(token.start, token.end, 'pg_catalog.getdate()')
        elif token.word in ('date', 'timestamp', 'timestamptz', 'interval') \
                and self.ahead().kind == 'string':
            self.at += 2
        elif self.ahead().text == '(' and token.kind == 'word':
            self.call()
        else:
            self.column()

    def parenthesis(self):
        self.expect_op('(')
        if self.is_word('select', 'with'):
            self.query()
        else:
            self.expression()
            if self.token.text == ',':
                raise RedshiftError('0A000', 'row constructors are not supported')
        self.expect_op(')')

    def case(self):
        self.expect('case')
        if not self.is_word('when'):
            self.expression()
        while self.accept('when'):
            self.expression()
            self.expect('then')
            self.expression()
        if self.accept('else'):
            self.expression()
        self.expect('end')

    def call(self):
        token = self.take()
        if token.word in ('cast', 'extract', 'exists', 'array'):
            return self.special(token.word)
        if token.word not in FUNCTIONS:
            if token.word in RESERVED:
                raise syntax_error(token.text)
            raise RedshiftError('42883', f'function {token.word}() does not exist')
        start = self.expect_op('(')
        if token.word in OF_SESSION:
            self.replace(start.end, self.expect_op(')').start,
                         str(self.session_values.get(token.word, -1)))
            return None
        if token.word == 'len':
            self.replace(token.start, token.end, 'length')
        if token.word == 'json_serialize':      # is SQL/JSON's own from 17 on
            self.replace(token.start, token.end, '"json_serialize"')
        if not self.accept_op(')'):
            self.accept('distinct')
            if not self.accept_op('*'):
                self.comma(self.argument)
            self.expect_op(')')
        if self.accept('over'):
            self.window()
        return None

    def argument(self):
        self.accept('both') or self.accept('leading') or self.accept('trailing')
        if self.accept('from'):
            pass
        self.expression()
        if self.accept('from') or self.accept('for'):       # substring, trim
            self.expression()
            if self.accept('for'):
                self.expression()

    def special(self, word):
        if word == 'array':
            raise RedshiftError('0A000', 'arrays are not supported')
        self.expect_op('(')
        if word == 'exists':
            self.query()
        elif word == 'cast':
            self.expression()
            self.expect('as')
            self.type()
        else:
            self.label()
            self.expect('from')
            self.expression()
        self.expect_op(')')

    def window(self):
        self.expect_op('(')
        if self.accept('partition'):
            self.expect('by')
            self.comma(self.expression)
        if self.accept('order'):
            self.expect('by')
            self.comma(self.sort_key)
        if self.accept('rows', 'unbounded', 'preceding'):
            pass
        self.expect_op(')')

    def column(self):
        if self.is_word('array'):
            raise RedshiftError('0A000', 'arrays are not supported')
        self.name()
        while self.accept_op('.'):
            if self.accept_op('*'):
                return
            self.label()
        if self.token.text == '[':
            raise self.fail()

    # queries

    def query(self):
        self.n_queries += 1
        if self.accept('with'):
            self.comma(self.common_table)
        self.select_core()
        while self.accept('union') or self.accept('except') or self.accept('intersect'):
            self.accept('all')
            self.select_core()
        if self.accept('order'):
            self.expect('by')
            self.comma(self.sort_key)
        while self.is_word('limit', 'offset'):
            word = self.take().word
            if not (word == 'limit' and self.accept('all')):
                self.operand()

    def common_table(self):
        self.name()
        if self.token.text == '(':
            self.names()
        self.expect('as')
        self.expect_op('(')
        self.query()
        self.expect_op(')')

    def select_core(self):
        if self.accept_op('('):
            self.query()
            self.expect_op(')')
            return
        self.expect('select')
        if not self.accept('all'):
            self.accept('distinct')
        self.comma(self.select_item)
        if self.accept('from'):
            self.comma(self.from_item)
        if self.accept('where'):
            self.expression()
        if self.accept('group'):
            self.expect('by')
            self.comma(self.expression)
        if self.accept('having'):
            self.expression()

    def select_item(self):
        if self.accept_op('*'):
            return
        self.expression()
        if self.accept('as'):
            self.label()
        elif self.token.kind in ('word', 'quoted') and self.token.word not in RESERVED:
            self.name()

    def sort_key(self):
        self.expression()
        self.accept('asc') or self.accept('desc')
        if self.accept('nulls') and not (self.accept('first') or self.accept('last')):
            raise self.fail()

    def from_item(self):
        self.source()
        while True:
            if self.accept('cross'):
                self.expect('join')
                self.source()
            elif self.is_word('join', 'inner', 'left', 'right', 'full'):
                if self.take().word != 'join':
                    self.accept('outer')
                    self.expect('join')
                self.source()
                if self.accept('on'):
                    self.expression()
                else:
                    self.expect('using')
                    self.names()
            else:
                return

    def source(self):
        if self.accept_op('('):
            self.query()
            self.expect_op(')')
        else:
            self.qualified()
            if self.token.text == '(':
                raise RedshiftError(
                    '0A000', 'Specified types or functions (one per INFO message) '
                    'not supported on Redshift tables.')
        if self.accept('as'):
            self.name()
        elif self.token.kind in ('word', 'quoted') and self.token.word not in RESERVED \
                and self.token.word != 'set':
            self.name()
        else:
            return
        if self.token.text == '(':
            self.names()
