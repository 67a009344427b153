#!/bin/bash
#
# Miniature of the generator: makes <file>.json in the repository's root from every <file>.coffee, after deleting every *.json there.
# Needs python3, not node.
#
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P) || exit 1
exec python3 -B "$here/miniature/manifests.py" "$here/../.."
