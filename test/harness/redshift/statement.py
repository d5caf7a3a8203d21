"""Statements: which there are, and how PostgreSQL is told them."""
import re

from .copy_statement import copy
from .grammar import Parser
from .lexer import split, tokens
from .wire import MAX_STATEMENT, RedshiftError

# what Redshift knows and has for tables other than its own
ELSEWHERE = frozenset('''
    aggregate cast conversion domain extension foreign index language materialized operator
    policy publication rule sequence server statistics subscription trigger type unique
    '''.split())
ENCODINGS = frozenset('''
    auto az64 bytedict delta delta32k lzo mostly8 mostly16 mostly32 raw runlength text255
    text32k zstd'''.split())
SETTINGS = {    # name -> PostgreSQL's; what PostgreSQL has not is kept as a custom setting
    **{name: name for name in ('application_name', 'client_encoding', 'datestyle',
                               'extra_float_digits', 'search_path', 'statement_timeout',
                               'timezone')},
    **{name: f'redshift.{name}' for name in (
        'query_group', 'wlm_query_slot_count', 'enable_case_sensitive_identifier',
        'enable_result_cache_for_session', 'json_parse_truncate_strings')}}
PRIVILEGES = ('select', 'insert', 'update', 'delete', 'references', 'drop', 'truncate', 'usage',
              'create', 'all')
EXTENDED = frozenset('select insert update delete begin commit rollback deallocate'.split())
CONTROL = frozenset('begin commit rollback'.split())
WRITES = frozenset('insert update delete'.split())


class Statement:
    """kind; sql for PostgreSQL; table is what it writes to, or None; copy is
    a CopyStatement, or None."""

    def __init__(self, kind, text, sql=None, table=None, copy=None):
        self.kind, self.text, self.sql, self.table, self.copy = kind, text, sql, table, copy


def parse(sql, session_values=None):
    """The statements in sql; raises what Redshift would."""
    if len(sql.encode()) > MAX_STATEMENT:
        raise RedshiftError('54000', 'Statement is too large. Statement Size: '
                            f'{len(sql.encode())} bytes. Maximum Allowed: {MAX_STATEMENT} bytes')
    return _literal_insert(sql) or [_statement(sql, found, session_values)
                                    for found in split(tokens(sql))]


LITERAL = (r"(?:-?[0-9.]++(?:[eE][-+]?[0-9]++)?|'(?:[^'\\]++|\\.|'')*+'"
           r'|null|true|false|default)')
ROW = rf'\(\s*+{LITERAL}\s*+(?:,\s*+{LITERAL}\s*+)*+\)\s*+'
LITERAL_INSERT = re.compile(
    r'(\s*+insert\s++into\s++[\w."]++\s*+(?:\([\w\s,"]*+\)\s*+)?values\s*+)'
    rf'({ROW}(?:,\s*+{ROW})++);?\s*+', re.I | re.S)


def _literal_insert(sql):
    """INSERT of many rows of nothing but literals, megabytes of which are not
    to be taken apart word by word; None for anything else."""
    match = LITERAL_INSERT.fullmatch(sql)
    if not match:
        return None
    found = parse(match[1] + '(null)')[0]
    return [Statement('insert', sql, found.sql[:-len('(null)')] + match[2], found.table)]


def _statement(sql, found, session_values):
    parser = Parser(sql, found, session_values)
    text = sql[found[0].start:found[-1].start]
    word = parser.token.word
    if word == 'copy':
        return Statement('copy', text, copy=copy(parser))
    if word not in STATEMENTS and parser.token.text != '(':
        raise parser.fail()
    result = STATEMENTS.get(word, _query)(parser)
    kind, table, told = (*result, None, None)[:3] if isinstance(result, tuple) else \
        (result, None, None)
    parser.expect_end()
    return Statement(kind, text, told or parser.rewritten(), table)


def _query(p):
    p.query()
    return 'select'


