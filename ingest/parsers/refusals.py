"""Why a source file cannot be read, as sentences for people in Japanese and English.

One function for each reason. Vendors' own messages never appear here.
"""

from __future__ import annotations

from assistant.errors import FailureReason, Text, UnreadableDocument, UnsupportedDocument

_SAVE_AS = Text(
    "Word・Excel・PowerPoint の現在の形式（docx、xlsx、pptx）または PDF で保存し直してください。",
    "Save it as docx, xlsx, pptx or PDF.",
)


def unsupported(kind_ja: str, kind_en: str, *, hint: Text = _SAVE_AS) -> UnsupportedDocument:
    """No parser for this kind of file; `kind_…` names it as people call it."""
    return UnsupportedDocument(
        Text(
            f"この種類のファイル（{kind_ja}）はまだ読めません。", f"This kind of file ({kind_en}) cannot be read yet."
        ),
        hint,
        reason=FailureReason.UNSUPPORTED_TYPE,
    )


def archive(kind: str, *, files: int | None = None) -> UnsupportedDocument:
    """A zip or the like: never opened, because nobody chose its contents and who may read them; `files` are inside."""
    inside_ja = f"（{files:,} ファイル入り）" if files else ""
    inside_en = f" of {files:,} files" if files and files > 1 else ""
    return UnsupportedDocument(
        Text(f"{kind} 圧縮ファイル{inside_ja}は開きません。", f"A {kind} archive{inside_en} is not opened."),
        Text(
            "中のファイルを検索したいときは、展開してフォルダーに置いてください。",
            "Unpack it into the folder if its files are to be found.",
        ),
        reason=FailureReason.UNSUPPORTED_TYPE,
    )


def no_text() -> UnreadableDocument:
    """The file holds no readable text at all."""
    return UnreadableDocument(
        Text("読める文字がありません。", "There is no readable text in it."),
        Text(
            "中身が空でないか、図や写真だけでないかを確認してください。",
            "Check whether it is empty or holds only pictures.",
        ),
        reason=FailureReason.NO_TEXT,
    )


def encrypted() -> UnreadableDocument:
    """A password is needed to read the file."""
    return UnreadableDocument(
        Text("パスワードで保護されています。", "It is protected by a password."),
        Text("パスワードを外した版を置いてください。", "Put a copy without the password in its place."),
        reason=FailureReason.ENCRYPTED,
    )


def corrupt(kind: str) -> UnreadableDocument:
    """The file says that it is a `kind` file, but its inside cannot be followed."""
    return UnreadableDocument(
        Text(f"{kind} ファイルとして壊れているか、途中で切れています。", f"It is damaged or cut off as a {kind} file."),
        Text(
            "元のアプリケーションで開けるかを確認し、保存し直してください。",
            "Check that its own application opens it, and save it again.",
        ),
        reason=FailureReason.CORRUPT,
    )


def unknown_encoding() -> UnreadableDocument:
    """No text encoding fits without doubt: a wrong guess would store garbage."""
    return UnreadableDocument(
        Text("文字コードを確実に判定できません。", "Its text encoding cannot be told with certainty."),
        Text("UTF-8 で保存し直してください。", "Save it as UTF-8."),
        reason=FailureReason.UNKNOWN_ENCODING,
    )


def too_large(what_ja: str, what_en: str) -> UnreadableDocument:
    """A bound of ParseLimits is passed; `what_…` says which, with its number."""
    return UnreadableDocument(
        Text(f"大きすぎます（上限: {what_ja}）。", f"It is too large (limit: {what_en})."),
        Text("いくつかのファイルに分けてください。", "Divide it into several files."),
        reason=FailureReason.TOO_LARGE,
    )


def archive_bomb() -> UnreadableDocument:
    """The inside of the file unpacks to far more than an office file holds, or points outside."""
    return UnreadableDocument(
        Text(
            "展開すると異常に大きくなるか、不正な内部構造です。",
            "It unpacks to an abnormal size or has a forged inside.",
        ),
        Text(
            "出所を確認し、元のアプリケーションで保存し直してください。",
            "Check where it comes from, and save it again with its own application.",
        ),
        reason=FailureReason.ARCHIVE_BOMB,
    )


def ocr_off() -> UnsupportedDocument:
    """The file is a scan, and a rule of its folder switches recognition off: left out by will, not failed."""
    return UnsupportedDocument(
        Text(
            "文字の層がないスキャン画像で、フォルダの規則が文字認識を使わないとしています。",
            "It is a scan without a text layer, and a rule of its folder switches recognition off.",
        ),
        Text(
            "読むときは ingest.toml の ocr を true にし、`ingest retry` を実行してください。",
            "To read it, set ocr = true in ingest.toml and run `ingest retry`.",
        ),
        reason=FailureReason.UNSUPPORTED_TYPE,
    )


