"""String literals of C sources, joined as the compiler joins them."""
import collections
import re

TOKEN = re.compile(r'''
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<define>^[ \t]*\#[ \t]*define\b(?:\\\n|[^\n])*)
  | (?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<char>'(?:\\.|[^'\\\n])*')
  | (?P<word>\w+)
  | (?P<blank>\s+|\\\n)
  | (?P<other>.)''', re.VERBOSE | re.DOTALL | re.MULTILINE)
ESCAPES = {'n': '\n', 't': '\t', 'r': '\r', '0': '\0'}
# of the server's headers
MACROS = {'INT64_FORMAT': '%ld', 'UINT64_FORMAT': '%lu', 'PRIu64': 'lu'}

Piece = collections.namedtuple('Piece', 'text path line')


class Literal:
    """pieces of text, each with its place; calls are the names of the
    functions that it is an argument of, from the outermost."""

    def __init__(self, pieces, calls):
        self.pieces, self.calls = pieces, calls
        self.text = ''.join(piece.text for piece in pieces)

    def place(self, offset):
        """Path and line of what stands at this offset of the text."""
        for piece in self.pieces:
            if offset < len(piece.text):
                break
            offset -= len(piece.text)
        return piece.path, piece.line


def literals(sources):
    """Every literal of the sources, {path: text}; a macro that stands for
    text is a part of the literals that it is pasted into, and none itself."""
    code = {path: list(_tokens(text)) for path, text in sources.items()}
    shared = {name: [Piece(text, '', 0)] for name, text in MACROS.items()}
    for path, tokens in code.items():
        if path.endswith('.h'):
            shared = _with_macros(path, tokens, shared)
    for path, tokens in code.items():
        yield from _literals_of(path, tokens, _with_macros(path, tokens, shared))


def _tokens(text):
    line = 1
    for match in TOKEN.finditer(text):
        if match.lastgroup not in ('comment', 'directive', 'blank'):
            yield match.lastgroup, match.group(), line
        line += match.group().count('\n')


def _definition(text, line):
    """Name of a macro, with a parenthesis if it has arguments, and the tokens
    that it stands for."""
    head = re.match(r'[ \t]*#[ \t]*define[ \t]+(\w+\(?)', text)
    return head[1], [(kind, word, line + number - 1)
                     for kind, word, number in _tokens(text[head.end():])]


def _with_macros(path, tokens, macros):
    """The macros, and those that a file makes of them."""
    found = dict(macros)
    for kind, text, line in tokens:
        if kind == 'define':
            name, body = _definition(text, line)
            if 'string' in (kind for kind, _, _ in body) and \
                    all(kind in ('string', 'word') for kind, _, _ in body) and name[-1] != '(':
                found[name] = [piece for token in body
                               for piece in _pieces(path, token, found) or ()]
    return found


def _pieces(path, token, macros):
    """What a token adds to a literal; None if it is none."""
    kind, text, line = token
    if kind == 'string':
        return [Piece(re.sub(r'\\(.)', lambda m: ESCAPES.get(m[1], m[1]), text[1:-1], flags=re.S),
                      path, line)]
    if kind == 'word' and text in macros:
        return [piece if piece.path else piece._replace(path=path, line=line)
                for piece in macros[text]]
    return None


def _literals_of(path, tokens, macros):
    calls = []
    pieces = []
    word = ''
    for token in [*tokens, ('other', ';', 0)]:
        more = _pieces(path, token, macros)
        if more is not None:
            pieces += more
            continue
        if pieces:
            yield Literal(pieces, list(calls))
            pieces = []
        kind, text, line = token
        if kind == 'define':
            name, body = _definition(text, line)
            if name not in macros:
                yield from _literals_of(path, body, macros)
        elif text == '(':
            calls.append(word)
        elif text == ')' and calls:
            calls.pop()
        word = text if kind == 'word' else ''
