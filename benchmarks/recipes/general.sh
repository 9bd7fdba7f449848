#!/usr/bin/env bash
# The shipped scorer `general`, with its figures: hours on one core, nearly all of them for timm's networks, and every
# step goes on where it was stopped. From the repository's root: bash benchmarks/recipes/general.sh TABLES
set -euo pipefail
python -m benchmarks.features nasbench201 nasbench_macro=800 nasbench101 transnas_micro=800 accel_nasbench=800 darts=300 \
  --data "$1"
python -m benchmarks.coverage # features of timm and torchvision
python -m benchmarks.general --data "$1" --write --ship
