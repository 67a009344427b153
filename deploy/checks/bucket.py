"""Downloads a bucket and tells who may read each object, for deploy/check-publishing.

  bucket.py ENDPOINT BUCKET DIRECTORY     prints key, public or private, and when it was written, divided by tabs
"""

import pathlib
import sys

import boto3

ANYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


def main(endpoint, bucket, directory):
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            path = pathlib.Path(directory, entry["Key"])
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, entry["Key"], str(path))
            grants = client.get_object_acl(Bucket=bucket, Key=entry["Key"])["Grants"]
            is_public = any(grant["Grantee"].get("URI") == ANYBODY and grant["Permission"] == "READ" for grant in grants)
            print(entry["Key"], "public" if is_public else "private", entry["LastModified"].isoformat(), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