def _explain(p):
    p.expect('explain')
    p.accept('verbose')
    p.query()
    return 'explain'


# data

def _insert(p):
    p.expect('insert', 'into')
    table = p.table()
    if p.token.text == '(' and p.ahead().word not in ('select', 'with'):
        p.names()
    if p.accept('default', 'values'):
        pass
    elif p.accept('values'):
        before = p.n_queries
        if len(p.comma(lambda: _value_row(p))) > 1 and p.n_queries > before:
            raise RedshiftError('0A000', 'subqueries are not supported in multi-row VALUES')
    else:
        p.query()
    return 'insert', table


def _value_row(p):
    p.expect_op('(')
    p.comma(lambda: p.accept('default') or p.expression())
    p.expect_op(')')


def _update(p):
    p.expect('update')
    table = p.table()
    if p.accept('as') or not p.is_word('set'):
        p.name()
    p.expect('set')
    p.comma(lambda: _assignment(p))
    if p.accept('from'):
        p.comma(p.from_item)
    if p.accept('where'):
        p.expression()
    return 'update', table


def _assignment(p):
    p.name()
    p.expect_op('=')
    if not p.accept('default'):
        p.expression()


def _delete(p):
    p.expect('delete')
    if not p.accept('from'):
        p.replace(p.token.start, p.token.start, 'FROM ')
    table = p.table()
    if p.accept('using'):
        p.comma(p.from_item)
    if p.accept('where'):
        p.expression()
    return 'delete', table


def _truncate(p):
    p.expect('truncate')
    p.accept('table')
    return 'truncate', p.table()


# tables

def _create(p):
    p.expect('create')
    p.accept('or', 'replace')
    if p.token.word in ELSEWHERE:
        raise RedshiftError('0A000', f'SQL command "{p.sql[p.found[0].start:p.found[-1].start]}" '
                            'not supported on Redshift tables.')
    if p.accept('schema'):
        p.accept('if', 'not', 'exists')
        p.name()
        return 'create schema'
    p.accept('local')
    p.accept('temp') or p.accept('temporary')
    p.expect('table')
    p.accept('if', 'not', 'exists')
    p.table()
    start, edits = p.expect_op('(').end, p.edits[:]
    elements = _elements(p)
    p.edits = edits + [(start, p.expect_op(')').start, elements)]
    start = p.token.start
    _table_attributes(p)
    p.replace(start, p.found[-1].start, '')
    return 'create table'


def _elements(p):
    """What the elements are told as: keys as nothing, and the columns of a
    primary key as not null."""
    columns, not_null, others = {}, [], []
    while True:
        if p.accept('like'):
            others.append(_like(p))
        elif p.is_word('primary', 'unique', 'foreign'):
            not_null += _table_key(p)
        else:
            name, text = _column(p)
            columns[name] = text
        if not p.accept_op(','):
            break
    for name in not_null:
        if name not in columns:
            raise RedshiftError('42703', f'column "{name}" named in key does not exist')
        columns[name] += ' NOT NULL'
    return ', '.join([*columns.values(), *others])


def _like(p):
    table = p.table()
    if p.accept('including', 'defaults'):
        return f'LIKE {table} INCLUDING CONSTRAINTS INCLUDING DEFAULTS'
    p.accept('excluding', 'defaults')
    return f'LIKE {table} INCLUDING CONSTRAINTS'


def _table_key(p):
    """The columns that a key makes not null."""
    if p.accept('foreign', 'key'):
        p.names()
        p.expect('references')
        _references(p)
        return []
    if p.accept('unique'):
        p.names()
        return []
    p.expect('primary', 'key')
    return p.names()


def _references(p):
    p.table()
    if p.token.text == '(':
        p.names()


