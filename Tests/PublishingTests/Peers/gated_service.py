"""Runs moto's S3 with one empty bucket behind a gate that can hold one request of the client 'first'. Prints its port, ends with standard input.

/-/arm?N or /-/arm?N,plain  counts anew and holds the Nth request; plain: requests lose their conditions, as with services that know none
/-/reached                  answers when that request waits: 'held'; or when there will be none: 'over'
/-/open                     lets it go on
/-/over                     nothing is held any more; answers how many requests there were
"""
import os
import sys
import threading

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

moto = DomainDispatcherApplication(create_backend_app)
lock = threading.Lock()
count = wanted = 0
plain = False
reached, opened = threading.Event(), threading.Event()
state = "over"


def control(name, argument):
    global count, wanted, plain, reached, opened, state
    if name == "arm":
        number, _, kind = argument.partition(",")
        with lock:
            count, wanted, plain, state = 0, int(number), kind == "plain", "over"
            reached, opened = threading.Event(), threading.Event()
    elif name == "reached":
        reached.wait(30)
        return state
    else:
        if name == "over":
            wanted = 0
        opened.set()
        reached.set()
    return str(count)


def application(environ, start_response):
    global count, state
    path = environ["PATH_INFO"]
    if path.startswith("/-/"):
        text = control(path[3:], environ["QUERY_STRING"]).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]
    if plain:
        environ.pop("HTTP_IF_MATCH", None)
        environ.pop("HTTP_IF_NONE_MATCH", None)
    if environ.get("HTTP_USER_AGENT") == "first":
        with lock:
            count += 1
            gate = opened if count == wanted else None
            if gate:
                state = "held"
                reached.set()
        if gate:
            gate.wait(30)
    return moto(environ, start_response)


server = make_server("127.0.0.1", 0, application, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "s3",
    endpoint_url="http://127.0.0.1:%d" % server.server_port,
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)
client.create_bucket(Bucket="images")
print(server.server_port, flush=True)
sys.stdin.read()
os._exit(0)
