#!/usr/bin/env bash
# The shipped scorer `nasbench201`: hours on one core. From the repository's root: bash benchmarks/recipes/nasbench201.sh TABLES
set -euo pipefail
fxscore train --plan benchmarks/plans/nasbench201.json --data "$1" --test 2000 \
  --out fxscore/scorer/weights/nasbench201.safetensors
