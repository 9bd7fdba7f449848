"""What a search leaves: tables, files, plots, drawings, and the found network as a plain file."""
