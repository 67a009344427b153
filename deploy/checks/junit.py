#!/usr/bin/env python3
"""Checks JUnit XML by the rules of Jenkins' two readers of it: the junit step, and the xUnit plugin, which validates before it reads.

usage: junit.py FILE...        a line for each problem; status 1 if there is one

Elements, attributes and types are those of the xUnit plugin's schema junit-10.xsd, in our own words. The junit step demands less of the form,
but fails for a file without cases, and takes two suites of one name and time for one. The numbers must agree with what is there.
"""
import re
import sys
import xml.etree.ElementTree as tree

# What may stand in an element: its children, its attributes (True: must be there), and whether text may.
TEXT = {"message": False, "type": False}
RERUN = ({"stackTrace", "system-out", "system-err"}, {"message": False, "type": True}, True)
ELEMENTS = {
    "testsuites": ({"testsuite"}, {"name": False, "time": False, "tests": False, "failures": False, "errors": False}, False),
    "testsuite": ({"testsuite", "properties", "testcase", "system-out", "system-err"},
                  {"name": True, "tests": True, "failures": True, "errors": True, "skipped": False, "time": False, "timestamp": False, "hostname": False,
                   "id": False, "package": False, "group": False, "file": False, "log": False, "url": False, "version": False}, False),
    "properties": ({"property"}, {}, False),
    "property": (set(), {"name": True, "value": True}, False),
    "testcase": ({"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out", "system-err"},
                 {"name": True, "time": False, "classname": False, "group": False}, False),
    "skipped": (set(), TEXT, True), "error": (set(), TEXT, True), "failure": (set(), TEXT, True),
    "rerunFailure": RERUN, "rerunError": RERUN, "flakyFailure": RERUN, "flakyError": RERUN,
    "stackTrace": (set(), {}, True), "system-out": (set(), {}, True), "system-err": (set(), {}, True),
}
# Seconds: digits, in groups of three between commas or not, and at most three behind the point.
SECONDS = re.compile(r"(\d{1,3}(,\d{3})+|\d+)(\.\d{1,3})?")
VERDICTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def form(element, place, problems):
    """What the schema says of an element and all that is in it."""
    if element.tag not in ELEMENTS:
        problems.append(f"{place}: there is no element '{element.tag}'")
        return
    children, attributes, text = ELEMENTS[element.tag]
    for name in element.attrib:
        if name not in attributes:
            problems.append(f"{place}: '{element.tag}' has no attribute '{name}'")
    for name, needed in attributes.items():
        if needed and name not in element.attrib:
            problems.append(f"{place}: '{element.tag}' needs the attribute '{name}'")
    if "time" in element.attrib and not SECONDS.fullmatch(element.get("time")):
        problems.append(f"{place}: time '{element.get('time')}' is no number of seconds")
    if not text and ((element.text or "").strip() or any((child.tail or "").strip() for child in element)):
        problems.append(f"{place}: '{element.tag}' cannot hold text")
    for child in element:
        below = f"{place}/{child.tag}" + (f"[{child.get('name')}]" if child.get("name") else "")
        if child.tag in ELEMENTS and child.tag not in children:
            problems.append(f"{below}: '{child.tag}' cannot stand in '{element.tag}'")
        form(child, below, problems)


def numbers(element, place, problems):
    """The counts that an element states, against its cases."""
    cases = list(element.iter("testcase"))
    for name, counted in {"tests": cases, **{key: [case for case in cases if case.find(tag) is not None] for key, tag in VERDICTS.items()}}.items():
        stated = element.get(name)
        if stated is not None and stated != str(len(counted)):
            problems.append(f"{place}: {name}='{stated}', but there are {len(counted)}")


def check(path):
    problems = []
    try:
        root = tree.parse(path).getroot()
    except (tree.ParseError, OSError) as error:
        return [f"{path}: {error}"]
    if root.tag not in ("testsuites", "testsuite"):
        return [f"{path}: the root is '{root.tag}'"]
    form(root, root.tag, problems)
    numbers(root, root.tag, problems)
    suites, cases = set(), set()
    for suite in root.iter("testsuite"):
        place = f"testsuite[{suite.get('name')}]"
        if suite is not root:
            numbers(suite, place, problems)
        identity = (suite.get("name"), suite.get("id"), suite.get("timestamp"))
        if identity in suites:
            problems.append(f"{place}: is there twice, so Jenkins leaves one out")
        suites.add(identity)
        for case in suite.findall("testcase"):
            identity = (case.get("classname", suite.get("name")), case.get("name"))
            if identity in cases:
                problems.append(f"{place}: case {identity[0]}.{identity[1]} is there twice")
            cases.add(identity)
            if sum(case.find(tag) is not None for tag in VERDICTS.values()) > 1:
                problems.append(f"{place}: case {case.get('name')} has several ends")
    if not cases:
        problems.append("there is no case, for which the junit step fails")
    return [f"{path}: {problem}" for problem in problems]


if __name__ == "__main__":
    found = [problem for path in sys.argv[1:] for problem in check(path)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found or len(sys.argv) < 2 else 0)
