"""Aggregates as the Kinesis Producer Library writes them, byte by byte."""
import hashlib

MAGIC = b'\xf3\x89\x9a\xc2'


def varint(number):
    out = b''
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value)


def chunk(field, value):
    """A field of bytes, text, or a message."""
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def record(data, key=0, hash_key=None):
    """A Record: its keys are indexes into the tables."""
    hash_index = b'' if hash_key is None else number(2, hash_key)
    return chunk(3, number(1, key) + hash_index + chunk(3, data))


def seal(message):
    """A message between its magic and its MD5."""
    return MAGIC + message + hashlib.md5(message).digest()


def aggregate(records):
    """Of records, which are data or (data, key) or (data, key, hash key)."""
    keys, hash_keys, body = [], [], b''

    def index(table, value):
        if value not in table:
            table.append(value)
        return table.index(value)

    for each in records:
        data, key, hash_key = ((*each, None) if isinstance(each, tuple) else (each, 'k', None))[:3]
        body += record(data, index(keys, key),
                       None if hash_key is None else index(hash_keys, hash_key))
    return seal(b''.join(chunk(1, key) for key in keys) +
                b''.join(chunk(2, key) for key in hash_keys) + body)
