"""Parts of the Language model page."""
