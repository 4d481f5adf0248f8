"""Folder to store: scan -> plan -> guarded parsing -> chunks -> embeddings -> ledger -> derived indexes.

Sync throughout: nobody waits for an ingestion. Knows the core (`assistant/`); neither the API nor the screen knows it:
they leave a job row in the ledger.
"""
