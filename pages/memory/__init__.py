"""The parts of the Memory lab."""
