"""Checks that a program for another machine than Lambda's is noticed."""

import struct
import unittest

from binaries import MACHINES, problems


def program(machine, *versions):
    """The beginning of an ELF file, and the names of versions."""
    names = b"\x00".join(f"GLIBC_{version}".encode() for version in versions)
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine) + b"\x00libc.so.6\x00" + names + b"\x00"


class Binaries(unittest.TestCase):
    def test_a_program_that_fits_is_let_through(self):
        for architecture, machine in MACHINES.items():
            self.assertEqual(list(problems("webhook", program(machine, "2.2.5", "2.17", "2.34"), architecture)), [])

    def test_a_newer_glibc_another_processor_and_no_program_are_noticed(self):
        x86 = MACHINES["x86_64"]
        for content, word in ((program(x86, "2.2.5", "2.39"), "glibc 2.39"), (program(MACHINES["arm64"]), "processor"), (b"#!/bin/sh", "no program")):
            with self.subTest(word):
                sentence, = problems("webhook", content, "x86_64")
                self.assertIn(word, sentence)


if __name__ == "__main__":
    unittest.main()
