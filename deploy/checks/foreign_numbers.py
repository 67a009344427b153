#!/usr/bin/env python3
"""Finds arithmetic that ends the process when a number of somebody else is too large, negative or not a number.

    foreign_numbers.py ALLOWED FILE...

Two forms are found, line by line: an integer made from a floating-point expression without `saturating:` or `clamping:`, and plain sums
of sizes. A line that is right as it is stands in ALLOWED, as `file | the line's text | reason`. An entry that fits no line is an error, too.
"""
import re
import sys

FORMS = [
    (re.compile(r"\bU?Int(?:8|16|32|64)?\((?!saturating:|clamping:|exactly:|truncatingIfNeeded:)"
                r"[^\n]*(?:\.rounded\(|[sS]econds\b|\.magnitude|/ \.(?:milli)?seconds|(?<!\w)Double\()"),
     "use Int(saturating:)"),
    (re.compile(r"\+= \w+(?:\.\w+)*\.size\b|reduce\(0\) \{ \$0 \+ \$1(?:\.\w+)*\.size \}"), "use addingSaturated(_:)"),
]


def allowed(path):
    entries = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = [part.strip() for part in line.rstrip("\n").split(" | ")]
            if len(parts) != 3 or not all(parts):
                sys.exit(f"{path}:{number}: not 'file | the line's text | reason'")
            entries[parts[0], parts[1]] = number
    return entries


def main(list_path, files):
    entries = allowed(list_path)
    unused, found = dict(entries), 0
    for path in files:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                text = line.strip()
                advice = next((advice for form, advice in FORMS if form.search(text)), None)
                if advice is None or text.startswith("//"):
                    continue
                if (path, text) in entries:
                    unused.pop((path, text), None)
                    continue
                found += 1
                print(f"{path}:{number}: may end the process; {advice}, or add the line to {list_path} with a reason: {text}")
    for (path, text), number in unused.items():
        print(f"{list_path}:{number}: fits no line: {path} | {text}")
    return 1 if found or unused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
