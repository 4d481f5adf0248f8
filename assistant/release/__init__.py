"""Everything that changes an answer without changing code: the contents of `modelfiles/`."""
