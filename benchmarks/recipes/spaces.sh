#!/usr/bin/env bash
# All FT-ScoreNets of the section "One space, several spaces", and the ensemble that searches use: some hours on
# one core. From the repository's root: bash benchmarks/recipes/spaces.sh TABLES
set -euo pipefail
out=runs/spaces
spaces=(nasbench201 nasbench_macro nasbench101 transnas_micro accel_nasbench darts)
mkdir -p "$out"

for plan in benchmarks/plans/single-*.json benchmarks/plans/spaces-*.json; do
  fxscore train --plan "$plan" --data "$1" --test 100 --out "$out/$(basename "$plan" .json).safetensors"
done
singles=("${spaces[@]/#/$out/single-}")
fxscore train --ensemble "${singles[@]/%/.safetensors}" --data "$1" --cells 200 --validation 0.25 --test 100 \
  --out "$out/ensemble.safetensors"
for left_out in "${spaces[@]}"; do
  others=()
  for space in "${spaces[@]}"; do
    [ "$space" = "$left_out" ] || others+=("$space")
  done
  fxscore train "${others[@]}" --plan benchmarks/plans/spaces-iterate.json --steps 80 --data "$1" --test 20 \
    --out "$out/iterate-without-$left_out.safetensors"
done
