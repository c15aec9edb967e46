"""The parts of the page Gate by hand."""
