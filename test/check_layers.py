#!/usr/bin/env python3
"""Check the law of src/: who includes whom, which calls are forbidden, which
library belongs to which room, that no files use each other in a circle, and that
typedefs.list, by which pgindent knows a type, names every typedef and nothing
else.  Prints what breaks it; status 1 if any.

    check_layers.py [ROOT]
"""
import functools
import pathlib
import re
import sys

# A folder may include the headers of those before it, and its own.
LAYERS = ['base', 'json', 'http', 'aws', 'service', 'credentials', 'stream', 'row', 'store', 'ledger',
          'config', 'fdw', 'pipeline', 'worker', 'function']
STRANGERS = {'pipeline': {'fdw'}, 'worker': {'fdw'}, 'function': {'fdw'}}

# The scanner has never heard of PostgreSQL; this is all that its files include.
SCANNER = re.compile(r'src/json/json_(scan|skip|unescape|shape)\w*\.[ch]')
SCANNERS = re.compile(r'json/json_(scan|skip|shape)\w*\.h|base/hex\.h')

# A library belongs to a room, or a file: its headers, which no other
# includes, not by a header of ours either; and what its calls and types begin with.
LIBRARIES = [
    (r'jansson\.h', r'\bjson_t\b', ('src/json/json_tree.c',)),
    (r'curl/.*', r'\bcurl_\w+|\bCURL(M|MSG|code|Mcode)?\b', ('src/http/',)),
    (r'openssl/.*', r'\b(EVP|HMAC|SHA256|OPENSSL|CRYPTO|RAND)_\w+', ('src/aws/', 'src/base/md5.c')),
    (r'z(lib|conf|std|std_errors)\.h', r'\b(z_stream|(in|de)flate(Init2?|End|Reset2?)?\s*\(|ZSTD_\w+)', ('src/row/',)),
    (r'libpq-fe\.h', r'\bPQ[a-z]\w*|\bPG(conn|result|cancel|notify)\b|\bpg_(conn|result)\b', ('src/store/',)),
]

# what must not stand in the code, and why; with the one file that may
FORBIDDEN = [
    (r'\bPG_VERSION_NUM\b', 'version tests belong into src/base/compat.h', 'src/base/compat.h'),
    (r'\bjson_object\s*\(', 'would call the server\'s function, not jansson\'s', None),
    (r'\bcurl_easy_perform\s*\(', 'blocks the backend', None),
    (r'\bPQ(exec|connectdb)\w*\s*\(', 'blocks the backend', None),
    (r'\b(pg_)?u?(nano)?sleep\s*\(', 'sleeps without the latch', None),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
# comments and strings, so that words about code are not taken for code
PROSE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)

# what begins at the margin: a function, or a variable with its value
DEFINITION = re.compile(r'^(?P<before>[a-zA-Z_][\w \t*]*?[\n \t*])(?P<name>[a-zA-Z_]\w*)'
                        r'(?:\([^;{}]*\)\s*^\{|[\[\]\w]*\s*=)', re.MULTILINE)
NAME = re.compile(r'\b[a-zA-Z_]\w*\b')

# a typedef at the margin, what its braces hold left out; its name is that of the
# pointer, or the last word
BRACES = re.compile(r'\{[^{}]*\}')
TYPEDEF = re.compile(r'^typedef\b([^;]*);', re.MULTILINE)
POINTER = re.compile(r'\(\s*\*\s*(\w+)')
LAST_WORD = re.compile(r'(\w+)\s*(?:[(\[].*)?$', re.DOTALL)


def without_prose(text):
    return PROSE.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), text)


def includes(path):
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            yield number, include[1] == '"', include[2]


@functools.cache
def brings(header):
    """The headers from outside that a header of src/ includes, by others of src/ too."""
    path = pathlib.Path('src') / header
    if not (ROOT / path).exists():
        return {header}
    return set().union(*(brings(other) for _, _, other in includes(path)))


