"""Everything that cannot be made anew, in one file, while the deployment runs; and a deployment out of that file.

    ledger ── online copy ─┐                                ┌─▶ rows ─▶ empty ledger ─▶ `ingest mend` ─▶ three questions
    modelfiles, rules,     ├─▶ archive.py: zip + manifest ──┤
    users, settings        ┘    made whole, then renamed    └─▶ files that are not there yet

Indexes are derived and not in it, originals stay where they are (their hashes are in it), secrets are left out.
"""
