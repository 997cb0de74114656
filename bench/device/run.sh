#!/usr/bin/env bash
# On a lent machine with a GPU, from the repository's root with .cache/bundle carried: unpacks the bundle
# and runs its gpu:check, whose options it takes. The report and all logs go to $OUT (default: out).
set -uo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath "${OUT:-out}")
work=$(mktemp -d)
mkdir -p "$out"
tar -xJf .cache/bundle/pdarts.tar.xz -C "$work" ||
  python3 -m tarfile -e .cache/bundle/pdarts.tar.xz "$work"
for icd in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json; do
  [[ -e $icd ]] && export VK_DRIVER_FILES=$icd
done
for folder in /usr/local/nvidia/{lib,lib64}; do
  [[ -d $folder ]] && export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
done
"$work/pdarts/pdarts" gpu:check --minutes=8.5 "$@"
status=$?
cp "$work"/pdarts/bench/results/*.json "$out"
tar -czf "$out/logs.tar.gz" -C "$work/pdarts/.cache" gpu_check
rm -rf "$work"
exit "$status"