def ocr_unavailable() -> UnreadableDocument:
    """The file is a scan, and tesseract or its Japanese data is not installed."""
    return UnreadableDocument(
        Text(
            "文字の層がないスキャン画像で、文字認識（tesseract）が入っていません。",
            "It is a scan without a text layer, and tesseract is not installed.",
        ),
        Text(
            "`apt-get install tesseract-ocr tesseract-ocr-jpn` を実行してから、取り込みをやり直してください。",
            "Run `apt-get install tesseract-ocr tesseract-ocr-jpn`, then ingest again.",
        ),
        reason=FailureReason.OCR_UNAVAILABLE,
    )


def converter_unavailable() -> UnreadableDocument:
    """The file needs LibreOffice, and it, or the part of it for this kind, is not installed."""
    command = "apt-get install --no-install-recommends libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui"
    return UnreadableDocument(
        Text(
            "この形式を読むには LibreOffice が必要ですが、入っていません。",
            "This kind of file is read with the help of LibreOffice, which is not installed.",
        ),
        Text(f"`{command}` を実行してから、取り込みをやり直してください。", f"Run `{command}`, then ingest again."),
        reason=FailureReason.CONVERTER_UNAVAILABLE,
    )


def ocr_too_slow() -> UnreadableDocument:
    """Every page of the scan took longer than one page may."""
    return UnreadableDocument(
        Text("文字認識が時間内に終わりませんでした。", "Reading the scan took too long."),
        Text("解像度を 300 dpi 程度に下げてスキャンし直してください。", "Scan it again at about 300 dpi."),
        reason=FailureReason.TIMEOUT,
    )


def scan_illegible() -> UnreadableDocument:
    """Characters were recognised, but with so little confidence that they would be noise."""
    return UnreadableDocument(
        Text("スキャンが不鮮明で、文字を読み取れません。", "The scan is too unclear to be read."),
        Text("300 dpi 以上で、傾きなくスキャンし直してください。", "Scan it again, straight, at 300 dpi or more."),
        reason=FailureReason.NO_TEXT,
    )


_DIVIDE = Text("ファイルを分けるか、保存し直してください。", "Divide the file, or save it again.")


def _of(reason: FailureReason, ja: str, en: str, hint: Text, *, permanent: bool = True) -> UnreadableDocument:
    return UnreadableDocument(Text(ja, en), hint, reason=reason, permanent=permanent)


def too_slow(seconds: float) -> UnreadableDocument:
    """Nothing came out of the parser for `seconds`."""
    return _of(
        FailureReason.TIMEOUT,
        f"{seconds:g} 秒以内に読み終わりませんでした。",
        f"It could not be read within {seconds:g} seconds.",
        _DIVIDE,
    )


def out_of_memory() -> UnreadableDocument:
    """The parser needed more memory than it may have."""
    return _of(
        FailureReason.OUT_OF_MEMORY,
        "読み取りに必要なメモリが上限を超えました。",
        "Reading it takes more memory than is allowed.",
        _DIVIDE,
    )


def crashed() -> UnreadableDocument:
    """The parser ended abnormally on this file."""
    return _of(
        FailureReason.PARSER_CRASHED,
        "読み取り中にプロセスが異常終了しました。ファイルが壊れている可能性があります。",
        "The process that read it ended abnormally. The file may be damaged.",
        Text(
            "元のアプリケーションで開けるかを確認し、保存し直してください。",
            "Check that its own application opens it, and save it again.",
        ),
    )


def vanished() -> UnreadableDocument:
    """The file was there when the folder was listed, and is no more."""
    return _of(
        FailureReason.VANISHED,
        "取り込みの途中でファイルがなくなりました。",
        "The file went away during ingestion.",
        Text("もう一度取り込んでください。", "Ingest again."),
        permanent=False,
    )


def no_permission() -> UnreadableDocument:
    """The operating system does not let this user read the file."""
    return _of(
        FailureReason.NO_PERMISSION,
        "ファイルを読む権限がありません。",
        "There is no permission to read the file.",
        Text(
            "取り込みを実行するユーザーに読み取り権限を与えてください。",
            "Give the user who runs the ingestion the right to read it.",
        ),
        permanent=False,
    )


def unreadable() -> UnreadableDocument:
    """The disk or share gives an error instead of the content."""
    return _of(
        FailureReason.UNREADABLE,
        "ディスクまたは共有フォルダーから内容を読み出せません。",
        "The disk or share does not give its content.",
        Text("ディスクと共有フォルダーの状態を確認してください。", "Check the disk and the share."),
        permanent=False,
    )
