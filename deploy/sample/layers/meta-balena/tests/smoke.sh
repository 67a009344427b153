#!/bin/sh
# Stands in for the test suites of the operating system.
echo "boots: ok"
