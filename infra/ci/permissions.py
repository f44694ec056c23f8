"""Tries each role against every operation on every table, queue, secret, event bus and function of the stack.

The expected answers come from `template_rules.ALLOWED`, the list that the template is compared with: so the list, the
template and IAM's reading of the template have to agree. Requests are left incomplete on purpose: IAM answers
first, and a permitted one is then refused as malformed and changes nothing.
"""

from botocore.exceptions import ClientError

from template_rules import ALLOWED

DENIED = {"AccessDenied", "AccessDeniedException"}


def _table_requests(name):
    yield "dynamodb:GetItem", "get_item", {"TableName": name}
    yield "dynamodb:Query", "query", {"TableName": name}
    yield "dynamodb:Scan", "scan", {"TableName": name, "Limit": -1}
    yield "dynamodb:PutItem", "put_item", {"TableName": name}
    yield "dynamodb:UpdateItem", "update_item", {"TableName": name}
    yield "dynamodb:DeleteItem", "delete_item", {"TableName": name}
    yield "dynamodb:BatchGetItem", "batch_get_item", {"RequestItems": {name: {}}}
    yield "dynamodb:BatchWriteItem", "batch_write_item", {"RequestItems": {name: []}}
    check = {"ConditionCheck": {"TableName": name}}
    yield "dynamodb:ConditionCheckItem", "transact_write_items", {"TransactItems": [check]}
    yield "dynamodb:DescribeTable", "describe_table", {"TableName": name}
    yield "dynamodb:UpdateTable", "update_table", {"TableName": name, "BillingMode": "-"}
    yield "dynamodb:DeleteTable", "delete_table", {"TableName": name}


def _index_requests(table, index):
    yield "dynamodb:Query", "query", {"TableName": table, "IndexName": index}
    yield "dynamodb:Scan", "scan", {"TableName": table, "IndexName": index, "Limit": -1}


def _queue_requests(url):
    yield "sqs:SendMessage", "send_message", {"QueueUrl": url}
    yield "sqs:ReceiveMessage", "receive_message", {"QueueUrl": url, "MaxNumberOfMessages": 99}
    yield "sqs:DeleteMessage", "delete_message", {"QueueUrl": url}
    yield "sqs:ChangeMessageVisibility", "change_message_visibility", {"QueueUrl": url}
    yield "sqs:GetQueueAttributes", "get_queue_attributes", {"QueueUrl": url}
    yield "sqs:SetQueueAttributes", "set_queue_attributes", {"QueueUrl": url, "Attributes": {"-": "-"}}
    yield "sqs:PurgeQueue", "purge_queue", {"QueueUrl": url}
    yield "sqs:DeleteQueue", "delete_queue", {"QueueUrl": url}


def _secret_requests(arn):
    yield "secretsmanager:GetSecretValue", "get_secret_value", {"SecretId": arn, "VersionId": "-"}
    yield "secretsmanager:PutSecretValue", "put_secret_value", {"SecretId": arn}
    yield "secretsmanager:DescribeSecret", "describe_secret", {"SecretId": arn}
    yield "secretsmanager:DeleteSecret", "delete_secret", {"SecretId": arn, "RecoveryWindowInDays": -1}


def _function_requests(name):
    # A dry run asks for the permission and runs nothing.
    yield "lambda:InvokeFunction", "invoke", {"FunctionName": name, "InvocationType": "DryRun"}
    yield "lambda:GetFunctionConfiguration", "get_function_configuration", {"FunctionName": name}


def _bus_requests(name):
    # An entry that says nothing is refused by itself.
    yield "events:PutEvents", "put_events", {"Entries": [{"EventBusName": name}]}
    yield "events:PutRule", "put_rule", {"Name": "-", "EventBusName": name, "EventPattern": "-"}
    yield "events:DescribeEventBus", "describe_event_bus", {"Name": name}


def _requests(template, physical):
    """Every request to try: the resource in the words of `ALLOWED`, and what to call."""
    # Those with a condition are not in every stack.
    there = {name: resource for name, resource in template["Resources"].items() if name in physical}
    for name, resource in there.items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            for request in _table_requests(physical[name]):
                yield f"{name}.Arn", request
            for index in resource["Properties"].get("GlobalSecondaryIndexes", []):
                for request in _index_requests(physical[name], index["IndexName"]):
                    yield f"${{{name}.Arn}}/index/{index['IndexName']}", request
        elif resource["Type"] == "AWS::SQS::Queue":
            for request in _queue_requests(physical[name]):
                yield f"{name}.Arn", request
        elif resource["Type"] == "AWS::SecretsManager::Secret":
            for request in _secret_requests(physical[name]):
                yield f"{name}.Id", request
        elif resource["Type"] == "AWS::Events::EventBus":
            for request in _bus_requests(physical[name]):
                yield f"{name}.Arn", request
        elif resource["Type"] == "AWS::Serverless::Function":
            for request in _function_requests(physical[name]):
                yield f"{name}.Arn", request


def _allows(client, method, arguments):
    try:
        getattr(client, method)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in DENIED
    return True


def differences(cloud, template, physical, role_arns):
    """Sentences on what differs from the list, after the number of requests tried."""
    tried, found = 0, []
    for owner, arn in role_arns.items():
        credentials = cloud.role_credentials(arn)
        clients = {
            service: cloud.client(service, credentials, parameter_validation=False)
            for service in ("dynamodb", "sqs", "secretsmanager", "lambda", "events")
        }
        for resource, (action, method, arguments) in _requests(template, physical):
            expected = (action, resource) in ALLOWED[owner]
            if _allows(clients[action.split(":")[0]], method, arguments) != expected:
                verb = "may" if not expected else "may not"
                found.append(f"{owner} {verb} {action} on {resource}, against its list")
            tried += 1
    return tried, found
