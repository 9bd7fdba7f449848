"""Rankings as tables, JSON and CSV."""
