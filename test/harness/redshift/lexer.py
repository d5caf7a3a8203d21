"""Words of Redshift's SQL: PostgreSQL 8.0's, where a backslash escapes."""
import re

from .wire import RedshiftError

TOKEN = re.compile(r'''
    (?P<space>  \s+ | --[^\n]* | /\*.*?\*/ )
  | (?P<number> (?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? )
  | (?P<string> '(?:[^'\\]|\\.|'')*' )
  | (?P<quoted> "(?:[^"]|"")+" )
  | (?P<word>   [A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]* )
  | (?P<param>  \$\d+ )
  | (?P<op>     ::|(?:(?!--|/\*)[+\-*/<>=~!@\#%^&|`?])+ | [(),;.\[\]:{}] )
''', re.X | re.S)
ESCAPE = re.compile(r"\\(.)|''", re.S)
# "a=-1": an operator of such characters alone does not end in a sign
SIGNED = re.compile(r'(?<=[*/<>=+-])[+-]+$(?<![~!@#%^&|`?].)')
ESCAPED = {'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f'}


def syntax_error(text):
    at = f'at or near "{text}"' if text else 'at end of input'
    return RedshiftError('42601', f'syntax error {at}')


class Token:
    def __init__(self, kind, text, start):
        self.kind, self.text, self.start, self.end = kind, text, start, start + len(text)
        self.word = text.lower() if kind == 'word' else None

    def value(self):
        """What a string or a quoted name stands for."""
        if self.kind == 'quoted':
            return self.text[1:-1].replace('""', '"')
        return ESCAPE.sub(lambda m: "'" if m[1] is None else ESCAPED.get(m[1], m[1]),
                          self.text[1:-1])


def tokens(sql):
    """The tokens of sql; the last has the kind 'end'."""
    found, at = [], 0
    while at < len(sql):
        match = TOKEN.match(sql, at)
        if not match:
            raise syntax_error(sql[at])
        if match.lastgroup != 'space':
            found.append(Token(match.lastgroup, SIGNED.sub('', match[0])
                               if match.lastgroup == 'op' else match[0], at))
            # E'', B'', X'', N'' and U&'' came after 8.0, or are not known to be taken
            if len(found) > 1 and match.lastgroup == 'string' \
                    and found[-2].kind == 'word' and found[-2].end == at:
                raise syntax_error(match[0])
        at = found[-1].end if match.lastgroup == 'op' else match.end()
    return found + [Token('end', '', len(sql))]


def split(found):
    """Lists of tokens of the statements, each with its 'end'."""
    statements, current = [], []
    for token in found:
        if token.kind == 'end' or token.text == ';':
            if current:
                statements.append(current + [Token('end', '', token.start)])
            current = []
        else:
            current.append(token)
    return statements
