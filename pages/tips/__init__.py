"""The parts of the page Five tips."""
