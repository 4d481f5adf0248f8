"""What a release says: read from modelfiles/, edited, compared, and put into the words of a model host. Pure, but for reading.

modelfiles/company-assistant.Modelfile    base model, PARAMETERs, SYSTEM
modelfiles/retrieval.toml                 passages, meaning, words, asks_first, refuses_from_*; it need not exist
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from assistant.errors import ReleaseError, SettingsError, Text
from assistant.release.modelfile import Modelfile, parse_modelfile, read_text
from assistant.release.modelfile_writer import write_modelfile
from assistant.release.parameters import Unfit, parameter_value
from assistant.releases import MOST_WEIGHT, Content, Tuning

TUNING_FILE = "retrieval.toml"
PASSAGES = (1, 50)
WEIGHTS = (0.0, MOST_WEIGHT)
DOUBTS = (0.01, 1.0)


@dataclass(frozen=True)
class Edits:
    """What is to be another in the next release; None leaves it as it is."""

    system: str | None = None
    num_ctx: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    passages: int | None = None
    meaning: float | None = None
    words: float | None = None
    asks_first: bool | None = None
    refuses_from_ja: float | None = None
    refuses_from_en: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be another."""
        return self == Edits()


def read_content(modelfile: Path) -> Content:
    """The content of the folder that the Modelfile lies in. Raises SettingsError, ModelfileInvalid, ReleaseError."""
    text, _ = read_text(modelfile)
    parse_modelfile(text)
    file = modelfile.parent / TUNING_FILE
    if not file.is_file():
        return Content(text)
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            Text(ja=f"{file} を読めません。", en=f"{file} cannot be read."),
            Text(ja="passages = 8 のように書いてください。", en="Write it as passages = 8."),
        ) from error
    odd = set(found) - {field.name for field in fields(Tuning)}
    if odd:
        raise _out_of_range(f"{file}: {', '.join(sorted(odd))}", ", ".join(field.name for field in fields(Tuning)))
    return Content(text, checked(Tuning(**found)))


def checked(tuning: Tuning) -> Tuning:
    """The tuning, if it is in range. Raises ReleaseError."""
    for name, value in asdict(tuning).items():
        wanted = bool if name == "asks_first" else (int, float)
        if value is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)):
            raise _out_of_range(f"{name} {value!r}", "true / false" if wanted is bool else "1, 0.5 …")
    if tuning.passages is not None and not PASSAGES[0] <= tuning.passages <= PASSAGES[1]:
        raise _out_of_range(f"passages {tuning.passages}", f"{PASSAGES[0]} … {PASSAGES[1]}")
    for name, weight in (("meaning", tuning.meaning), ("words", tuning.words)):
        if not WEIGHTS[0] <= weight <= WEIGHTS[1]:
            raise _out_of_range(f"{name} {weight}", f"{WEIGHTS[0]:g} … {WEIGHTS[1]:g}")
    for language, doubt in tuning.refuses_from().items():
        if not DOUBTS[0] <= doubt <= DOUBTS[1]:
            raise _out_of_range(f"refuses_from_{language} {doubt}", f"{DOUBTS[0]:g} … {DOUBTS[1]:g}")
    if tuning.meaning == tuning.words == 0:
        raise _out_of_range("meaning 0, words 0", "meaning > 0 | words > 0")
    return tuning


def edited(content: Content, edits: Edits) -> Content:
    """The content with the edits. Raises ReleaseError for a value out of range."""
    modelfile = parse_modelfile(content.modelfile)
    parameters = dict(modelfile.parameters)
    for name in ("num_ctx", "temperature", "top_k"):
        value = getattr(edits, name)
        if value is not None:
            try:
                parameters[name] = parameter_value(name, str(value))  # type: ignore[assignment]
            except Unfit as error:
                raise _out_of_range(f"{name} {value}", error.allowed) from error
    system = modelfile.system if edits.system is None else edits.system
    changed = replace(modelfile, parameters=parameters, system=system)
    tuning = content.tuning
    given = {
        name: value for name in (field.name for field in fields(Tuning)) if (value := getattr(edits, name)) is not None
    }
    text = content.modelfile if changed == modelfile else write_modelfile(changed)
    return Content(text, checked(replace(tuning, **given)))


def differences(before: Content | None, after: Content) -> dict[str, Any]:
    """What is another, by name: [before, after] of each value, and the changed lines of SYSTEM as a diff has them."""
    if before is None:
        return {}
    old, new = _flat(before), _flat(after)
    changed: dict[str, Any] = {
        name: [old.get(name), new.get(name)]
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }
    was, is_now = (parse_modelfile(content.modelfile).system.splitlines() for content in (before, after))
    if was != is_now:
        changed["SYSTEM"] = list(difflib.unified_diff(was, is_now, lineterm="", n=1))[2:]
    return changed


def _flat(content: Content) -> dict[str, Any]:
    modelfile = parse_modelfile(content.modelfile)
    return {
        "FROM": modelfile.base_model,
        "TEMPLATE": modelfile.template,
        "MESSAGE": [list(message) for message in modelfile.messages] or None,
        "ADAPTER": list(modelfile.adapters) or None,
        **modelfile.parameters,
        **asdict(content.tuning),
    }


def host_settings(modelfile: Modelfile) -> Mapping[str, Any]:
    """The Modelfile in the words of ports.ModelHost.make. Raises ReleaseError for ADAPTER, whose files are not part of it."""
    if modelfile.adapters:
        raise ReleaseError(
            Text(ja="ADAPTER のあるリリースは公開できません。", en="A release with an ADAPTER cannot be published."),
            Text(
                ja="`ollama create` で ADAPTER を入れたモデルを作り、それを FROM に書いてください。",
                en="Make a model with the ADAPTER by `ollama create`, and name that one in FROM.",
            ),
        )
    said: dict[str, Any] = {"parameters": dict(modelfile.parameters), "system": modelfile.system}
    if modelfile.template is not None:
        said["template"] = modelfile.template
    if modelfile.messages:
        said["messages"] = [{"role": role, "content": text} for role, text in modelfile.messages]
    if modelfile.licenses:
        said["license"] = list(modelfile.licenses)
    return {name: value for name, value in said.items() if value}


def _out_of_range(seen: str, allowed: str) -> ReleaseError:
    return ReleaseError(
        Text(ja=f"{seen} は使えません。", en=f"{seen} is not allowed."),
        Text(ja=f"使える値: {allowed}", en=f"Allowed: {allowed}"),
    )