def _column(p):
    """The name of a column, and what PostgreSQL is told of it."""
    name = p.name()
    quoted = '"%s"' % name.replace('"', '""')
    found = p.type()
    parts = [quoted, found.sql]
    if found.length is not None:
        parts.append(f'CONSTRAINT "redshift bytes {found.sql} {name[:20]}" '
                     f'CHECK (octet_length({quoted}) <= {found.length})')
    while not (p.token.kind == 'end' or p.token.text in (',', ')')):
        parts.append(_column_attribute(p))
    return name, ' '.join(filter(None, parts))


def _column_attribute(p):
    if p.accept('default'):
        start, before = p.token.start, len(p.edits)
        p.expression()
        return 'DEFAULT ' + _text(p, start, p.edits[before:])
    if p.accept('identity'):
        return _identity(p, 'ALWAYS')
    if p.accept('generated', 'by', 'default', 'as', 'identity'):
        return _identity(p, 'BY DEFAULT')
    if p.accept('encode'):
        if p.token.word not in ENCODINGS:
            raise p.fail()
        p.take()
        return ''
    if p.accept('not', 'null') or p.accept('primary', 'key'):
        return 'NOT NULL'
    if p.accept('null') or p.accept('distkey') or p.accept('sortkey') or p.accept('unique'):
        return ''
    p.expect('references')
    _references(p)
    return ''


def _text(p, start, edits):
    """The text from start up to here, edited."""
    out, at = '', start
    for edit_start, edit_end, text in sorted(edits):
        out, at = out + p.sql[at:edit_start] + text, edit_end
    return out + p.sql[at:p.found[p.at - 1].end]


def _identity(p, when):
    p.expect_op('(')
    seed = p.integer()
    p.expect_op(',')
    step = p.integer()
    p.expect_op(')')
    return f'GENERATED {when} AS IDENTITY (START {seed} INCREMENT {step})'


def _table_attributes(p):
    while p.token.kind != 'end':
        if p.accept('diststyle'):
            if not p.is_word('auto', 'even', 'key', 'all'):
                raise p.fail()
            p.take()
        elif p.accept('backup'):
            if not (p.accept('yes') or p.accept('no')):
                raise p.fail()
        elif p.accept('encode'):
            p.expect('auto')
        elif p.accept('distkey'):
            p.names()
        else:
            p.accept('compound') or p.accept('interleaved')
            p.expect('sortkey')
            if not p.accept('auto'):
                p.names()


def _alter(p):
    p.expect('alter', 'table')
    table = p.table()
    if p.accept('add'):
        p.accept('column')
        start = p.token.start
        _, text = _column(p)
        p.edits = [(start, p.token.start, text)]
    elif p.accept('drop'):
        p.accept('column')
        p.name()
        p.accept('cascade') or p.accept('restrict')
    elif p.accept('rename'):
        if p.accept('column'):
            p.name()
        p.expect('to')
        p.name()
    else:
        p.expect('owner', 'to')
        p.name()
    return 'alter table', table


def _drop(p):
    p.expect('drop')
    if p.token.word in ELSEWHERE:
        raise RedshiftError('0A000', f'SQL command "{p.sql[p.found[0].start:p.found[-1].start]}" '
                            'not supported on Redshift tables.')
    what = 'schema' if p.accept('schema') else 'table'
    if what == 'table':
        p.expect('table')
    p.accept('if', 'exists')
    p.comma(p.table)
    p.accept('cascade') or p.accept('restrict')
    return f'drop {what}'


def _grant(p):
    kind = p.take().word
    while True:
        if p.token.word not in PRIVILEGES:
            raise p.fail()
        if p.take().word == 'all':
            p.accept('privileges')
        if not p.accept_op(','):
            break
    p.expect('on')
    p.accept('table') or p.accept('schema')
    p.comma(p.table)
    p.expect('to' if kind == 'grant' else 'from')
    p.comma(lambda: p.accept('public') or p.name())
    return kind


# transactions

