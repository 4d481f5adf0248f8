"""Rules of the folders: what is read, how, and who may read it. One TOML file that the admin owns.

    [[rule]]                     # for every folder
    path = "人事/限定/**"        # a glob on the path below the folder; * and ** also match /
    groups = ["board"]           # who may read; [] means nobody; without a rule: everyone
    read = false                 # leaves the files out, listed as `excluded`; a later rule may take some in again
    max_bytes = 50_000_000       # larger files are left out, listed as `max_bytes`
    language = "ja"              # ja or en, instead of what the text looks like
    ocr = false                  # pages without text are not recognised
    hidden = true                # hidden sheets, slides and words, comments and tracked deletions are read like the rest
    owner = "総務部 佐藤"        # who answers for the documents; free text, in every receipt

    [[folder]]
    root = "/srv/wiki"           # `ingest watch` keeps this folder, too
    schedule = "30 2 * * 1-5"    # then only at these times (cron; local time), not at every change
    [[folder.rule]]              # for this folder only; they come after the rules for every folder
    path = "**"
    groups = ["it"]

Key by key the last rule counts that matches and names the key. The rules are read at every run and written into the
ledger: a change of groups or owner reads no file again, one of language, OCR or hidden parts reads those again that it concerns.
An unknown key is an error that names the nearest one. Must not know the ledger.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from assistant.admin_file import expect_keys, unreadable
from assistant.canary import GROUP, folder_of
from assistant.domain import EVERYONE, SourceFile
from assistant.errors import SettingsError, Text
from ingest.schedule import check_schedule

_LANGUAGES: Final = ("ja", "en")


@dataclass(frozen=True)
class Rule:
    """What holds for the documents whose path matches `path`; None says nothing about that key."""

    path: str
    groups: tuple[str, ...] | None = None
    read: bool | None = None
    max_bytes: int | None = None
    language: str | None = None
    ocr: bool | None = None
    hidden: bool | None = None
    owner: str | None = None


@dataclass(frozen=True)
class IngestedFolder:
    """A folder that `ingest watch` keeps. `schedule` is a cron expression in local time, or None: at every change."""

    root: Path
    schedule: str | None = None
    rules: tuple[Rule, ...] = ()


def groups_of_path(path: str, rules: Sequence[Rule]) -> tuple[str, ...]:
    """Groups that may read the document at `path`: none at all when the rule names none, everyone without a rule."""
    groups: tuple[str, ...] | None = _last(path, rules, "groups")
    return (EVERYONE,) if groups is None else groups


def owner_of_path(path: str, rules: Sequence[Rule]) -> str | None:
    """Who answers for the document at `path`, or None."""
    owner: str | None = _last(path, rules, "owner")
    return owner


def language_of_path(path: str, rules: Sequence[Rule]) -> str | None:
    """ja, en, or None: as the text looks."""
    language: str | None = _last(path, rules, "language")
    return language


def reads_scans(path: str, rules: Sequence[Rule]) -> bool:
    """Whether pages without text are recognised."""
    return _last(path, rules, "ocr") is not False


def reads_hidden(path: str, rules: Sequence[Rule]) -> bool:
    """Whether parts that a reader does not see are read, too; without a rule they are left out."""
    return _last(path, rules, "hidden") is True


def left_out_by(source: SourceFile, rules: Sequence[Rule]) -> str | None:
    """The rule that leaves the file out: `excluded` or `max_bytes`; None when it is read."""
    if _last(source.path, rules, "read") is False:
        return "excluded"
    max_bytes: int | None = _last(source.path, rules, "max_bytes")
    return "max_bytes" if max_bytes is not None and source.size_bytes > max_bytes else None


def pipeline_suffix(path: str, rules: Sequence[Rule]) -> str:
    """What the rules change in the reading of the file, as a part of its version's pipeline id; '' for nothing."""
    language = language_of_path(path, rules)
    suffix = "" if language is None else f";language={language}"
    suffix = suffix if reads_scans(path, rules) else suffix + ";ocr=off"
    return suffix + ";hidden=on" if reads_hidden(path, rules) else suffix


def read_rules(file: Path, root: Path | None = None) -> tuple[Rule, ...]:
    """The rules for the folder at `root`, in their order; none when there is no file. Raises SettingsError."""
    general, folders = _read(file)
    own = [rule for folder in folders if root is not None and folder.root == root.resolve() for rule in folder.rules]
    return (*general, *own)


def canary_rules(root: Path, data_folder: Path) -> tuple[Rule, ...]:
    """The rule of planted documents, which no rule of the file can widen: it comes after them. None for other folders."""
    is_planted = root.resolve() == folder_of(data_folder).resolve()
    return (Rule("**", groups=(GROUP,), read=True),) if is_planted else ()


