"""The business's own system, as it listens: a rule on the stack's bus with a queue behind it."""

import json

LISTENER = "listener"
BATCH = 10


class Listener:
    """Hears every event of one organisation, from now on."""

    def __init__(self, cloud, bus_arn, organisation):
        self.queues = cloud.client("sqs")
        self.url = self.queues.create_queue(QueueName=LISTENER)["QueueUrl"]
        answer = self.queues.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        bus = bus_arn.rpartition("/")[2]
        events = cloud.client("events")
        pattern = {"source": ["paymirror"], "detail": {"organisation": [organisation]}}
        events.put_rule(Name=LISTENER, EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=LISTENER, EventBusName=bus,
                           Targets=[{"Id": LISTENER, "Arn": answer["Attributes"]["QueueArn"]}])
        self.events = []

    def heard(self, kind):
        """The details of all events of this name so far."""
        while True:
            messages = self.queues.receive_message(QueueUrl=self.url, MaxNumberOfMessages=BATCH).get("Messages", [])
            for message in messages:
                self.events.append(json.loads(message["Body"]))
                self.queues.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                return [event["detail"] for event in self.events if event["detail-type"] == kind]
