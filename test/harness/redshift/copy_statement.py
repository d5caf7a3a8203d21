"""COPY table [(columns)] FROM 's3://...' and its parameters."""
from .grammar import Parser
from .wire import RedshiftError


class CopyStatement:
    """What a COPY says.  credentials is ('role', arn) or ('key', {...})."""

    def __init__(self, table, name, columns, bucket, key):
        self.table, self.name, self.columns = table, name, columns
        self.bucket, self.key = bucket, key
        self.credentials = self.region = self.compression = self.format = None
        self.json = None                # 'auto', 'auto ignorecase' or 'noshred'
        self.manifest = self.truncate_columns = self.round_decimals = False
        self.explicit_ids = self.no_load = False
        self.time_format = self.date_format = self.replacement = None
        self.max_errors = 0
        self.csv = {}


def copy(p: Parser):
    p.expect('copy')
    table = p.table()
    name = p.found[p.at - 1].text.strip('"').lower()
    columns = p.names() if p.token.text == '(' else None
    p.expect('from')
    if p.is_word('stdin'):
        raise RedshiftError('0A000', 'LOAD source is not supported. (Hint: only S3 or DynamoDB '
                            'or EMR based load is allowed)')
    source = p.expect_kind('string').value()
    if not source.startswith('s3://') or '/' not in source[5:]:
        raise RedshiftError('0A000', 'LOAD source is not supported. (Hint: only S3 or DynamoDB '
                            'or EMR based load is allowed)')
    spec = CopyStatement(table, name, columns, *source[5:].split('/', 1))
    while p.token.kind != 'end':
        _parameter(p, spec)
    _check(spec)
    return spec


def _parameter(p, spec):
    token = p.token
    if token.word not in PARAMETERS:
        raise p.fail()
    p.take()
    PARAMETERS[token.word](p, spec)


def _string(p):
    p.accept('as')
    return p.expect_kind('string').value()


def _role(p, spec):
    if p.accept('default'):
        arn = 'default'
    else:
        arn = _string(p)
    _credentials(spec, 'role', arn)


def _credentials(spec, kind, value):
    if spec.credentials:
        raise RedshiftError('42601', 'conflicting or redundant options')
    spec.credentials = (kind, value)


def _credential_string(p, spec):
    parts = dict(part.split('=', 1) for part in _string(p).split(';') if '=' in part)
    if set(parts) == {'aws_iam_role'}:
        return _credentials(spec, 'role', parts['aws_iam_role'])
    names = {'aws_access_key_id': 'access_key', 'aws_secret_access_key': 'secret_key',
             'token': 'token'}
    if not set(parts) <= set(names) or 'aws_secret_access_key' not in parts:
        raise RedshiftError('XX000', 'Invalid credentials. Must be of the format: credentials '
                            "'aws_iam_role=...' or 'aws_access_key_id=...;"
                            "aws_secret_access_key=...[;token=...]'")
    return _credentials(spec, 'key', {names[name]: value for name, value in parts.items()})


def _key(name):
    def parameter(p, spec):
        value = _string(p)
        if spec.credentials is None:
            spec.credentials = ('key', {})
        spec.credentials[1][name] = value
    return parameter


def _format(p, spec):
    p.accept('as')
    if not p.is_word('csv', 'json'):
        raise RedshiftError('0A000', f'COPY format {p.token.text} is not known to the stand-in')
    _parameter(p, spec)


def _set_format(spec, name):
    if spec.format:
        raise RedshiftError('42601', f'{name.upper()} is not compatible with '
                            f'{spec.format.upper()}')
    spec.format = name


def _json(p, spec):
    _set_format(spec, 'json')
    p.accept('as')
    spec.json = p.expect_kind('string').value() if p.token.kind == 'string' else 'auto'
    if spec.json not in ('auto', 'auto ignorecase', 'noshred'):
        raise RedshiftError('0A000', 'JSONPaths are not known to the stand-in')


def _csv(p, spec):
    _set_format(spec, 'csv')
    if p.accept('quote'):
        spec.csv['quote'] = _string(p)


def _csv_option(name, read):
    def parameter(p, spec):
        spec.csv[name] = read(p)
    return parameter


def _flag(name, value=True):
    def parameter(p, spec):
        setattr(spec, name, value)
    return parameter


def _compression(name):
    def parameter(p, spec):
        if spec.compression:
            raise RedshiftError('42601', 'conflicting or redundant options')
        spec.compression = name
    return parameter


def _max_errors(p, spec):
    spec.max_errors = _number(p)
    if spec.max_errors > 100000:
        raise RedshiftError('22023', 'MAXERROR must be between 0 and 100000')


def _time_format(p, spec):
    spec.time_format = _string(p)
    if spec.time_format not in ('auto', 'epochsecs', 'epochmillisecs'):
        raise RedshiftError('0A000', 'TIMEFORMAT strings are not known to the stand-in')


def _date_format(p, spec):
    spec.date_format = _string(p)
    if spec.date_format != 'auto':
        raise RedshiftError('0A000', 'DATEFORMAT strings are not known to the stand-in')


def _accept_invalid(p, spec):
    spec.replacement = '?'
    if p.is_word('as') or p.token.kind == 'string':
        spec.replacement = _string(p)
    if len(spec.replacement.encode()) != 1:
        raise RedshiftError('22023', 'ACCEPTINVCHARS wants one ASCII character')


def _on_off(p, spec):
    if not (p.accept('off') or p.accept('on')):
        p.accept('preset')


def _region(p, spec):
    spec.region = _string(p)


def _number(p):
    p.accept('as')
    return p.integer()


PARAMETERS = {
    'iam_role': _role, 'credentials': _credential_string, 'with': lambda p, spec: None,
    'access_key_id': _key('access_key'), 'secret_access_key': _key('secret_key'),
    'session_token': _key('token'), 'region': _region, 'manifest': _flag('manifest'),
    'format': _format, 'json': _json, 'csv': _csv,
    'delimiter': _csv_option('delimiter', _string), 'null': _csv_option('null', _string),
    'ignoreheader': _csv_option('header', _number),
    'emptyasnull': _csv_option('empty_as_null', lambda p: True),
    'blanksasnull': _csv_option('blanks_as_null', lambda p: True),
    'gzip': _compression('gzip'), 'zstd': _compression('zstd'), 'bzip2': _compression('bzip2'),
    'maxerror': _max_errors, 'timeformat': _time_format, 'dateformat': _date_format,
    'acceptinvchars': _accept_invalid, 'truncatecolumns': _flag('truncate_columns'),
    'roundec': _flag('round_decimals'), 'explicit_ids': _flag('explicit_ids'),
    'noload': _flag('no_load'), 'compupdate': _on_off, 'statupdate': _on_off}


def _check(spec):
    if not spec.credentials:
        raise RedshiftError('XX000', 'CREDENTIALS argument is required but not specified')
    if spec.credentials[0] == 'key' and not {'access_key', 'secret_key'} <= set(
            spec.credentials[1]):
        raise RedshiftError('XX000', 'Missing credentials. Both ACCESS_KEY_ID and '
                            'SECRET_ACCESS_KEY are wanted')
    if not spec.format:
        raise RedshiftError('0A000', 'delimited text is not known to the stand-in; '
                            'say FORMAT CSV or JSON')
    if spec.format == 'json' and spec.csv:
        raise RedshiftError('42601', f'{next(iter(spec.csv)).upper()} is not supported with JSON')
