"""From text in an object to the type of a column: SQL expressions that do
what COPY does, and raise its error codes."""

INTEGERS = {'smallint': 'Short', 'integer': 'Integer', 'bigint': 'Long'}
CODES = {**{name: 1207 for name in INTEGERS}, 'boolean': 1210, 'numeric': 1209, 'real': 1208,
         'double precision': 1208, 'date': 1205, 'timestamp without time zone': 1206,
         'timestamp with time zone': 1206}
NAMES = {'smallint': 'int2', 'integer': 'int4', 'bigint': 'int8', 'boolean': 'bool',
         'real': 'float4', 'double precision': 'float8', 'character varying': 'varchar',
         'character': 'char', 'timestamp without time zone': 'timestamp',
         'timestamp with time zone': 'timestamptz', 'time without time zone': 'time',
         'time with time zone': 'timetz'}
# without backslashes, which the session's strings take as escapes
DATE = '[0-9]{4}-[0-9]{2}-[0-9]{2}'
TIME = '[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?'
ZONE = '[+-][0-9]{2}(:?[0-9]{2})?'
# conditions; what is left to PostgreSQL under 'auto' are spellings of dates,
# not its words (now, infinity, BC)
STAMP = {None: f"VALUE ~ '^{DATE} {TIME}( ?{ZONE})?$'",
         'auto': "(VALUE LIKE '____-__-__%' AND VALUE NOT LIKE '%C')",
         'epochsecs': "VALUE ~ '^-?[0-9]+([.][0-9]+)?$'",
         'epochmillisecs': "VALUE ~ '^-?[0-9]+([.][0-9]+)?$'"}
REASONS = {1205: 'Invalid Date Format - length must be 10 or more',
           1206: 'Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]',
           1208: 'Invalid value for FLOAT', 1209: 'Invalid digit for NUMERIC',
           1210: 'Invalid value for BOOLEAN'}
TOO_LONG = 'String length exceeds DDL length'
MULTIBYTE = 'Multibyte character not supported for CHAR (Hint: Try using VARCHAR)'


class Column:
    """A column of the table that is loaded."""

    def __init__(self, name, type_name, modifier, identity, generated):
        self.name, self.type_name = name, type_name
        self.identity, self.generated = identity != '', generated != ''
        self.quoted = '"%s"' % name.replace('"', '""')
        modifier = int(modifier)
        self.length = modifier - 4 if modifier > 0 and 'character' in type_name else None
        if type_name == 'numeric':
            self.precision, self.scale = (modifier - 4) >> 16, (modifier - 4) & 0x7ff

    @property
    def short_type(self):
        return NAMES.get(self.type_name, self.type_name)

    @property
    def is_text(self):
        return 'character' in self.type_name

    @property
    def source_type(self):
        return 'json' if self.type_name == 'super' else 'text'


def _refused_unless(value, condition, code, reason):
    return (f"CASE WHEN {value} IS NULL OR {condition} THEN {value} "
            f"ELSE standin.refuse({code}, '{reason}') END")


def expression(column, spec):
    """SQL for the value of column of the composite x, converted."""
    value = f'(x).{column.quoted}'
    if column.is_text:
        return _text(value, column, spec)
    if spec.format == 'csv' and column.type_name != 'super':
        value = f"nullif({value}, '')"
    if column.type_name == 'numeric':
        checked = _refused_unless(value, f"lower({value}) NOT LIKE '%n%'", 1209, REASONS[1209])
        number = f'({checked})::numeric'
        return number if spec.round_decimals else f'trunc({number}, {column.scale})'
    if column.type_name == 'date':
        pattern = DATE if spec.date_format is None else f'{DATE}([ T].*)?'
        checked = _refused_unless(value, f"{value} ~ '^{pattern}$'", 1205, REASONS[1205])
        return f'({checked})::date'
    if column.type_name.startswith('timestamp'):
        return _stamp(value, column, spec)
    return f'{value}::{column.type_name}'


def _text(value, column, spec):
    if spec.truncate_columns:
        value = f'standin.first_bytes({value}, {column.length})'
    else:
        value = _refused_unless(value, f'octet_length({value}) <= {column.length}', 1204,
                                TOO_LONG)
    if column.type_name == 'character':
        value = _refused_unless(f'({value})', f'octet_length({value}) = length({value})', 1220,
                                MULTIBYTE)
    return value


def _stamp(value, column, spec):
    checked = _refused_unless(value, STAMP[spec.time_format].replace('VALUE', value),
                              1206, REASONS[1206])
    if spec.time_format not in ('epochsecs', 'epochmillisecs'):
        return f'({checked})::{column.type_name}'
    divisor = 1 if spec.time_format == 'epochsecs' else 1000
    stamp = f'to_timestamp(({checked})::numeric / {divisor})'
    return stamp if 'with time' in column.type_name and 'out' not in column.type_name \
        else f"({stamp} AT TIME ZONE 'UTC')"


def load_error(error, column, value):
    """Error code, reason and position of what PostgreSQL says of a value."""
    if error.sqlstate.startswith('R'):
        return int(error.sqlstate[1:]), error.message, 0
    if error.sqlstate == '22003':
        return 1204, f'Overflow for {column.short_type}', 0
    code = CODES.get(column.type_name, 1200)
    if code == 1207:
        at = next((n for n, c in enumerate(value) if not (c.isdigit() or c in '+-' and n == 0)), 0)
        return 1207, (f"Invalid digit, Value '{value[at:at + 1]}', Pos {at}, "
                      f"Type: {INTEGERS[column.type_name]}"), at
    return code, REASONS.get(code, error.message), 0
