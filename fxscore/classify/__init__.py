"""Training of networks as image classifiers, for those that a ranking or a search has chosen.

The recipe is the field's usual one, which the paper trains its found networks with (section IV-B2, Table V): SGD with
Nesterov momentum, a cosine schedule after a warm-up, random crops and flips. Optimiser, schedule, average of weights
and the larger augmentations are timm's.
"""

from __future__ import annotations

from fxscore.classify.data_sets import DATA_SETS, DataSet, open_data_set
from fxscore.classify.images import Images
from fxscore.classify.network import Network, build_network
from fxscore.classify.plan import ClassifierPlan
from fxscore.classify.trainer import ClassifierTrainer, EpochReport

__all__ = [
    "DATA_SETS",
    "ClassifierPlan",
    "ClassifierTrainer",
    "DataSet",
    "EpochReport",
    "Images",
    "Network",
    "build_network",
    "open_data_set",
]
