#!/usr/bin/env bash
# Trains every configuration of comparison/ for the same time on prepared data, then measures them side by side.
#   recipes/default-voice/compare.sh DATA RUNS MINUTES [NAME ...]
set -euo pipefail
data=$1 runs=$2 minutes=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
names=("$@")
[ ${#names[@]} -gt 0 ] || names=($(basename -s .toml "$here"/comparison/*.toml))
for name in "${names[@]}"; do
    glowvox train vocoder --preset "$here/comparison/$name.toml" --data "$data" --run "$runs/$name" \
        --set "training.max_minutes=$minutes" --no-tensorboard
done
glowvox evaluate vocoder "${names[@]/#/$runs/}" --data "$data" --clips 12 --sigma 0.6 -o "$runs/report"
