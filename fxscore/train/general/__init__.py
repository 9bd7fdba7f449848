"""Training of the shipped scorer `general`: from tables of trained networks to its file, in one resumable command."""
