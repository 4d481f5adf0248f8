"""The core: documents, questions, answers. Knows no web framework and no screen.

Imports inside point one way (checked by import-linter in `make check`):
errors <- settings <- domain <- ports, wire <- steps <- ask <- release, adapters <- wiring <- __main__
"""
