"""Scans one region of an EC2 endpoint through boto3's paginator; prints what it found and cost as JSON."""

import json
import os
import resource
import sys
import time

import boto3

client = boto3.client(
    "ec2",
    region_name="eu-central-1",
    endpoint_url=sys.argv[1],
    aws_access_key_id="AKIDBENCH",
    aws_secret_access_key="bench",
)
cpu_before = sum(os.times()[:2])
start = time.monotonic()
instances = 0
requests = 0
for page in client.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 1000}):
    for reservation in page["Reservations"]:
        instances += len(reservation["Instances"])
    requests += 1 + page["ResponseMetadata"].get("RetryAttempts", 0)
wall = time.monotonic() - start
print(
    json.dumps(
        {
            "instances": instances,
            "requests": requests,
            "wallSeconds": wall,
            "cpuSeconds": sum(os.times()[:2]) - cpu_before,
            "peakRssMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
