"""Proves that each rule notices what it is there for: break the real template in one place, expect one sentence."""

import copy
import unittest

import sam_template
import template_rules as rules


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.real = sam_template.load()

    def setUp(self):
        self.template = copy.deepcopy(self.real)

    def properties(self, name):
        return self.template["Resources"][name]["Properties"]

    def statements(self, role):
        return self.properties(role)["Policies"][0]["PolicyDocument"]["Statement"]

    def expect(self, rule, *words):
        found = list(rule(self.template))
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_a_visibility_one_second_short_is_noticed(self):
        self.properties("ChangesQueue")["VisibilityTimeout"] = 721
        self.expect(rules.visibility_outlasts_the_function, "ChangesQueue", "722")

    def test_a_longer_function_timeout_is_noticed(self):
        self.properties("IntakeFunction")["Timeout"] = 61
        self.expect(rules.visibility_outlasts_the_function, "IntakeQueue", "367")

    def test_a_trigger_without_partial_answers_is_noticed(self):
        del self.properties("MirrorFunction")["Events"]["Changes"]["Properties"]["FunctionResponseTypes"]
        self.expect(rules.triggers_answer_item_by_item, "Mirror")

    def test_a_large_batch_without_a_window_is_noticed(self):
        del self.properties("IntakeFunction")["Events"]["Intake"]["Properties"]["MaximumBatchingWindowInSeconds"]
        self.expect(rules.triggers_answer_item_by_item, "Intake", "window")

    def test_a_queue_that_forgets_early_is_noticed(self):
        del self.properties("IntakeDeadLetterQueue")["MessageRetentionPeriod"]
        self.expect(rules.nothing_is_lost_in_a_queue, "IntakeDeadLetterQueue")

    def test_poison_sent_to_another_queues_dead_letters_is_noticed(self):
        self.properties("IntakeQueue")["RedrivePolicy"]["deadLetterTargetArn"] = {
            "Fn::GetAtt": ["ChangesDeadLetterQueue", "Arn"]
        }
        self.expect(rules.nothing_is_lost_in_a_queue, "IntakeDeadLetterQueue")

    def test_an_unwatched_dead_letter_queue_is_noticed(self):
        del self.template["Resources"]["IntakeDeadLettersAlarm"]
        self.expect(rules.nothing_is_lost_in_a_queue, "IntakeDeadLetterQueue", "alarm")

    def test_one_more_action_is_noticed(self):
        self.statements("WebhookRole")[0]["Action"] = ["sqs:SendMessage", "sqs:ReceiveMessage"]
        self.expect(rules.each_role_allows_exactly_its_list, "Webhook", "sqs:ReceiveMessage")

    def test_one_more_resource_is_noticed(self):
        self.statements("MirrorRole")[3]["Resource"] = [
            {"Fn::GetAtt": ["OrganisationsTable", "Arn"]}, {"Fn::GetAtt": ["ReceiptsTable", "Arn"]},
        ]
        self.expect(rules.each_role_allows_exactly_its_list, "Mirror", "ReceiptsTable.Arn")

    def test_a_missing_action_is_noticed(self):
        del self.statements("WebhookRole")[1]
        self.expect(rules.each_role_allows_exactly_its_list, "Webhook", "secretsmanager:GetSecretValue")

    def test_a_managed_policy_is_noticed(self):
        self.properties("WebhookRole")["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
        self.expect(rules.each_role_allows_exactly_its_list, "Webhook", "managed")

    def test_a_borrowed_role_is_noticed(self):
        self.properties("WebhookFunction")["Role"] = {"Fn::GetAtt": ["MirrorRole", "Arn"]}
        self.expect(rules.each_role_allows_exactly_its_list, "Webhook", "no role of its own")

    def test_a_role_for_everybody_is_noticed(self):
        self.properties("IntakeRole")["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}
        self.expect(rules.each_role_allows_exactly_its_list, "Intake", "assumed")

    def test_a_permission_that_no_code_needs_is_noticed(self):
        self.statements("MirrorRole")[3]["Action"] = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        self.expect(rules.roles_fit_what_the_table_crate_calls, "UpdateItem", "never")

    def test_a_call_that_no_role_allows_is_noticed(self):
        for role in ("MirrorRole", "IntakeRole"):
            for statement in self.statements(role):
                actions = sam_template.as_list(statement["Action"])
                statement["Action"] = [action for action in actions if action != "dynamodb:DeleteItem"]
        self.expect(rules.roles_fit_what_the_table_crate_calls, "DeleteItem", "no role")

    def test_a_table_without_recovery_is_noticed(self):
        del self.properties("PaymentsTable")["PointInTimeRecoverySpecification"]
        self.expect(rules.tables_survive_mistakes, "PaymentsTable", "restorable")

    def test_a_table_that_goes_with_its_stack_is_noticed(self):
        self.template["Resources"]["PaymentsTable"]["DeletionPolicy"] = "Delete"
        self.expect(rules.tables_survive_mistakes, "PaymentsTable", "kept")

    def test_a_log_kept_for_ever_is_noticed(self):
        del self.properties("MirrorLogGroup")["RetentionInDays"]
        self.expect(rules.logs_are_kept_for_a_set_time, "MirrorLogGroup")

    def test_a_misspelt_variable_is_noticed(self):
        unread = len(list(rules.environment_is_read_by_the_code(self.real)))
        self.properties("IntakeFunction")["Environment"]["Variables"]["TABEL_PREFIX"] = "x"
        found = list(rules.environment_is_read_by_the_code(self.template))
        self.assertEqual(len(found), unread + 1)

    def test_a_profile_that_leaves_panics_to_cargo_lambda_is_noticed(self):
        found = list(rules.panics_stay_inside_one_invocation(self.template, {"profile": {"release": {"lto": "thin"}}}))
        self.assertEqual(len(found), 1)
        unwinding = {"profile": {"release": {"panic": "unwind"}}}
        self.assertEqual(list(rules.panics_stay_inside_one_invocation(self.template, unwinding)), [])


if __name__ == "__main__":
    unittest.main()
