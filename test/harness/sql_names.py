"""What in a text of SQL is found by way of the search_path.

The text is read as tokens, not by a grammar: enough is known of clauses to tell
a relation from a column, and SET x = 1 from a comparison.  In doubt it is a
fault: there is always a way to write it that leaves none.
"""
import re

SCHEMAS = frozenset(('pg_catalog', 'tracking'))

OPERATOR = r'[-+*/<>=~!@\#%^&|`?]+'
WORD = r'(?:[A-Za-z_]\w*|"(?:[^"]|"")*")'
TOKEN = r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<body>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<param>\$\d+)
  | (?P<string>E'(?:[^'\\]|''|\\.)*'|[BXN]?'(?:[^']|'')*')
  | (?P<named>operator\s*\(\s*pg_catalog\s*\.\s*{OPERATOR}\s*\))
  | (?P<name>{WORD}(?:\s*\.\s*(?:{WORD}|\*))*)
  | (?P<place>{PLACE})
  | (?P<number>\d+(?:\.\d+)?(?:E[-+]?\d+)?)
  | (?P<cast>::) | (?P<assign>:=) | (?P<operator>{OPERATOR})
  | (?P<other>.)
  """
FLAGS = re.VERBOSE | re.DOTALL | re.IGNORECASE
PLAIN = re.compile(TOKEN.format(OPERATOR=OPERATOR, WORD=WORD, PLACE='(?!)'), FLAGS)
# In a format of C a name may be filled in; what fills it is not known here.
FORMAT = re.compile(TOKEN.format(
    OPERATOR=OPERATOR, WORD=rf'(?:{WORD}|%s)',
    PLACE=r'%[-+0\#]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z)?[diouxXeEfgGcs]'), FLAGS)

# Words that may stand before a parenthesis and call nothing that has a name.
SYNTAX = frozenset('''
    all and any array as between by case cast check coalesce conflict default else elsif end except
    exists extract filter for from greatest having if in include inner intersect into is join key
    lateral least like limit loop materialized not nullif offset on only options or over overlay
    partition position primary references return returning row select set some substring table then
    to trim union unique update using values when where while within with'''.split())
# ... and before a literal, without making it a value of a type.
BEFORE_STRING = SYNTAX | frozenset('''
    begin detail distinct do exception exclude hint ilike info language log message notice password
    raise similar warning'''.split())
# What a list of relations ends with.
CLAUSES = frozenset('''
    where group order having limit offset window union intersect except returning set for fetch
    values select'''.split())
# Objects that live in a schema, as statements call them.
KINDS = frozenset('''
    aggregate collation conversion domain function procedure routine sequence statistics type
    view'''.split())
# What ON in a statement may say instead of a table's name.
NO_TABLE = KINDS | frozenset('''
    all column conflict constraint database event extension foreign index large policy role schema
    table trigger'''.split())
CONSTRAINTS = frozenset('check constraint exclude foreign like primary unique'.split())
REG_TYPE = re.compile('reg(class|type|proc|procedure|oper|operator|collation|config|dictionary)')
# Functions whose first argument is text that names something.
NAME_READERS = frozenset('''
    currval nextval pg_extension_config_dump pg_get_serial_sequence setval to_regclass to_regoper
    to_regproc to_regprocedure to_regtype'''.split())
STATEMENT = re.compile(r'\s*(select|insert|update|delete|with|begin|declare)\b', re.IGNORECASE)


class Token:
    def __init__(self, kind, text, start):
        self.kind, self.text, self.start = kind, text, start
        self.parts = re.split(r'\s*\.\s*', text.lower()) if kind == 'name' else []
        # a keyword, perhaps
        self.word = self.parts[0] if len(self.parts) == 1 else ''

    def is_qualified(self):
        """In a schema of ours, or in one that is filled in?"""
        return len(self.parts) > 1 and (self.parts[0] in SCHEMAS or self.parts[0] == '%s')


NOTHING = Token('end', '', 0)


class Level:
    """What is between two parentheses, or a statement."""

    def __init__(self, opener='', defines='', relation='', clause=''):
        self.opener = opener        # the word before the parenthesis
        self.defines = defines      # 'columns', 'arguments', 'aliases': with types
        self.relation = relation    # comes next: 'item' of a list, or a 'name'
        self.clause = clause
        self.words = []
        self.item = 0               # tokens since the last comma, or SET
        self.groups = 0             # parentheses in it

    def begins(self, *words):
        return self.words[:1] != [] and self.words[0] in words


class Check:
    def __init__(self, text, pattern):
        self.tokens = [Token(match.lastgroup, match.group(), match.start())
                       for match in pattern.finditer(text) if match.lastgroup != 'space']
        self.levels = [Level()]
        self.ctes = set()
        self.declaring = False      # between DECLARE and BEGIN
        self.faults = []
        self.at = 0

    def near(self, distance):
        at = self.at + distance
        return self.tokens[at] if 0 <= at < len(self.tokens) else NOTHING

    def fault(self, text, token=None):
        self.faults.append(((token or self.near(0)).start, text))

    def run(self):
        for self.at, token in enumerate(self.tokens):
            level = self.levels[-1]
            if level.item == 0:
                self.check_definition(token, level)
            if token.kind == 'name':
                self.check_name(token, level)
            elif token.kind == 'string':
                self.check_string(token, level)
            elif token.kind == 'cast':
                self.check_cast(self.near(1))
            elif token.kind == 'operator':
                self.check_operator(token, level)
            if token.word:
                self.check_silent(token.word, level)
                self.follow_word(token.word, level)
                level.words.append(token.word)
            level.item += 1
            self.follow_sign(token.text, level)
        return self.faults

    # where we are

    def follow_sign(self, text, level):
        if text in ('(', '['):
            self.levels.append(self.enter(level))
            level.relation = ''
            level.groups += 1
        elif text in (')', ']') and len(self.levels) > 1:
            self.levels.pop()
        elif text == ';':
            self.levels, self.ctes = [Level()], set()
        elif text == ',':
            level.item = 0
            level.relation = 'item' if level.clause == 'from' else ''

    def enter(self, level):
        before = self.near(-1)
        inner = Level(before.word or '.'.join(before.parts[1:]))
        if level.relation == 'item' and self.near(1).word not in ('select', 'with', 'values'):
            inner.relation, inner.clause = 'item', 'from'
        if level.begins('create', 'comment', 'alter', 'drop') and level.groups == 0 and \
                not level.clause:
            if {'function', 'procedure'} & set(level.words) and 'execute' not in level.words:
                inner.defines = 'arguments'
            elif level.begins('create') and {'table', 'type'} & set(level.words):
                inner.defines = 'columns'
        if self.near(-2).word == 'as' and before.kind == 'name' and level.clause == 'from':
            inner.defines = 'aliases'
        return inner

    def follow_word(self, word, level):
        """A clause begins, or a relation comes next."""
        before, after = self.near(-1).word, self.near(1)
        if word in CLAUSES and not level.begins('grant', 'revoke'):
            level.clause, level.relation = word, ''
            level.item = -1 if word == 'set' else level.item
        if word == 'from':
            self.follow_from(before, level)
        elif word in ('join', 'using') and after.text != '(' or word == 'join':
            if word == 'join' or level.begins('delete', 'merge'):
                level.clause, level.relation = 'from', 'item'
        elif word == 'truncate' and before in ('before', 'after', 'or'):
            pass        # a trigger's event
        elif word == 'into' and before in ('insert', 'merge') or word in ('references', 'truncate') or \
                word == 'copy' and after.text != '(' or word == 'lock' and after.word != 'table' or \
                word == 'table' and before != 'returns':
            level.relation = 'name'
        elif word == 'update' and not level.begins('grant', 'revoke') and \
                before not in ('for', 'do', 'on', 'key', 'or', 'before', 'after'):
            level.relation = 'name'
        elif word == 'on' and self.is_of_statement(level) and after.word not in NO_TABLE:
            level.relation = 'name'
            level.clause = 'from' if level.begins('grant', 'revoke') else level.clause
        elif word == 'to' and level.begins('grant', 'revoke'):
            level.clause = ''
        elif word == 'as' and 'with' in level.words:
            self.follow_cte()
        elif word in ('declare', 'begin'):
            self.declaring = word == 'declare'
            level.item = -1

    def follow_from(self, before, level):
        if before in ('rows', 'distinct') or level.opener in ('extract', 'overlay', 'substring', 'trim') or \
                level.begins('copy', 'revoke'):
            return
        level.clause, level.relation = 'from', 'item'

    def is_of_statement(self, level):
        """Is this ON that of CREATE INDEX or GRANT, and not that of a join?"""
        return level.begins('create', 'comment', 'grant', 'revoke', 'alter', 'drop') and \
            level.clause != 'from' and 'event' not in level.words and \
            self.near(-1).word not in ('conflict', 'delete', 'update')

    def follow_cte(self):
        """name AS (, or name (columns) AS MATERIALIZED (."""
        back = self.at - 1
        if self.tokens[back].text == ')':
            while back > 0 and self.tokens[back].text != '(':
                back -= 1
            back -= 1
        if self.near(1).text == '(' or self.near(1).word in ('materialized', 'not'):
            self.ctes.add(self.tokens[back].word)

    # relations, functions and types

    def check_name(self, token, level):
        is_call = self.near(1).text == '('
        if level.relation and token.word not in (
                'only', 'lateral', 'if', 'not', 'exists', 'table', 'rows', 'from'):
            is_call = is_call and level.relation == 'item'
            level.relation = ''
            if not is_call and not token.is_qualified() and token.word != '%s' and \
                    token.word not in self.ctes:
                self.fault(f'relation {token.text} without its schema')
        elif self.is_object(token.word, level):
            self.check_object()
        if is_call:
            self.check_call(token, level)

    def is_object(self, word, level):
        """Is this the kind of an object, whose name is next?"""
        if word in ('handler', 'validator'):
            return level.begins('create', 'alter') and self.near(-1).word != 'no'
        if word in ('function', 'procedure') and self.near(-1).word == 'execute':
            return True
        return not level.clause and self.near(-1).word not in ('data', 'event') and (
            word in KINDS and level.begins('create', 'alter', 'drop', 'comment') or
            word == 'column' and level.begins('comment') or
            word == 'index' and level.begins('alter', 'drop', 'comment'))

    def check_object(self):
        ahead = 1
        while self.near(ahead).word in ('if', 'not', 'exists', 'concurrently'):
            ahead += 1
        if not self.near(ahead).is_qualified():
            self.fault(f'{self.near(0).word} {self.near(ahead).text} without its schema')

    def check_call(self, token, level):
        before = self.near(-1)
        if token.is_qualified():
            if token.parts[-1] in NAME_READERS:
                self.check_text(self.near(2))
        elif token.word == 'operator':
            self.fault('operator without its schema')
        elif not token.word:
            self.fault(f'{token.text}() is in no schema of ours')
        elif token.word not in SYNTAX and token.word != '%s' and \
                before.word != 'as' and before.text != ')' and \
                not (level.begins('with') and not level.clause):
            self.fault(f'function {token.text}() without its schema')

    def check_type(self, token):
        if not token.is_qualified():
            self.fault(f'type {token.text} without its schema', token)

    def check_cast(self, type_token):
        """x::type, or CAST(x AS type): here is :: or AS."""
        self.check_type(type_token)
        if not type_token.parts or not REG_TYPE.fullmatch(type_token.parts[-1]):
            return
        back = -1
        self.check_text(self.near(back))
        while self.near(-1).text == ']' and self.near(back).text not in ('[', ''):
            self.check_text(self.near(back))
            back -= 1

    def check_definition(self, token, level):
        """The first token of a column, an argument, an alias or a declaration."""
        if token.text in (')', ';') or token.word in ('declare', 'begin'):
            return
        if self.declaring:
            self.check_type(self.near(2 if self.near(1).word == 'constant' else 1))
        elif level.defines == 'columns' and token.word not in CONSTRAINTS or \
                level.defines == 'aliases' and self.near(1).text not in (',', ')'):
            self.check_type(self.near(1))
        elif level.defines == 'arguments':
            ahead = 0
            while self.near(ahead).word:
                ahead += 1
            if not self.near(ahead).is_qualified():
                self.fault(f'type of argument {token.text} without its schema')

    # literals

    def check_string(self, token, level):
        before = self.near(-1)
        if level.opener == 'options' or before.kind != 'name':
            return
        if before.is_qualified():
            if REG_TYPE.fullmatch(before.parts[-1]):
                self.check_text(token)
        elif before.word not in BEFORE_STRING:
            self.fault(f'type {before.text} without its schema', before)

    def check_text(self, token):
        """If it is a literal, it names something."""
        if token.kind == 'string' and \
                token.text.lower().lstrip('e').strip("'").split('.')[0] not in SCHEMAS:
            self.fault(f'{token.text} without its schema', token)

    # operators

    def check_operator(self, token, level):
        before, after = self.near(-1), self.near(1)
        if token.text == '*' and (before.text in ('(', ',') or before.word in ('select', 'returning')):
            return
        # the sign of a number
        if token.text in ('-', '+') and after.kind == 'number' and \
                (before.text in ('(', ',', '[') or before.kind == 'named' or before.word in SYNTAX):
            return
        # an assignment
        if token.text == '=' and level.item == 1 and \
                (level.clause == 'set' or level.opener in ('with', 'set')):
            return
        # a named argument
        if token.text != '=>':
            self.fault(f'operator {token.text} without its schema')

    def check_silent(self, word, level):
        """What looks up something without saying so; and what names a type."""
        before, after = self.near(-1), self.near(1)
        if word == 'in' and after.text == '(' and level.opener != 'position':
            self.fault('IN looks up =')
        elif word == 'between' and before.word not in ('rows', 'range', 'groups'):
            self.fault('BETWEEN looks up >= and <=')
        elif word in ('like', 'ilike', 'similar') and before.text not in ('(', ','):
            self.fault(f'{word.upper()} looks up an operator')
        elif word == 'nullif':
            self.fault('NULLIF looks up =')
        elif word == 'distinct' and after.word == 'from':
            self.fault('IS DISTINCT FROM looks up =')
        elif word == 'case' and after.word != 'when' and before.word != 'end':
            self.fault('CASE with an operand looks up =')
        elif word == 'natural':
            self.fault('NATURAL JOIN looks up =')
        elif word == 'using' and after.text == '(' and 'policy' not in level.words:
            self.fault('JOIN USING looks up =')
        elif word == 'collate' or word == 'as' and 'domain' in level.words:
            self.check_type(after)
        elif word == 'as' and level.opener == 'cast':
            self.check_cast(after)
        elif word == 'returns' and after.word not in ('table', 'null'):
            self.check_type(self.near(2) if after.word == 'setof' else after)
        elif word == 'type' and level.begins('alter') and 'column' in level.words:
            self.check_type(after)
        elif word == 'column' and before.word == 'add':
            self.check_type(self.near(5 if after.word == 'if' else 2))


def faults(text, is_format=False):
    """(offset, what is wrong) for each fault; a format is C's, with % in it."""
    check = Check(text, FORMAT if is_format else PLAIN)
    yield from check.run()
    for before, token in zip([NOTHING, *check.tokens], check.tokens):
        opening = 1 if token.kind == 'string' else token.text.find('$', 1) + 1
        body = token.text[opening:-opening]
        if token.kind == 'body' or token.kind == 'string' and STATEMENT.match(body) and \
                before.word in ('as', 'execute', 'do'):
            for offset, fault in faults(body):
                yield token.start + opening + offset, fault
