#!/bin/sh
# Unpacks payload.tar.xz beside this file, runs the check and then PyTorch on the same GPU, and leaves gpu-check.json and
# peer.json in $OUT (or beside this file). Options go to the check: --sections a,b, --budget SECONDS, --small, --dawn FLAG.
# PEER=no leaves PyTorch out, PEER=only the check; PEER_SECONDS is what PyTorch may take; ORT=no leaves ONNX Runtime out.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! tar -xJf "$here/payload.tar.xz" -C "$work" 2>/dev/null; then
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' \
    "$here/payload.tar.xz" "$work" || exit 1
fi
node=$work/node
[ -x "$node" ] || node=node

# The Vulkan loader of the system comes before the one that was packed.
if [ -d "$work/lib" ] && ! { /sbin/ldconfig -p 2>/dev/null || ldconfig -p; } 2>/dev/null | grep -q 'libvulkan\.so\.1'; then
  LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$work/lib
  export LD_LIBRARY_PATH
fi
# Drivers that lie where the loader does not look.
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1; then
  VK_DRIVER_FILES=$(find / -path /proc -prune -o -path '*/vulkan/icd.d/*.json' -print 2>/dev/null | paste -s -d : -)
  export VK_DRIVER_FILES
fi

if [ "${PEER:-}" != only ]; then
  "$node" "$work/app/check.mjs" --data "$work/data" --out "$out" "$@"
fi
if [ -d "$work/ort" ] && [ "${ORT:-}" != no ]; then
  OUT=$out timeout 90 "$node" --liftoff-only "$work/ort/bench.mjs" --sections ops --budget 40 \
    >"$out/ort.log" 2>&1
fi
if [ "${PEER:-}" != no ]; then
  seconds=${PEER_SECONDS:-50}
  timeout $((seconds + 20)) python3 "$work/peer.py" --seconds "$seconds" \
    <"$work/data/operations.json" >"$out/peer.json" 2>"$out/peer.log"
fi