def _begin(p):
    if p.accept('start'):
        p.expect('transaction')
    else:
        p.expect('begin')
        p.accept('work') or p.accept('transaction')
    # all levels are the database's
    if p.accept('isolation', 'level'):
        if not (p.accept('serializable') or p.accept('repeatable', 'read')
                or p.accept('read', 'committed') or p.accept('read', 'uncommitted')
                or p.accept('snapshot')):
            raise p.fail()
        p.accept_op(',')
    if p.accept('read', 'only'):
        return 'begin', None, 'BEGIN READ ONLY'
    p.accept('read', 'write')
    return 'begin', None, 'BEGIN'


def _end(p):
    kind = 'commit' if p.take().word in ('commit', 'end') else 'rollback'
    p.accept('work') or p.accept('transaction')
    return kind, None, kind.upper()


def _lock(p):
    p.expect('lock')
    p.accept('table')
    tables = p.comma(p.table)
    return 'lock', None, 'LOCK TABLE ' + ', '.join(tables)


# the session

def _setting(p):
    token = p.token
    name = p.label()
    if name not in SETTINGS:
        raise RedshiftError('42704', f'unrecognized configuration parameter "{name}"')
    p.replace(token.start, token.end, SETTINGS[name])
    return name


def _set(p):
    p.expect('set')
    p.accept('session') or p.accept('local')
    name = _setting(p)
    if not p.accept('to'):
        p.expect_op('=')
    p.comma(lambda: _set_value(p, name))
    return 'set'


def _set_value(p, name):
    p.accept_op('-')
    if p.token.kind not in ('string', 'number', 'word', 'quoted'):
        raise p.fail()
    text = p.take().text
    if name == 'extra_float_digits' and text.strip("'").isdigit() and int(text.strip("'")) > 2:
        raise RedshiftError('22023', f'{text} is outside the valid range for parameter '
                            '"extra_float_digits" (-15 .. 2)')


def _show(p):
    p.expect('show')
    if p.accept('server_version'):
        return 'show', None, "SELECT '8.0.2'::varchar AS server_version"
    _setting(p)
    return 'show'


def _reset(p):
    p.expect('reset')
    if not p.accept('all'):
        _setting(p)
    return 'reset'


def _declare(p):
    p.expect('declare')
    p.name()
    p.expect('cursor', 'for')
    p.query()
    return 'declare'


def _fetch(p):
    p.expect('fetch')
    p.accept('next') or p.accept('all') or p.accept('forward')
    if p.token.kind == 'number':
        p.integer()
    else:
        p.accept('all')
    p.expect('from')
    p.name()
    return 'fetch'


def _close(p):
    p.expect('close')
    p.name()
    return 'close'


def _deallocate(p):
    p.expect('deallocate')
    p.accept('prepare')
    p.accept('all') or p.name()
    return 'deallocate'


def _analyze(p):
    p.expect('analyze')
    if p.token.kind != 'end':
        p.table()
        if p.token.text == '(':
            p.names()
    return 'analyze'


def _vacuum(p):
    p.expect('vacuum')
    if not p.accept('full') and not p.accept('reindex') \
            and (p.is_word('sort', 'delete') and p.ahead().word == 'only'):
        p.at += 2
    table = p.table() if p.token.kind != 'end' else ''
    return 'vacuum', None, f'VACUUM {table}'


STATEMENTS = {
    'select': _query, 'with': _query, 'explain': _explain, 'insert': _insert, 'update': _update,
    'delete': _delete, 'truncate': _truncate, 'create': _create, 'alter': _alter, 'drop': _drop,
    'grant': _grant, 'revoke': _grant, 'begin': _begin, 'start': _begin, 'commit': _end,
    'end': _end, 'rollback': _end, 'abort': _end, 'lock': _lock, 'set': _set, 'show': _show,
    'reset': _reset, 'declare': _declare, 'fetch': _fetch, 'close': _close,
    'deallocate': _deallocate, 'analyze': _analyze, 'vacuum': _vacuum}
