"""Names of uploaded files and of their places in the inbox. Pure; knows no disk, no web and no ledger.

    inbox/<place of the person>/<name of the file>

Everybody has a place of their own: nobody can overwrite, or learn of, what another person brought.
"""

from __future__ import annotations

import hashlib
import unicodedata

from assistant.errors import Text, UploadRefused

NAME_LIMIT_BYTES = 200
"""In UTF-8; file systems end at 255, and an upload under way needs some letters of its own."""
FORBIDDEN = frozenset('<>:"/\\|?*')
"""What Windows cannot hold in a name: somebody will open the folder there."""
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download")
"""Endings that an ingestion leaves out, because such files are usually still being written."""
SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
)


def safe_name(given: str) -> str:
    """The file's own name, composed (NFC), without the folders that a browser may send along.

    Raises UploadRefused for a name that cannot be kept as it is; it is never changed in silence.
    """
    name = unicodedata.normalize("NFC", given.replace("\\", "/").rpartition("/")[2]).strip()
    stem, dot, ending = name.rpartition(".")
    if not name or not dot or not stem or not ending:
        raise _refused(
            name,
            Text(ja="名前に拡張子(.pdf など)がありません。", en="The name has no ending such as .pdf."),
            Text(ja="拡張子のある名前に変えてください。", en="Give it a name with its ending."),
        )
    odd = sorted({letter for letter in name if letter in FORBIDDEN or unicodedata.category(letter)[0] == "C"})
    if odd or name.endswith(".") or stem.lower().split(".")[0] in WINDOWS_DEVICES:
        raise _refused(
            name,
            Text(ja="名前に使えない文字か語があります。", en="The name holds a character or word that cannot be used."),
            Text(
                ja='制御文字と < > : " / \\ | ? * を除いてください。',
                en='Leave out control characters and < > : " / \\ | ? *.',
            ),
        )
    if name.startswith((".", "~")) or name.lower().endswith(UNFINISHED) or name.lower() in SYSTEM_NAMES:
        raise _refused(
            name,
            Text(
                ja="隠しファイルや書きかけのファイルの名前です。", en="This is the name of a hidden or unfinished file."
            ),
            Text(
                ja="完成したファイルを、ふつうの名前で送ってください。",
                en="Send the finished file under an ordinary name.",
            ),
        )
    if len(name.encode()) > NAME_LIMIT_BYTES:
        raise _refused(
            name[:40] + "…",
            Text(
                ja=f"名前が長すぎます(UTF-8 で {NAME_LIMIT_BYTES} バイトまで)。",
                en=f"The name is longer than {NAME_LIMIT_BYTES} bytes.",
            ),
            Text(ja="名前を短くしてください。", en="Shorten the name."),
        )
    return name


def place_of(person: str) -> str:
    """The person's folder in the inbox. No two persons have the same one: what a file system cannot hold is written as
    %XX, the percent sign included, and a name too long for it as its hash."""
    kept = "".join(letter if _is_plain(letter) else _escaped(letter) for letter in person)
    if kept[:1] in {".", "~"}:
        kept = _escaped(kept[0]) + kept[1:]
    if kept.endswith("."):
        kept = kept[:-1] + _escaped(".")
    if len(kept.encode()) > NAME_LIMIT_BYTES:
        return "%h" + hashlib.sha256(person.encode()).hexdigest()
    return kept


def _is_plain(letter: str) -> bool:
    return letter not in FORBIDDEN and letter != "%" and unicodedata.category(letter)[0] != "C"


def _escaped(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode())


def _refused(name: str, why: Text, hint: Text) -> UploadRefused:
    return UploadRefused(Text(ja=f"{name!r}: {why.ja}", en=f"{name!r}: {why.en}"), hint)
