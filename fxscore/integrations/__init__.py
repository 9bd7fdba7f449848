"""fxscore in other people's tools: `fxscore.integrations.optuna`, and `fxscore.integrations.testing` for pytest."""
