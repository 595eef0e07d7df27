"""Packs the runtime as AWS Lambda takes it: a zip with the program as `bootstrap`.

usage: package.py PROGRAM PACKAGE [LEVEL]

The same program gives the same bytes, so that a package that did not change is not deployed again. A program that needs a newer C library than Amazon Linux
2023 has is refused. LEVEL is that of the compression, 9 where it is omitted.
"""

import os
import re
import sys
import zipfile

# Amazon Linux 2023 has glibc 2.34.
NEWEST = (2, 34)


def needed(program):
    """The newest version of glibc whose symbols a program names."""
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", program)
    return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))


def main():
    source, package, *level = sys.argv[1:]
    with open(source, "rb") as file:
        program = file.read()
    if needed(program) > NEWEST:
        sys.exit("{} needs glibc {}.{}, and Lambda's provided.al2023 has {}.{}: build it on an older system".format(source, *needed(program), *NEWEST))
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o755 << 16
    entry.create_system = 3
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, program, compresslevel=int(level[0]) if level else 9)
    print("{}: {:.1f} MB, unpacked {:.1f} MB".format(package, os.path.getsize(package) / 1e6, len(program) / 1e6))


if __name__ == "__main__":
    main()
