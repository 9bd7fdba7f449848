"""Networks that others trained, which belong to no search space: builders, and what the rows of tables are.

A row becomes a reference such as `fxscore.published.cifar:vgg{"depth": 16}`, which workers build like any other.
"""
