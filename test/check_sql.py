#!/usr/bin/env python3
"""Check that SQL of ours, in src/ and in the install script, names everything
with its schema, so that no search_path makes it mean something else: relations,
functions, operators, types, casts; and that nothing in it looks up an operator
without saying so, as IN and BETWEEN do.  Prints what breaks it; status 1 if any.

    check_sql.py [ROOT]
"""
import pathlib
import re
import sys

from harness.c_source import literals
from harness.sql_names import faults

# They speak to a store, in a dialect that need not know OPERATOR(), in a session
# whose search_path is pg_catalog: see settle_session() of store_connection.c.
STORES = re.compile(r'src/(store|fdw)/store_\w+\.[ch]')

# A literal is SQL if it begins like a statement, or like the rest of one, or has
# in it what nothing but SQL has.
SQL = re.compile(r'''
    ^\s*(select|insert\s+into|update|delete\s+from|merge\s+into|with|create|alter|drop|truncate
        |lock|copy|grant|revoke|comment\s+on|call|do|execute|prepare|declare|values|set|reset
        |show|refresh|analyze|vacuum|cluster|reindex|notify|listen|explain)\b
  | ^\s+(from|where|and|or|not|on|using|join|left|right|cross|natural|union|except|intersect
        |order\s+by|group\s+by|having|limit|offset|returning|set|for|case|when|then|else|end
        |is|in|between|like|ilike|similar|as|over|filter|collate)\b
  | :: | \$\d | \boperator\s*\( | \b(pg_catalog|tracking)\.\w
  | \b(coalesce|nullif|greatest|least|exists|extract|cast|any|all|array_agg|count|sum|min|max)\s*\(
  | (^|\s)([=<>]|<>|<=|>=|\|\||[-+*/])\s+% | %\w+\s+([=<>]|<>|<=|>=|\|\||[-+*/])(\s|$)
  ''', re.VERBOSE | re.IGNORECASE)
# What people read: messages, and sentences on their way into one.
MESSAGE = re.compile(r'err\w*|elog|ereport|\w+_error_set|batch_reject')
SENTENCE = re.compile(r'[A-Z][a-z]+ .*\.', re.DOTALL)

FORMAT = re.compile(r'psprintf|snprintf|appendStringInfo')
SCRIPT = re.compile(r'tracking_fdw--[\w.-]+\.sql')


def is_sql(literal):
    if SENTENCE.fullmatch(literal.text) or any(map(MESSAGE.fullmatch, literal.calls)):
        return False
    return SQL.search(literal.text) is not None


def sql_literals(root):
    """The statements in src/, and parts of such."""
    sources = {str(path.relative_to(root)): path.read_text()
               for path in sorted(root.glob('src/**/*')) if path.suffix in ('.c', '.h')}
    for literal in literals(sources):
        if not STORES.fullmatch(literal.pieces[0].path) and is_sql(literal):
            yield literal


def scripts(root):
    """Names and texts of install scripts, less what is for psql."""
    for path in sorted(root.iterdir()):
        if SCRIPT.fullmatch(path.name):
            yield path.name, re.sub(r'(?m)^\\.*', lambda m: ' ' * len(m[0]), path.read_text())


def check(root):
    """For each text of SQL the faults in it, with their places."""
    for literal in sql_literals(root):
        is_format = any(map(FORMAT.fullmatch, literal.calls))
        yield [(*literal.place(offset), fault)
               for offset, fault in faults(literal.text, is_format)]
    for name, text in scripts(root):
        yield [(name, text.count('\n', 0, offset) + 1, fault) for offset, fault in faults(text)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    checked = list(check(root))
    # text of a macro is read wherever it is pasted
    found = sorted({fault for each in checked for fault in each})
    for path, line, fault in found:
        print(f'{path}:{line}: {fault}')
    print(f'SQL check: {len(checked)} texts, {len(found)} faults')
    return 1 if found or not checked else 0


if __name__ == '__main__':
    sys.exit(main())
