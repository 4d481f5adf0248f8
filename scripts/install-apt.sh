#!/usr/bin/env bash
# Installs the packages of scripts/apt-packages.txt that are missing; as root or through sudo, else names them and fails.
set -euo pipefail
list="$(dirname "$0")/apt-packages.txt"
missing=()
while read -r name; do
  dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
done < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' "$list" | grep .)
[ "${#missing[@]}" -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ]; then
  run=()
elif command -v sudo >/dev/null; then
  run=(sudo)
else
  echo "Missing Debian packages: ${missing[*]}" >&2
  echo "→ As root: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "Installing Debian packages: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -qq
# Services that a package would start (nginx, postgresql) are not wanted: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee "$policy" >/dev/null
  "${run[@]}" chmod +x "$policy"
  trap '"${run[@]}" rm -f "$policy"' EXIT
fi
"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
