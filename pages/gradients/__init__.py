"""The parts of the Gradient lab page."""
