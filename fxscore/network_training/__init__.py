"""Training of networks as image classifiers, for those that a ranking or a search has chosen.

The recipe is the field's usual one, which the paper trains its found networks with (section IV-B2, Table V): SGD with
Nesterov momentum, a cosine schedule after a warm-up, random crops and flips. Optimiser, schedule, average of weights
and the larger augmentations are timm's.
"""

from __future__ import annotations

from fxscore.network_training.data_sets import DATA_SETS, DataSet, open_data_set
from fxscore.network_training.images import Images
from fxscore.network_training.network import Network, build_network
from fxscore.network_training.plan import ClassifierPlan
from fxscore.network_training.trainer import ClassifierTrainer, EpochReport

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
