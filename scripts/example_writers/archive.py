"""Office files are zip archives that carry the time of writing; here they get one fixed time, so that bytes repeat."""

import re
import zipfile
from datetime import datetime
from pathlib import Path

# The earliest time a zip archive can hold.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:(?:created|modified)>)")


def fix_times(path: Path, written_at: datetime) -> None:
    """Rewrite the office file at ``path`` in place: every entry at one time, its properties dated ``written_at``."""
    with zipfile.ZipFile(path) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    stamp = written_at.strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, written in entries:
            is_dated = name == "docProps/core.xml"
            content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<3>", written) if is_dated else written
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)
