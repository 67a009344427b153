"""Runs moto's S3 with one empty bucket. Prints its port, ends with standard input."""
import os
import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
client = boto3.client(
    "s3",
    endpoint_url="http://127.0.0.1:%d" % port,
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)
client.create_bucket(Bucket="images")
print(port, flush=True)
sys.stdin.read()
os._exit(0)
