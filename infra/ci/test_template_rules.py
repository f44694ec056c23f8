"""Proves that each rule notices its own kind of mistake: break the real template in one place, expect one sentence."""

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

    def test_a_right_on_every_row_of_the_grants_is_noticed(self):
        for sid in ("DeleteTokens", "MarkWaysToXero"):
            with self.subTest(sid):
                self.setUp()
                statement, = (one for one in self.statements("ConnectRole") if one.get("Sid") == sid)
                del statement["Condition"]
                self.expect(rules.grants_are_altered_by_their_own_keys, "ConnectRole", "every row")

    def test_another_recipe_for_the_key_of_tokens_is_noticed(self):
        self.properties("GrantsKeySecret")["GenerateSecretString"]["PasswordLength"] = 65
        self.expect(rules.the_key_of_tokens_stays, "another recipe")

    def test_a_longer_function_timeout_is_noticed(self):
        self.properties("IntakeFunction")["Timeout"] = 61
        self.expect(rules.visibility_outlasts_the_function, "IntakeQueue", "367")

    def test_a_trigger_without_partial_answers_is_noticed(self):
        del self.properties("MirrorFunction")["Events"]["Changes"]["Properties"]["FunctionResponseTypes"]
        self.expect(rules.triggers_answer_item_by_item, "Mirror")

    def test_a_large_batch_without_a_window_is_noticed(self):
        del self.properties("IntakeFunction")["Events"]["Intake"]["Properties"]["MaximumBatchingWindowInSeconds"]
        self.expect(rules.triggers_answer_item_by_item, "Intake", "window")

    def test_a_function_that_lambda_would_end_is_noticed(self):
        for name in ("Mirror", "Upload"):
            with self.subTest(name):
                self.setUp()
                del self.properties(f"{name}Function")["RecursiveLoop"]
                self.expect(rules.loops_are_allowed_where_they_are_meant, name, "16")

    def test_a_loop_over_another_function_is_noticed(self):
        send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["IntakeQueue", "Arn"]}}
        self.statements("MirrorRole").append(send)
        self.assertEqual(self.intake_loops(), [])
        # By way of the mirror, which sends to it now.
        del self.properties("IntakeFunction")["RecursiveLoop"]
        self.expect(rules.loops_are_allowed_where_they_are_meant, "Intake", "16")

    def intake_loops(self):
        self.properties("IntakeFunction")["RecursiveLoop"] = "Allow"
        return list(rules.loops_are_allowed_where_they_are_meant(self.template))

    def test_a_loop_that_is_allowed_for_nothing_is_noticed(self):
        self.properties("WebhookFunction")["RecursiveLoop"] = "Allow"
        self.expect(rules.loops_are_allowed_where_they_are_meant, "Webhook", "needs no")

    def test_a_queue_that_forgets_early_is_noticed(self):
        del self.properties("IntakeDeadLetterQueue")["MessageRetentionPeriod"]
        self.expect(rules.nothing_is_lost_in_a_queue, "IntakeDeadLetterQueue")

    def test_poison_sent_to_another_queues_dead_letters_is_noticed(self):
        self.properties("IntakeQueue")["RedrivePolicy"]["deadLetterTargetArn"] = {
            "Fn::GetAtt": ["ChangesDeadLetterQueue", "Arn"]
        }
        self.expect(rules.nothing_is_lost_in_a_queue, "IntakeDeadLetterQueue")

    def test_an_unwatched_dead_letter_queue_is_noticed(self):
        alarm = self.properties("DeadLettersAlarm")
        alarm["Metrics"] = [each for each in alarm["Metrics"] if each["Id"] != "intake"]
        self.expect(rules.nothing_is_lost_in_a_queue, "IntakeDeadLetterQueue", "alarm")

    def stream(self):
        return self.properties("AnnounceFunction")["Events"]["Activity"]["Properties"]

    def test_a_stream_that_blocks_or_loses_is_noticed(self):
        for name, value, words in (
            ("StartingPosition", "LATEST", "beginning"), ("ParallelizationFactor", 2, "order"),
            ("FunctionResponseTypes", [], "go on"), ("BisectBatchOnFunctionError", False, "narrow"),
            ("MaximumRetryAttempts", -1, "give up"), ("DestinationConfig", {}, "keep what"),
        ):
            with self.subTest(name):
                self.setUp()
                self.stream()[name] = value
                self.expect(rules.streams_neither_lose_nor_block, "ActivityTable", "Announce", words)

    def test_a_stream_without_whole_rows_is_noticed(self):
        self.properties("ActivityTable")["StreamSpecification"]["StreamViewType"] = "KEYS_ONLY"
        found = list(rules.streams_neither_lose_nor_block(self.template))
        self.assertEqual(len(found), 2, found)
        for listener, sentence in zip(("Announce", "Reconcile"), found, strict=True):
            self.assertIn(f"the stream of ActivityTable to {listener} does not show rows", sentence)

    def test_a_stream_whose_age_nobody_watches_is_noticed(self):
        for listener in ("Announce", "Reconcile"):
            with self.subTest(listener):
                self.setUp()
                alarm = self.properties("EventsLateAlarm")
                alarm["Metrics"] = [each for each in alarm["Metrics"] if each["Id"] != listener.lower()]
                self.expect(rules.streams_neither_lose_nor_block, listener, "alarm")

    def test_a_mirror_that_announces_for_itself_is_noticed(self):
        self.statements("MirrorRole").append({
            "Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Fn::GetAtt": ["EventBus", "Arn"]},
        })
        self.expect(rules.promises_are_kept, "Mirror", "EventBus.Arn", "Announce")

    def test_a_sweep_that_reads_the_stream_is_noticed(self):
        self.statements("SweepRole").append({
            "Effect": "Allow", "Action": "dynamodb:GetRecords",
            "Resource": {"Fn::Sub": "${ActivityTable.Arn}/stream/*"},
        })
        self.expect(rules.promises_are_kept, "Sweep", "${ActivityTable.Arn}/stream/*", "Announce")

    def test_a_dead_letter_queue_that_nobody_can_look_into_is_noticed(self):
        del self.properties("OperationsFunction")["Environment"]["Variables"]["UPLOADS_DEAD_LETTER_QUEUE_URL"]
        self.expect(rules.dead_letters_are_all_within_reach, "UploadsDeadLetterQueue", "look")

    def test_dead_letters_that_cannot_go_back_are_noticed(self):
        del self.properties("OperationsFunction")["Environment"]["Variables"]["INTAKE_QUEUE_URL"]
        self.expect(rules.dead_letters_are_all_within_reach, "IntakeDeadLetterQueue", "IntakeQueue")

    def test_a_policy_that_people_do_not_find_by_name_is_noticed(self):
        self.properties("ViewerPolicy")["ManagedPolicyName"] = "viewer"
        self.expect(rules.people_find_their_policies_by_name, "ViewerPolicy", "${AWS::Region}")

    def test_a_policy_that_lets_people_in_without_a_second_factor(self):
        # XC-26
        statements = self.properties("AdministratorPolicy")["PolicyDocument"]["Statement"]
        statements[:] = [statement for statement in statements if "Fn::If" not in statement]
        self.expect(rules.people_have_a_second_factor, "AdministratorPolicy", "second factor")

    def test_a_log_of_actions_that_a_role_could_change_is_noticed(self):
        # XC-27
        policy = self.properties("ActivityTable")["ResourcePolicy"]["PolicyDocument"]
        policy["Statement"][0]["Action"].remove("dynamodb:UpdateItem")
        self.expect(rules.rows_of_the_log_stay, "ActivityTable", "UpdateItem")
        policy["Statement"][0]["Action"].append("dynamodb:UpdateItem")
        self.template["Parameters"]["LogRetentionDays"]["Default"] = 90
        self.expect(rules.rows_of_the_log_stay, "less than a year")

    def test_a_role_without_a_boundary_is_noticed(self):
        del self.properties("SweepRole")["PermissionsBoundary"]
        self.expect(rules.every_role_takes_a_boundary, "SweepRole")

    def test_a_queue_or_a_secret_that_goes_with_its_stack_is_noticed(self):
        for name in ("IntakeQueue", "IntakeDeadLetterQueue", "XeroApiSecret", "AuditBucket"):
            with self.subTest(name):
                self.setUp()
                self.template["Resources"][name]["DeletionPolicy"] = "Delete"
                self.expect(rules.what_cannot_be_had_again_outlives_the_stack, name)

    def test_a_table_that_a_failed_creation_leaves_behind_is_noticed(self):
        self.template["Resources"]["PaymentsTable"]["DeletionPolicy"] = "Retain"
        self.expect(rules.what_cannot_be_had_again_outlives_the_stack, "PaymentsTable")

    def test_a_queue_that_tries_otherwise_than_the_code_counts_is_noticed(self):
        self.properties("UploadsQueue")["RedrivePolicy"]["maxReceiveCount"] = 5
        self.expect(rules.nothing_is_lost_in_a_queue, "UploadsQueue", "10 times")

    def test_one_more_action_is_noticed(self):
        self.statements("WebhookRole")[0]["Action"] = ["sqs:SendMessage", "sqs:ReceiveMessage"]
        self.expect(rules.each_role_allows_exactly_its_list, "Webhook", "sqs:ReceiveMessage")

    def test_one_more_resource_is_noticed(self):
        statement, = (one for one in self.statements("MirrorRole") if one["Sid"] == "ReadOrganisations")
        statement["Resource"] = [
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

    def test_a_schedulers_role_that_lambda_can_take_on_is_noticed(self):
        self.properties("SchedulerRole")["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {
            "Service": "lambda.amazonaws.com"
        }
        self.expect(rules.each_role_allows_exactly_its_list, "Scheduler", "scheduler.amazonaws.com")

    def test_a_schedulers_role_for_every_account_is_noticed(self):
        del self.properties("SchedulerRole")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
        self.expect(rules.each_role_allows_exactly_its_list, "Scheduler", "another account")

    def test_a_role_of_nobody_is_noticed(self):
        self.template["Resources"]["SpareRole"] = copy.deepcopy(self.real["Resources"]["WebhookRole"])
        self.expect(rules.each_role_allows_exactly_its_list, "SpareRole", "no function")

    def test_a_schedule_that_wakes_another_function_is_noticed(self):
        self.statements("SchedulerRole")[0]["Resource"] = [
            {"Fn::GetAtt": ["UploadFunction", "Arn"]}, {"Fn::GetAtt": ["MirrorFunction", "Arn"]},
        ]
        self.expect(rules.each_role_allows_exactly_its_list, "Scheduler", "MirrorFunction.Arn")

    def test_an_upload_that_reads_the_signing_keys_is_noticed(self):
        secret = {"Fn::GetAtt": ["XeroWebhookSecret", "Id"]}
        statement, = [s for s in self.statements("UploadRole") if s["Sid"] == "ReadXeroCredentials"]
        statement["Resource"] = [statement["Resource"], secret]
        self.expect(rules.promises_are_kept, "Upload", "XeroWebhookSecret.Id")

    def lists_uploads(self, role, index="by_line"):
        self.statements(role).append({
            "Effect": "Allow", "Action": "dynamodb:Query",
            "Resource": {"Fn::Sub": "${UploadsTable.Arn}/index/" + index},
        })

    def test_a_webhook_that_lists_uploads_is_noticed(self):
        self.lists_uploads("WebhookRole")
        self.expect(rules.promises_are_kept, "Webhook", "by_line", "Intake and Mirror and Operate and Operations and Sweep and Upload")

    def test_a_mirror_that_lists_the_uploads_of_nights_is_noticed(self):
        self.lists_uploads("MirrorRole", "by_night")
        self.expect(rules.each_role_allows_exactly_its_list, "Mirror", "by_night")

    def test_an_intake_that_lists_uploads_is_noticed(self):
        self.lists_uploads("IntakeRole")
        self.expect(rules.each_role_allows_exactly_its_list, "Intake", "by_line")

    def policy(self, name):
        return self.properties(name)["PolicyDocument"]["Statement"]

    def test_a_viewer_who_may_operate_is_noticed(self):
        self.policy("ViewerPolicy")[-1]["Resource"] = {"Fn::GetAtt": ["OperateFunction", "Arn"]}
        found = list(rules.people_may_exactly_what_is_listed(self.template))
        self.assertEqual(len(found), 2, found)
        self.assertIn("the Viewer may lambda:InvokeFunction on OperateFunction.Arn", " ".join(found))

    def test_an_operator_who_may_call_the_sweep_past_the_console_is_noticed(self):
        self.policy("OperatorPolicy")[-1]["Resource"].append({"Fn::GetAtt": ["SweepFunction", "Arn"]})
        self.expect(rules.people_may_exactly_what_is_listed, "Operator", "SweepFunction.Arn")

    def test_what_only_a_person_orders_no_function_may_that_runs_by_itself(self):
        table = {noun: {"Fn::GetAtt": [f"{noun}Table", "Arn"]} for noun in (
            "Organisations", "Brakes", "Parked", "Grants", "Payments", "Tombstones", "Activity")}
        queue = {noun: {"Fn::GetAtt": [f"{noun}Queue", "Arn"]} for noun in (
            "ChangesDeadLetter", "IntakeDeadLetter", "UploadsDeadLetter", "SchedulesDeadLetter", "EventsDeadLetter", "Intake", "Uploads")}
        for role, action, resource in (
            *(("Sweep", f"sqs:{action}", queue[f"{noun}DeadLetter"])
              for noun in ("Changes", "Intake", "Uploads", "Schedules", "Events")
              for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")),
            ("Sweep", "sqs:SendMessage", queue["Intake"]), ("Sweep", "sqs:SendMessage", queue["Uploads"]),
            ("Sweep", "secretsmanager:DescribeSecret", {"Fn::GetAtt": ["XeroWebhookSecret", "Id"]}),
            ("Sweep", "dynamodb:PutItem", table["Organisations"]),
            ("Sweep", "dynamodb:PutItem", table["Brakes"]), ("Sweep", "dynamodb:PutItem", table["Parked"]),
            ("Sweep", "dynamodb:DeleteItem", table["Parked"]), ("Sweep", "dynamodb:UpdateItem", table["Grants"]),
            ("Sweep", "dynamodb:PutItem", table["Payments"]),
            ("Sweep", "dynamodb:Query", table["Tombstones"]), ("Announce", "dynamodb:Query", table["Activity"]),
            ("Announce", "dynamodb:PutItem", table["Activity"]),
        ):
            with self.subTest(f"{role} {action} {resource}"):
                self.setUp()
                pair = (action, sam_template.one_name(resource))
                self.assertNotIn(pair, rules.granted(self.template["Resources"][f"{role}Role"]["Properties"]))
                self.assertIn(pair, rules.granted(self.template["Resources"]["OperationsRole"]["Properties"]))
                self.statements(f"{role}Role").append({"Effect": "Allow", "Action": action, "Resource": resource})
                self.expect(rules.each_role_allows_exactly_its_list, role, action, "not on its list")

    def test_a_command_that_is_forwarded_comes_back_to_no_function(self):
        self.assertNotIn("Operations", rules.calls(self.template)["Upload"])
        self.statements("UploadRole").append({
            "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": {"Fn::GetAtt": ["IntakeFunction", "Arn"]},
        })
        self.assertIn("Intake", rules.calls(self.template)["Upload"])

    def test_one_more_policy_for_people_is_noticed(self):
        self.template["Resources"]["GuestPolicy"] = copy.deepcopy(self.real["Resources"]["ViewerPolicy"])
        self.expect(rules.people_may_exactly_what_is_listed, "GuestPolicy")

    def test_a_page_that_changes_something_is_noticed(self):
        self.statements("ConsoleRole").append({
            "Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": {"Fn::GetAtt": ["ParkedTable", "Arn"]},
        })
        self.expect(rules.the_console_only_looks, "Console", "ParkedTable.Arn")

    def test_a_viewer_that_passes_on_orders_is_noticed(self):
        self.statements("ConsoleRole").append({
            "Effect": "Allow", "Action": "lambda:InvokeFunction",
            "Resource": {"Fn::GetAtt": ["SweepFunction", "Arn"]},
        })
        self.expect(rules.the_console_only_looks, "Console", "SweepFunction.Arn")
        self.expect(rules.promises_are_kept, "Console", "SweepFunction.Arn")

    def test_a_permission_that_no_code_needs_is_noticed(self):
        self.statements("MirrorRole")[3]["Action"] = ["dynamodb:GetItem", "dynamodb:ConditionCheckItem"]
        self.expect(rules.roles_fit_what_the_table_crate_calls, "ConditionCheckItem", "never")

    def test_a_call_that_no_role_allows_is_noticed(self):
        for role in ("MirrorRole", "IntakeRole", "UploadRole", "SweepRole", "OperationsRole", "ConnectRole", "ReportRole"):
            for statement in self.statements(role):
                actions = sam_template.as_list(statement["Action"])
                statement["Action"] = [action for action in actions if action != "dynamodb:DeleteItem"]
        self.expect(rules.roles_fit_what_the_table_crate_calls, "DeleteItem", "no role")

    def test_a_table_without_recovery_is_noticed(self):
        del self.properties("PaymentsTable")["PointInTimeRecoverySpecification"]
        self.expect(rules.tables_survive_mistakes, "PaymentsTable", "restorable")

    def test_a_table_that_goes_with_its_stack_is_noticed(self):
        self.template["Resources"]["PaymentsTable"]["DeletionPolicy"] = "Delete"
        self.expect(rules.what_cannot_be_had_again_outlives_the_stack, "PaymentsTable")

    def test_a_log_kept_for_ever_is_noticed(self):
        del self.properties("MirrorLogGroup")["RetentionInDays"]
        self.expect(rules.logs_are_kept_for_a_set_time, "MirrorLogGroup")

    def test_a_misspelt_variable_is_noticed(self):
        unread = len(list(rules.environment_is_read_by_the_code(self.real)))
        self.properties("IntakeFunction")["Environment"]["Variables"]["TABEL_PREFIX"] = "x"
        found = list(rules.environment_is_read_by_the_code(self.template))
        self.assertEqual(len(found), unread + 1)

    def schedule(self, name):
        return self.properties("UploadFunction")["Events"][name]["Properties"]

    def test_a_night_without_its_own_time_is_noticed(self):
        self.schedule("Nightly")["Input"] = "{}"
        self.expect(rules.schedules_lose_no_night, "Nightly", "its own time")

    def test_a_night_in_no_time_zone_is_noticed(self):
        # CC-22: schedules follow the business day.
        del self.schedule("Nightly")["ScheduleExpressionTimezone"]
        self.expect(rules.schedules_lose_no_night, "Nightly", "time zone")

    def test_a_night_at_an_uncertain_minute_is_noticed(self):
        self.schedule("Nightly")["FlexibleTimeWindow"] = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
        self.expect(rules.schedules_lose_no_night, "Nightly", "another minute")

    def test_a_schedule_that_gives_up_silently_is_noticed(self):
        del self.schedule("CatchUp")["DeadLetterConfig"]
        self.expect(rules.schedules_lose_no_night, "CatchUp", "deliver")

    def test_a_schedule_with_a_role_made_by_sam_is_noticed(self):
        del self.schedule("CatchUp")["RoleArn"]
        self.expect(rules.schedules_lose_no_night, "CatchUp", "SchedulerRole")

    def test_a_night_that_fails_and_is_lost_is_noticed(self):
        del self.properties("UploadFunction")["EventInvokeConfig"]["DestinationConfig"]
        found = list(rules.schedules_lose_no_night(self.template))
        self.assertEqual(["lost when it fails" in sentence for sentence in found], [True, True], found)

    def test_an_hour_that_some_days_lack_is_noticed(self):
        self.template["Parameters"]["UploadTime"]["AllowedPattern"] = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
        self.expect(rules.the_night_has_an_hour_that_exists, "accepts 00:00")

    def test_an_hour_that_is_refused_for_no_reason_is_noticed(self):
        self.template["Parameters"]["UploadTime"]["AllowedPattern"] = "^(1[0-9]|2[0-3]):[0-5][0-9]$"
        self.expect(rules.the_night_has_an_hour_that_exists, "refuses 04:00")

    def test_a_full_sweep_at_an_hour_that_some_days_skip_is_noticed(self):
        self.template["Parameters"]["FullSweepTime"]["AllowedPattern"] = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
        self.expect(rules.the_night_has_an_hour_that_exists, "FullSweepTime", "accepts 00:00")

    def test_a_sweep_that_deletes_payments_is_noticed(self):
        self.statements("SweepRole").append({
            "Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": {"Fn::GetAtt": ["PaymentsTable", "Arn"]},
        })
        self.expect(rules.each_role_allows_exactly_its_list, "Sweep", "PaymentsTable.Arn")

    def test_an_alarm_on_a_misspelt_metric_is_noticed(self):
        # It is a number of the line, and no metric.
        self.properties("RunsFailedAlarm")["MetricName"] = "UploadRunsFailed"
        self.expect(rules.alarms_watch_what_is_measured, "RunsFailedAlarm", "UploadRunsFailed")

    def test_an_alarm_on_a_misspelt_dimension_is_noticed(self):
        for wrong in ({"Name": "Function"}, {"Value": "paymirror"}):
            self.setUp()
            self.properties("NeedsAPersonAlarm")["Dimensions"][0].update(wrong)
            self.expect(rules.alarms_watch_what_is_measured, "NeedsAPersonAlarm", *wrong.values())

    def test_functions_that_do_not_know_their_stack_are_noticed(self):
        self.template["Globals"]["Function"]["Environment"]["Variables"]["STACK_NAME"] = "paymirror"
        self.expect(rules.alarms_watch_what_is_measured, "stack")

    def test_a_profile_that_leaves_panics_to_cargo_lambda_is_noticed(self):
        found = list(rules.panics_stay_inside_one_invocation(self.template, {"profile": {"release": {"lto": "thin"}}}))
        self.assertEqual(len(found), 1)
        unwinding = {"profile": {"release": {"panic": "unwind"}}}
        self.assertEqual(list(rules.panics_stay_inside_one_invocation(self.template, unwinding)), [])


if __name__ == "__main__":
    unittest.main()
