#!/usr/bin/env python3
"""Speaks the worker verbs strictly, for tests of the client alone: stand-in VERB ... --root ROOT.

ROOT/mode, if it is there, names a way to misbehave. Blobs are files ROOT/<hex>; attach answers with the lines of ROOT/attach.
"""
import hashlib
import json
import os
import sys

out = sys.stdout.buffer
arguments = sys.argv[1:]
if len(arguments) < 3 or arguments[-2] != "--root":
    sys.exit("usage: VERB ... --root ROOT")
verb, root = arguments[:-2], arguments[-1]
mode = open(root + "/mode").read().strip() if os.path.exists(root + "/mode") else ""


def say(value):
    out.write(json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    out.flush()


def refuse(reason, status=1):
    out.flush()
    print(reason, file=sys.stderr, flush=True)
    os._exit(status)


def known(blob):
    path = root + "/" + blob["digest"][7:]
    return os.path.exists(path) and os.path.getsize(path) == blob["size"]


def asked():
    return [json.loads(line) for line in sys.stdin.buffer.read().splitlines()]


if mode == "no-marker":
    out.write(b"Welcome to Example OS\n")
    refuse("blockfarm-worker: command not found", 127)
if mode == "endless-noise":
    while True:
        out.write(b"x" * 1000)
out.write(b"BLOCKFARM-WORKER %d\n" % (99 if mode == "version" else 2))
out.flush()
if mode == "fail":
    refuse("no space left on the disk")
if mode == "long-line":
    out.write(b"x" * (17 << 20))
    sys.exit(0)

if verb == ["start"]:
    lines = sys.stdin.buffer.read().splitlines()
    spec = json.loads(lines[0])
    secrets = json.loads(lines[1]) if len(lines) > 1 else None
    with open(root + "/started", "w") as file:
        json.dump({"attempt": spec["attempt"], "secrets": secrets, "arguments": sys.argv}, file)
    say({"started": {}})
elif verb[0] == "attach" and len(verb) == 6 and verb[2] == "--from" and verb[4] == "--log-from":
    if mode == "unknown":
        refuse("no such attempt", 3)
    with open(root + "/attached", "a") as file:
        file.write(verb[3] + " " + verb[5] + "\n")
    position, offset = int(verb[3]), int(verb[5])
    sent = 0
    for line in open(root + "/attach"):
        value = json.loads(line)
        if "event" in value and value["event"]["_0"]["sequence"] < position:
            continue
        if "log" in value and value["log"]["offset"] < offset:
            continue
        if mode == "cut" and sent == 2:
            os.remove(root + "/mode")
            sys.exit(0)
        say(value)
        sent += 1
elif verb[0] == "cancel" and len(verb) == 2:
    say({"attempt": verb[1], "known": mode != "unknown", "wasRunning": True})
elif verb == ["blob", "has"]:
    say([blob for blob in asked() if not known(blob)])
elif verb == ["blob", "get"]:
    for blob in asked():
        if not known(blob):
            refuse("no blob " + blob["digest"])
        if mode == "stranger":
            blob = dict(blob, digest="sha256:" + "0" * 64)
            out.write(json.dumps(blob).encode() + b"\n" + b"x" * blob["size"])
            continue
        say(blob)
        bytes_ = open(root + "/" + blob["digest"][7:], "rb").read()
        if mode == "damaged":
            bytes_ = bytes_[:-1] + b"?"
        if mode == "short":
            out.write(bytes_[: len(bytes_) // 2])
            sys.exit(0)
        out.write(bytes_)
    out.write(b"\n")
elif verb == ["blob", "put"]:
    received = []
    source = sys.stdin.buffer
    while True:
        line = source.readline()
        if line == b"":
            refuse("the stream is cut off")
        if line == b"\n":
            break
        blob = json.loads(line)
        content = source.read(blob["size"])
        if "sha256:" + hashlib.sha256(content).hexdigest() != blob["digest"]:
            refuse("damaged blob")
        open(root + "/" + blob["digest"][7:], "wb").write(content)
        received.append(blob)
    say(received)
elif verb[:2] == ["source", "put"] and len(verb) == 4:
    open(root + "/bundle", "wb").write(sys.stdin.buffer.read())
    say({"mirror": verb[2], "commit": verb[3]})
elif verb == ["list"]:
    say([])
elif verb == ["gc"]:
    say({"freedBytes": 5})
else:
    refuse("usage", 2)
