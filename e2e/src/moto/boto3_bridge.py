"""Calls AWS through boto3 for a test that is not written in Python.

Standard input: a JSON list of {"region", "service", "assume", "method", "arguments"}; standard output: the list of answers.
`view` is not a method of boto3: it answers {instance id: {"state", "tags": [[key, value], ...]}} for all
instances of the region, page by page.
"""

import json
import os
import sys

import boto3


def view(client):
    seen = {}
    for page in client.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 1000}):
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                tags = [[tag["Key"], tag["Value"]] for tag in instance.get("Tags", [])]
                seen[instance["InstanceId"]] = {"state": instance["State"]["Name"], "tags": tags}
    return seen


def connect(region, service, role):
    endpoint_url = os.environ["AWS_ENDPOINT_URL"]
    if role is None:
        return boto3.client(service, region_name=region, endpoint_url=endpoint_url)
    answer = connect(region, "sts", None).assume_role(RoleArn=role, RoleSessionName="boto3")
    keys = answer["Credentials"]
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def main():
    clients = {}
    answers = []
    for call in json.load(sys.stdin):
        region, service = call["region"], call.get("service", "ec2")
        of = (region, service, call.get("assume"))
        if of not in clients:
            clients[of] = connect(*of)
        client = clients[of]
        if call["method"] == "view":
            answers.append(view(client))
        else:
            answer = getattr(client, call["method"])(**call["arguments"])
            answer.pop("ResponseMetadata", None)
            answers.append(answer)
    json.dump(answers, sys.stdout, default=str)


main()
