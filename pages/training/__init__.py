"""The training page in parts: the run that is on screen, ready-made runs, your own settings, and what a run shows."""
