#!/usr/bin/env python3
"""Check the law of src/: who includes whom, which calls are forbidden, and
which library belongs to which room.  Prints what breaks it; status 1 if any.

    check_layers.py [ROOT]
"""
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

# header of a library -> the only places that may include it
LIBRARIES = {
    r'jansson\.h': ('src/json/json_tree.c',),
    r'curl/.*': ('src/http/',),
    r'openssl/.*': ('src/aws/', 'src/base/md5.c'),
    r'libpq-fe\.h': ('src/store/',),
}

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


def without_prose(text):
    return PROSE.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), text)


def include_fault(path, quoted, header):
    for pattern, homes in LIBRARIES.items():
        if re.fullmatch(pattern, header) and not str(path).startswith(homes):
            return f'<{header}> belongs to {" or ".join(homes)}'
    if quoted and SCANNER.fullmatch(str(path)) and not SCANNERS.fullmatch(header):
        return f'the scanner must not know {header}'
    layer = path.parts[1] if len(path.parts) > 2 else None
    other = header.split('/')[0]
    if not quoted or layer is None or other not in LAYERS:
        return None
    if other in STRANGERS.get(layer, ()) or LAYERS.index(other) > LAYERS.index(layer):
        return f'{layer}/ must not know "{header}"'
    return None


def faults(path):
    text = (ROOT / path).read_text()
    if len(path.parts) > 2 and path.parts[1] not in LAYERS:
        yield 1, f'{path.parts[1]}/ is no layer'
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            fault = include_fault(path, include[1] == '"', include[2])
            if fault:
                yield number, fault
    for number, line in enumerate(without_prose(text).splitlines(), 1):
        for pattern, why, home in FORBIDDEN:
            found = re.search(pattern, line)
            if found and str(path) != home:
                yield number, f'{found.group().strip()}: {why}'


ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])


def main():
    files = sorted(p.relative_to(ROOT) for p in ROOT.glob('src/**/*') if p.suffix in ('.c', '.h'))
    found = [f'{path}:{number}: {fault}' for path in files for number, fault in faults(path)]
    print('\n'.join(found + [f'layer check: {len(files)} files, {len(found)} faults']))
    return 1 if found or not files else 0


if __name__ == '__main__':
    sys.exit(main())
