#!/usr/bin/env bash
# The shipped scorer `general`, and its board: an hour or two on one core, nearly all of it for features, which the result
# store keeps, so that a stopped run goes on. LEMUR's and pytorchcv's networks need the packages of the extra `bench`.
# From the repository's root: bash benchmarks/recipes/general.sh TABLES
set -euo pipefail
fxscore train general --data "$1" --more-data benchmarks/tables --out fxscore/scorer/weights/general.safetensors
python -m benchmarks.quality.board --data "$1" --write
