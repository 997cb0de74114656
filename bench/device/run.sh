#!/usr/bin/env bash
# Runs on the machine with the GPU, from the repository's root with .device/ carried: the op suites on
# its WebGPU, our step timer, and PyTorch's steps on the same card. Results go to $OUT (default: out).
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${OUT:-out}
mkdir -p "$out"
work=$(mktemp -d)
if ! ldconfig -p | grep -q libvulkan; then
  for deb in .device/debs/*.deb; do dpkg -x "$deb" /; done
  ldconfig
fi
for icd in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json; do
  [[ -e $icd ]] && export VK_DRIVER_FILES=$icd
done
export XDG_RUNTIME_DIR=/tmp NO_COLOR=1 DENO_DIR=$work/deno_dir
for file in deno suites.test.js steps.js; do xz -dc ".device/$file.xz" >"$work/$file"; done
chmod +x "$work/deno"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | tee "$out/gpu.txt"

(cd "$work" && timeout 240 ./deno test --no-check --no-lock --filter "/webgpu/" suites.test.js) \
  >"$out/suites.log" 2>&1
grep -E '^(ok|FAILED) \|' "$out/suites.log"
(cd "$work" && timeout 180 ./deno run --no-lock --allow-env steps.js --batches=16,96) \
  >"$out/steps.jsonl" 2>"$out/steps.log"
cat "$out/steps.jsonl"
for layout in nchw channels_last; do
  for step in weight alpha; do
    timeout 120 python3 bench/peers/pytorch/bench_step.py --device cuda --batch 96 --steps 10 \
      --layout "$layout" --step "$step" 2>&1 | tee "$out/pytorch_${layout}_$step.txt" | tail -3
  done
done
