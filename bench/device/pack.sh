#!/usr/bin/env bash
# Packs what a machine with a GPU and without a network needs into .device/ (untracked): Deno, the op
# suites and the step timer in one file each, and Vulkan's loader. run.sh unpacks and runs it there.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=.device
mkdir -p .git/info
grep -qxF "/$out/" .git/info/exclude 2>/dev/null || echo "/$out/" >>.git/info/exclude
rm -rf "$out"
mkdir -p "$out/debs"

for test in tests/backends/ops/*_test.ts tests/backends/webgpu/*_test.ts; do
  echo "import \"$PWD/$test\";"
done >"$out/suites.ts"
deno bundle -q --platform=deno -o "$out/suites.test.js" "$out/suites.ts"
deno bundle -q --platform=deno -o "$out/steps.js" bench/device/steps.ts
rm "$out/suites.ts"

xz -T0 -6 -c "$(deno eval 'console.log(Deno.execPath())')" >"$out/deno.xz"
xz -T0 -6 "$out/suites.test.js" "$out/steps.js"

# The loaders, for amd64 whatever this machine is.
lists=$(mktemp -d)
mkdir -p "$lists/partial"
apt=(-oAPT::Sandbox::User=root -oAPT::Architecture=amd64 -oAPT::Architectures=amd64 "-oDir::State::Lists=$lists")
apt-get -qq "${apt[@]}" update
(cd "$out/debs" && apt-get -qq "${apt[@]}" download libvulkan1 libegl1 libglvnd0)
rm -rf "$lists"
du -sh "$out"
