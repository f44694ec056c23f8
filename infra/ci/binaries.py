#!/usr/bin/env python3
"""Checks that each program of a build runs in Lambda's runtime: for its processor, and with no newer glibc than it has.

`provided.al2023` has glibc 2.34. A program that asks for more ends before its first line, in every invocation.
"""

import re
import struct
import sys
from pathlib import Path

GLIBC_MAX = (2, 34)
# ELF's numbers of processors.
MACHINES = {"x86_64": 62, "arm64": 183}
HEADER = 20


def problems(name, content, architecture):
    """Sentences on what keeps a program from running there."""
    if content[:4] != b"\x7fELF":
        yield f"{name} is no program for Linux"
        return
    machine, = struct.unpack_from("<H", content, HEADER - 2)
    if machine != MACHINES[architecture]:
        yield f"{name} is for another processor than {architecture}"
    newest = max(versions(content), default=(0, 0))
    if newest > GLIBC_MAX:
        yield f"{name} needs glibc {newest[0]}.{newest[1]}, and Lambda has {GLIBC_MAX[0]}.{GLIBC_MAX[1]}"


def versions(content):
    """The versions of glibc that symbols of a program are from: the texts stand in its table of names."""
    for major, minor in re.findall(rb"\x00GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\x00)", content):
        yield int(major), int(minor)


def main():
    architecture, folder = sys.argv[1], Path(sys.argv[2])
    programs = sorted(folder.rglob("bootstrap"))
    found = [sentence for path in programs for sentence in problems(path.parent.name, path.read_bytes(), architecture)]
    for sentence in found or ([] if programs else [f"there is no program in {folder}"]):
        print(f"binaries: {sentence}")
    if found or not programs:
        return 1
    newest = max(version for path in programs for version in versions(path.read_bytes()))
    print(f"binaries: {len(programs)} programs are for {architecture} and need glibc {newest[0]}.{newest[1]} at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
