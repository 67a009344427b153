"""Looks for secrets in the arguments and environments of processes until it gets SIGTERM, for deploy/check-publishing.

  watch_processes.py DIRECTORY EXECUTABLE...     reads secrets from standard input, one a line

Prints one JSON object: `seen` are the programs that worked below DIRECTORY, `arguments` and `environments` those that were found to hold a secret.
Arguments are looked at of all processes. An environment counts only of what works below DIRECTORY, and may hold a secret in the EXECUTABLEs.
"""

import json
import os
import signal
import sys
import time

# Most children of a build live longer than this.
INTERVAL = 0.02


def read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        # It has ended, or is somebody else's.
        return b""


def link(pid, name):
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""


def main(directory, *executables):
    secrets = [line.encode() for line in sys.stdin.read().split()]
    found = {"seen": set(), "arguments": set(), "environments": set()}
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    while not ended:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            words = read(pid, "cmdline")
            name = words.split(b"\0")[0].decode(errors="replace").rpartition("/")[2]
            if any(secret in words for secret in secrets):
                found["arguments"].add(name)
            if not link(pid, "cwd").startswith(directory + "/"):
                continue
            found["seen"].add(name)
            environment = read(pid, "environ")
            # Asked after it was read: what is an EXECUTABLE then was one before, or has just become one of its children.
            if any(secret in environment for secret in secrets) and link(pid, "exe") not in executables:
                found["environments"].add(name)
        time.sleep(INTERVAL)
    json.dump({key: sorted(value) for key, value in found.items()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
