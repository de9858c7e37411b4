#!/usr/bin/env bash
# The App's tests need a chromium: the system's, playwright's own, or one installed here if we may. Without one they skip
# with a loud line, except under CI, where that is an error.
set -u
cd "$(dirname "$0")/.."

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
.venv/bin/python - <<'EOF' && exit 0
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not pathlib.Path(p.chromium.executable_path).exists())
EOF
echo "loupe: no chromium here; trying to install one for the App's tests"
timeout 600 .venv/bin/python -m playwright install chromium && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium && exit 0
fi
echo "###############################################################################################" >&2
echo "# loupe: NO CHROMIUM. The tests that drive the App in a browser will be skipped.               #" >&2
echo "# Debian, Ubuntu: apt-get install chromium     elsewhere: .venv/bin/playwright install chromium #" >&2
echo "###############################################################################################" >&2
[ "${CI:-}" = "true" ] && exit 1
exit 0
