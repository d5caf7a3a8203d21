"""From the bytes of an object to JSON documents, a line of text each."""
import csv
import io
import json
import re

MAX_DOCUMENT = 4 * 1024 * 1024
SPACE = re.compile(r'\s*')


class BadRow(Exception):
    """A row that cannot be read."""

    def __init__(self, line, raw, code, reason):
        super().__init__(reason)
        self.line, self.raw, self.code, self.reason = line, raw, code, reason


def _no_constant(name):
    raise ValueError(name)      # NaN and Infinity are not JSON


DECODER = json.JSONDecoder(parse_constant=_no_constant)


def decode(data, replacement):
    """Text of the bytes, or the first bad row."""
    if b'\0' in data:
        at = data.index(b'\0')
        if replacement is None:
            raise BadRow(data.count(b'\n', 0, at) + 1, '', 1220, bad_utf8(data, at, 1))
        data = data.replace(b'\0', replacement.encode())
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if replacement is None:
            raise BadRow(data.count(b'\n', 0, error.start) + 1, '', 1220,
                         bad_utf8(data, error.start, error.end - error.start)) from None
        return data.decode(errors='replace').replace('�', replacement)


def bad_utf8(data, at, n):
    return ('String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: '
            f'{data[at:at + n].hex(" ")} (error 3)')


def json_lines(text):
    """The lines, if each may be one document; None if that is not so."""
    lines = text.split('\n')
    if lines and not lines[-1]:
        lines.pop()
    if all(line[:1] == '{' and line[-1:] == '}' for line in lines) \
            and max(map(len, lines), default=0) <= MAX_DOCUMENT // 4:
        return lines
    return None


def json_documents(text):
    """(line, document) for each; documents may span lines, or share one."""
    at, line, counted = SPACE.match(text).end(), 1, 0
    while at < len(text):
        try:
            _, end = DECODER.raw_decode(text, at)
        except ValueError:
            end = text.find('\n', at) if '\n' in text[at:] else len(text)
            line += text.count('\n', counted, at)
            counted = at
            yield BadRow(line, text[at:end], 1216, 'Invalid JSON')
            at = SPACE.match(text, end).end()
            continue
        line += text.count('\n', counted, end)      # of its last line
        counted = end
        if len(text[at:end].encode()) > MAX_DOCUMENT:
            yield BadRow(line, text[at:at + 1024], 1204,
                         f'JSON object exceeds {MAX_DOCUMENT} bytes')
        else:
            yield line, text[at:end]
        at = SPACE.match(text, end).end()


def csv_documents(text, columns, options):
    """(line, document) for each row, its fields under the columns' names."""
    reader = csv.reader(io.StringIO(text, newline=''),
                        delimiter=options.get('delimiter', ','),
                        quotechar=options.get('quote', '"'), strict=True)
    null, start = options.get('null', '\\N'), 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(start, '', 1214, f'Delimiter not found: {error}')
            return
        line, start = start, reader.line_num + 1
        if line <= options.get('header', 0):
            continue
        if len(row) != len(columns):
            yield BadRow(line, ','.join(row), *(
                (1202, 'Extra column(s) found') if len(row) > len(columns)
                else (1203, 'Missing column(s)')))
            continue
        yield line, json.dumps({column.name: _field(value, column, null, options)
                                for column, value in zip(columns, row)}, ensure_ascii=False)


def _field(value, column, null, options):
    if value == null or (column.is_text and (
            options.get('empty_as_null') and not value
            or options.get('blanks_as_null') and not value.strip(' '))):
        return None
    if column.type_name == 'super':
        try:
            return json.loads(value) if value else None
        except ValueError:
            return value
    return value


def copy_text(pairs):
    """(line, document) pairs as PostgreSQL's COPY reads them."""
    return ''.join(f'{line}\t' + escape(document) for line, document in pairs)


def escape(document):
    """A document as the last column of a line; a bare newline or tab in JSON
    is but space."""
    return (document.replace('\\', '\\\\').replace('\n', ' ').replace('\r', ' ')
            .replace('\t', ' ') + '\n')
