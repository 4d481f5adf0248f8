"""What `assistant doctor` looks at, by subject. A check is a function from what was seen to a Finding; it looks at nothing.

    Machine (port) ── look.py ──▶ Seen ──▶ gpu, models, doors, upkeep, indexes ──▶ Finding
       ▲        all at once, each look with its own limit                           name, state, seen, what to do, command
       this machine (adapters/this_machine.py), or recorded outputs of the real tools in a test

`ok` is said of what was looked at, and `unchecked` of what could not be. Must not know settings.
"""
