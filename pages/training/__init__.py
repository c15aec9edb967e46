"""The training page in parts: the run that is on screen, ready-made runs, the settings of one's own, and what a run shows."""
