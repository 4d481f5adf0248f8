"""The HTTP edge: who asks, how much at once, which status, which shape. Knows the assistant only by its doors.

request ─▶ logs (id) ─▶ deps (who) ─▶ limits (body) ─▶ routes/<resource> ─▶ asking (place, hang-up, shutdown) ─▶ ask()
                                                             │
                              errors (one table) ◀───────────┴──▶ stream (events), examples (openapi)
"""
