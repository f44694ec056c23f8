#!/usr/bin/env python3
"""Renews the key with which the tokens of grants are encrypted, and says which keys are in use.

`renew` puts a new key before the old ones, which are read for as long as they are in the secret. Each grant takes the new one with
its next renewal: within half an hour, if it is in use, and within 60 days, if it lives on at all. `drop` then takes the old
keys out, if no row needs them. No key is printed: each has a name, which stands in the rows.
"""

import argparse
import hashlib
import hmac
import json
import secrets
import string
import sys

from aws import Aws, Refused, region_of

# As `shared/access/src/token_cipher.rs` has it.
SALT, NAME_BYTES, LENGTH = b"paymirror/grants/tokens", 8, 64


def say(sentence):
    print(f"token key: {sentence}", flush=True)


def name_of(text):
    """The name of the key that is made of a text: HKDF with SHA-256."""
    root = hmac.new(SALT, text.encode(), hashlib.sha256).digest()
    return hmac.new(root, b"name\x01", hashlib.sha256).digest()[:NAME_BYTES].hex()


def keys(aws, secret):
    """The texts in the secret, the newest first."""
    there = json.loads(aws.call("secretsmanager", "get-secret-value", SecretId=secret)["SecretString"])
    return [there["token_key"], *there.get("older_token_keys", [])]


def put(aws, secret, texts):
    value = {"token_key": texts[0]} | ({"older_token_keys": texts[1:]} if texts[1:] else {})
    aws.call("secretsmanager", "put-secret-value", SecretId=secret, SecretString=json.dumps(value))


def in_use(aws, table):
    """How many grants' tokens are encrypted with each key, by its name."""
    found, more = {}, {}
    while True:
        answer = aws.call("dynamodb", "scan", TableName=table, ConsistentRead=True,
                          ProjectionExpression="encrypted_with", FilterExpression="attribute_exists(encrypted_with)", **more)
        for row in answer["Items"]:
            name = row["encrypted_with"]["S"]
            found[name] = found.get(name, 0) + 1
        if "LastEvaluatedKey" not in answer:
            return found
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def renew(aws, stack):
    secret = f"{stack}/grants-key"
    letters = string.ascii_letters + string.digits
    new = "".join(secrets.choice(letters) for _ in range(LENGTH))
    put(aws, secret, [new, *keys(aws, secret)])
    say(f"{name_of(new)} is the key from now on; the older ones are still read")


def drop(aws, stack):
    secret = f"{stack}/grants-key"
    newest, *older = keys(aws, secret)
    used = in_use(aws, f"{stack}-grants")
    kept = [text for text in older if name_of(text) in used]
    put(aws, secret, [newest, *kept])
    for text in older:
        name = name_of(text)
        say(f"{name} is kept: {used[name]} grants have it" if text in kept else f"{name} is dropped")


def show(aws, stack):
    used = in_use(aws, f"{stack}-grants")
    texts = keys(aws, f"{stack}/grants-key")
    for place, text in enumerate(texts):
        name = name_of(text)
        say(f"{name} {'is the key' if place == 0 else 'is older'}: {used.pop(name, 0)} grants have it")
    for name, count in used.items():
        say(f"{name} is NOT IN THE SECRET: {count} grants have it, whose users have to authorise again if it is lost")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("do", choices=["show", "renew", "drop"])
    arguments.add_argument("--stack", default="paymirror", help="name of the stack")
    arguments.add_argument("--region", help="that of the AWS command line, if left out")
    given = arguments.parse_args()
    {"show": show, "renew": renew, "drop": drop}[given.do](Aws(region_of(given.region)), given.stack)


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"token key: AWS refused: {refused}")
