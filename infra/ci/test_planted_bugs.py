"""Checks that each planted bug still has its place: a renamed function would take it away unnoticed until the nightly workflow."""

import importlib.util
import unittest

from sam_template import ROOT


def bugs():
    spec = importlib.util.spec_from_file_location("planted_bugs", ROOT / "tests/planted_bugs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.BUGS


class PlantedBugs(unittest.TestCase):
    def test_the_text_that_each_one_changes_stands_in_the_code_once(self):
        for name, changes, _ in bugs():
            for path, old, _ in changes:
                with self.subTest(bug=name, file=path):
                    self.assertEqual((ROOT / path).read_text(encoding="utf-8").count(old), 1, old)


if __name__ == "__main__":
    unittest.main()
