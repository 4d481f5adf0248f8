"""One door for each vendor; a vendor's own types and errors stop there."""
