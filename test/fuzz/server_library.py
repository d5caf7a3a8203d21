#!/usr/bin/python3
"""server_library.py POSTGRES LIBRARY: the server's executable as a library.

The executable is position-independent and exports its functions, so that a
copy is as good as a shared library, but for two things: the flag that keeps
programs from loading it, and the versions of the few variables of other
libraries that it has copies of, which the linker takes for its own.
"""
import struct
import sys

SHT_DYNAMIC, SHT_DYNSYM, SHT_GNU_VERSYM = 6, 11, 0x6fffffff
DT_FLAGS_1, DF_1_PIE = 0x6ffffffb, 0x08000000
VER_NDX_GLOBAL = 1


def sections(image):
    """Offset and size of the sections of an ELF file of 64 bits, by type."""
    start, = struct.unpack_from('<Q', image, 40)
    entry, count = struct.unpack_from('<HH', image, 58)
    for at in range(start, start + entry * count, entry):
        _, kind, _, _, offset, size = struct.unpack_from('<IIQQQQ', image, at)
        yield kind, (offset, size)


def clear_executable_flag(image, offset, size):
    for at in range(offset, offset + size, 16):
        tag, value = struct.unpack_from('<QQ', image, at)
        if tag == DT_FLAGS_1:
            struct.pack_into('<Q', image, at + 8, value & ~DF_1_PIE)


def forget_versions(image, symbols, versions):
    offset, size = symbols
    for number in range(size // 24):
        defined, = struct.unpack_from('<H', image, offset + 24 * number + 6)
        version, = struct.unpack_from('<H', image, versions + 2 * number)
        if defined and version > VER_NDX_GLOBAL:
            struct.pack_into('<H', image, versions + 2 * number, VER_NDX_GLOBAL)


def main(executable, library):
    with open(executable, 'rb') as f:
        image = bytearray(f.read())
    if image[:6] != b'\x7fELF\x02\x01':
        sys.exit(f'{executable} is no ELF file of a machine that we know')
    found = dict(sections(image))
    clear_executable_flag(image, *found[SHT_DYNAMIC])
    forget_versions(image, found[SHT_DYNSYM], found[SHT_GNU_VERSYM][0])
    with open(library, 'wb') as f:
        f.write(image)


main(*sys.argv[1:])
