"""Proves that a finding of the security linter needs a reason, and a reason a finding."""

import unittest

import security

REASONS = (("CKV_1", "AWS::SQS::Queue.*", "because"),)


class Security(unittest.TestCase):
    def test_a_finding_with_a_reason_passes(self):
        self.assertEqual(list(security.sentences([("CKV_1", "AWS::SQS::Queue.A", "x")], REASONS)), [])

    def test_a_finding_without_a_reason_is_told(self):
        found = [("CKV_1", "AWS::SQS::Queue.A", "x"), ("CKV_2", "AWS::SQS::Queue.A", "open to all"),
                 ("CKV_1", "AWS::S3::Bucket.B", "not encrypted")]
        self.assertEqual(list(security.sentences(found, REASONS)), [
            "AWS::SQS::Queue.A: open to all (CKV_2)", "AWS::S3::Bucket.B: not encrypted (CKV_1)",
        ])

    def test_a_reason_without_a_finding_is_told(self):
        self.assertEqual(list(security.sentences([], REASONS)),
                         ["CKV_1 on AWS::SQS::Queue.* is excused, and not found any more"])

    def test_every_reason_says_something(self):
        for check, resource, reason in security.REASONS:
            with self.subTest(f"{check} {resource}"):
                self.assertGreater(len(reason), 40)

    def test_the_linter_finds_nobody_to_call(self):
        self.assertTrue(all(security.OFFLINE[name].startswith("http://127.0.0.1:") for name in
                            ("HTTP_PROXY", "HTTPS_PROXY")))


if __name__ == "__main__":
    unittest.main()
