"""A stand-in for the API, for the screen's tests."""