def include_fault(path, quoted, header):
    for pattern, _, home in LIBRARIES:
        for brought in brings(header):
            if re.fullmatch(pattern, brought) and not str(path).startswith(home):
                return f'<{brought}> belongs to {" or ".join(home)}'
    if quoted and SCANNER.fullmatch(str(path)) and not SCANNERS.fullmatch(header):
        return f'the scanner must not know {header}'
    layer = path.parts[1] if len(path.parts) > 2 else None
    other = header.split('/')[0]
    if not quoted or layer is None or other not in LAYERS:
        return None
    if other in STRANGERS.get(layer, ()) or LAYERS.index(other) > LAYERS.index(layer):
        return f'{layer}/ must not know "{header}"'
    return None


def word_faults(path, line):
    for pattern, why, home in FORBIDDEN:
        found = re.search(pattern, line)
        if found and str(path) != home:
            yield f'{found.group().strip()}: {why}'
    for _, pattern, home in LIBRARIES:
        found = re.search(pattern, line)
        if found and not str(path).startswith(home):
            yield f'{found.group().strip()} belongs to {" or ".join(home)}'


def faults(path):
    text = (ROOT / path).read_text()
    if len(path.parts) > 2 and path.parts[1] not in LAYERS:
        yield 1, f'{path.parts[1]}/ is no layer'
    for number, quoted, header in includes(path):
        fault = include_fault(path, quoted, header)
        if fault:
            yield number, fault
    for number, line in enumerate(without_prose(text).splitlines(), 1):
        for fault in word_faults(path, line):
            yield number, fault


def definitions(text):
    """Functions and variables that other files may use, as pgindent lays them out."""
    for found in DEFINITION.finditer(text):
        if 'static' not in found['before'].split() and 'typedef' not in found['before'].split():
            yield found['name']


def uses():
    """Which source uses what of which other: {file: {file: names}}."""
    texts = {path: without_prose((ROOT / path).read_text()) for path in sources('.c')}
    home = {name: path for path, text in texts.items() for name in definitions(text)}
    graph = {}
    for path, text in texts.items():
        graph[path] = used = {}
        for name in set(NAME.findall(text)) & home.keys():
            if home[name] != path:
                used.setdefault(home[name], set()).add(name)
    return graph


def circles(graph):
    """The sets of files that reach each other, by Kosaraju's algorithm."""
    def visit(path, edges, seen, done):
        seen.add(path)
        for other in edges[path]:
            if other not in seen:
                visit(other, edges, seen, done)
        done.append(path)

    back = {path: [other for other in graph if path in graph[other]] for path in graph}
    seen, order = set(), []
    for path in graph:
        if path not in seen:
            visit(path, graph, seen, order)
    seen = set()
    for path in reversed(order):
        if path not in seen:
            circle = []
            visit(path, back, seen, circle)
            if len(circle) > 1:
                yield sorted(circle)


def circle_faults():
    graph = uses()
    for circle in circles(graph):
        ties = [f'{one} uses {", ".join(sorted(graph[one][other]))} of {other}'
                for one in circle for other in circle if other in graph[one]]
        yield f'{circle[0]}: a circle of {len(circle)} files:\n    ' + '\n    '.join(ties)


def typedefs(text):
    """The names that a source declares by typedef."""
    outer = without_prose(text)
    while BRACES.search(outer):
        outer = BRACES.sub(' ', outer)
    for declaration in TYPEDEF.findall(outer):
        yield (POINTER.search(declaration) or LAST_WORD.search(declaration))[1]


def typedef_faults():
    path = ROOT / 'src' / 'typedefs.list'
    listed = path.read_text().splitlines() if path.exists() else []
    declared = {name for source in sources('.c', '.h') for name in typedefs((ROOT / source).read_text())}
    for name in sorted(declared - set(listed)):
        yield f'src/typedefs.list: lacks {name}'
    for name in sorted(set(listed) - declared):
        yield f'src/typedefs.list: no source declares {name}'
    if listed != sorted(set(listed)):
        yield 'src/typedefs.list: not sorted by LC_ALL=C sort -u'


ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])


def sources(*suffixes):
    return sorted(p.relative_to(ROOT) for p in ROOT.glob('src/**/*') if p.suffix in suffixes)


def main():
    files = sources('.c', '.h')
    found = [f'{path}:{number}: {fault}' for path in files for number, fault in faults(path)]
    found += circle_faults()
    found += typedef_faults()
    print('\n'.join(found + [f'layer check: {len(files)} files, {len(found)} faults']))
    return 1 if found or not files else 0


if __name__ == '__main__':
    sys.exit(main())