def refuse_lost_rules(file: Path, *, has_restricted_documents: bool) -> None:
    """Raises SettingsError when the file is gone though documents are restricted: without rules everyone could read them.

    An editor or a sync that replaces the file leaves such a moment.
    """
    if has_restricted_documents and not file.exists():
        raise SettingsError(
            Text(
                ja=f"{file} がありませんが、読める人を限った文書があります。全員に開いてしまうので、何も変更していません。",
                en=f"{file} is gone, but some documents are restricted. Without it everyone could read them; nothing was changed.",
            ),
            Text(
                ja="ファイルを戻してください(場所は ASSISTANT_RULES_FILE)。本当に全員に開くなら、空のファイルを置いてください。",
                en="Put it back (its place is ASSISTANT_RULES_FILE). To open all documents to everyone, leave an empty file there.",
            ),
        )


def read_folders(file: Path) -> tuple[IngestedFolder, ...]:
    """The folders that the file names, with absolute roots. Raises SettingsError that names the place."""
    return _read(file)[1]


def _last(path: str, rules: Sequence[Rule], key: str) -> Any:
    for rule in reversed(rules):
        value = getattr(rule, key)
        if value is not None and fnmatchcase(path, rule.path):
            return value
    return None


def _read(file: Path) -> tuple[tuple[Rule, ...], tuple[IngestedFolder, ...]]:
    if not file.exists():
        return (), ()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise unreadable(SettingsError, file, str(error), "[[rule]]") from error
    expect_keys(SettingsError, file, content, ("rule", "folder"))
    rules = tuple(_rule(file, entry) for entry in _tables(file, content, "rule"))
    folders = tuple(_folder(file, entry) for entry in _tables(file, content, "folder"))
    roots = [folder.root for folder in folders]
    twice = next((root for root in roots if roots.count(root) > 1), None)
    if twice is not None:
        raise unreadable(SettingsError, file, f"root = {str(twice)!r} (2x)", "one [[folder]] for each root.")
    return rules, folders


def _tables(file: Path, content: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    found = content.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise unreadable(SettingsError, file, f"{key} = {found!r}", f"[[{key}]]")
    return found


def _rule(file: Path, entry: Mapping[str, Any]) -> Rule:
    """One rule; each key is checked against what is allowed, and the error shows how it is written."""
    expect_keys(
        SettingsError, file, entry, ("path", "groups", "read", "max_bytes", "language", "ocr", "hidden", "owner")
    )
    path, groups, max_bytes = entry.get("path"), entry.get("groups"), entry.get("max_bytes")
    if not isinstance(path, str) or not path:
        raise unreadable(SettingsError, file, f"path = {path!r}", 'path = "人事/限定/**"')
    if len(entry) == 1:
        raise unreadable(SettingsError, file, f"path = {path!r}", 'groups = ["board"] or read = false below it.')
    if groups is not None and not (isinstance(groups, list) and all(isinstance(g, str) and g for g in groups)):
        raise unreadable(SettingsError, file, f"groups = {groups!r}", 'groups = ["board"] ; groups = [] : nobody.')
    for key in ("read", "ocr", "hidden"):
        if not isinstance(entry.get(key, True), bool):
            raise unreadable(SettingsError, file, f"{key} = {entry[key]!r}", f"{key} = true | {key} = false")
    if max_bytes is not None and (not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 1):
        raise unreadable(SettingsError, file, f"max_bytes = {max_bytes!r}", "max_bytes = 50_000_000")
    if entry.get("language", "ja") not in _LANGUAGES:
        raise unreadable(SettingsError, file, f"language = {entry['language']!r}", 'language = "ja" | language = "en"')
    owner = entry.get("owner")
    if owner is not None and (not isinstance(owner, str) or not owner.strip()):
        raise unreadable(SettingsError, file, f"owner = {owner!r}", 'owner = "総務部"')
    return Rule(**{**entry, "groups": None if groups is None else tuple(groups)})


def _folder(file: Path, entry: Mapping[str, Any]) -> IngestedFolder:
    expect_keys(SettingsError, file, entry, ("root", "schedule", "rule"))
    root, schedule = entry.get("root"), entry.get("schedule")
    if not isinstance(root, str) or not root:
        raise unreadable(SettingsError, file, f"root = {root!r}", 'root = "/srv/wiki"')
    if schedule is not None:
        _check_schedule(file, schedule)
    return IngestedFolder(
        Path(root).expanduser().resolve(), schedule, tuple(_rule(file, rule) for rule in _tables(file, entry, "rule"))
    )


def _check_schedule(file: Path, schedule: object) -> None:
    example = 'schedule = "30 2 * * 1-5"'
    if not isinstance(schedule, str) or len(schedule.split()) != 5:
        raise unreadable(SettingsError, file, f"schedule = {schedule!r}", example)
    try:
        check_schedule(schedule)
    except ValueError as error:
        raise unreadable(SettingsError, file, f"schedule = {schedule!r} ({error})", example) from error
