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

    def test_the_tests_that_each_one_asks_for_are_there(self):
        # cargo fails for a binary that is none, as if the bug were caught, and runs no test for a name that none has.
        for name, _, (_, crate, *wanted) in bugs():
            if "--test" not in wanted:
                continue
            (_, binary, word), (folder,) = wanted, ROOT.glob(f"*/{crate.partition('@')[0]}/tests/it")
            code = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.rs"))
            with self.subTest(bug=name):
                self.assertEqual(binary, "it")
                self.assertTrue(f"mod {word};" in code or f"fn {word}" in code, word)


if __name__ == "__main__":
    unittest.main()
