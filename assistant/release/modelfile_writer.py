"""A Modelfile as text that reads back as the same; what no quotes can hold is refused, never changed."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.errors import ReleaseError, Text
from assistant.release.modelfile import BLANKS, Modelfile, is_closed, opening_mark, unquoted
from assistant.release.parameters import ParameterValue


def write_modelfile(modelfile: Modelfile) -> str:
    """The text; `parse_modelfile` of it gives an equal Modelfile. Raises ReleaseError for a text that cannot be quoted."""
    return "\n".join(_lines(modelfile)) + "\n"


def _lines(modelfile: Modelfile) -> Iterator[str]:
    yield f"FROM {_quoted('FROM', modelfile.base_model)}"
    yield from (f"ADAPTER {_quoted('ADAPTER', adapter)}" for adapter in modelfile.adapters)
    for name, value in modelfile.parameters.items():
        for each in value if isinstance(value, list) else [_shown(value)]:
            yield f"PARAMETER {name} {_quoted(f'PARAMETER {name}', each)}"
    if modelfile.template is not None:
        yield f"TEMPLATE {_quoted('TEMPLATE', modelfile.template)}"
    if modelfile.system:
        yield f"SYSTEM {_quoted('SYSTEM', modelfile.system)}"
    yield from (f"MESSAGE {role} {_quoted('MESSAGE', text)}" for role, text in modelfile.messages)
    yield from (f"LICENSE {_quoted('LICENSE', text)}" for text in modelfile.licenses)


def _shown(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(where: str, text: str) -> str:
    """The plainest form that holds the text."""
    for form in (text, f'"""{text}"""', f'"{text}"'):
        if _read_back(form) == text:
            return form
    raise ReleaseError(
        Text(
            ja=f'{where} の文字列は Modelfile に書けません(行末に " や """ があります)。',
            en=f'The text of {where} cannot be written in a Modelfile: a line of it ends with " or """.',
        ),
        Text(ja="行末の引用符を取るか、別の引用符にしてください。", en="Remove those quotes, or use other ones."),
    )


def _read_back(form: str) -> str | None:
    """What the parser makes of a value; None where it would stop early, or never."""
    lines = form.split("\n")
    first = lines[0].lstrip(BLANKS)
    mark = opening_mark(first)
    if not first.strip(BLANKS) or len(first) != len(lines[0]):
        return None
    value = first
    for line in lines[1:]:
        if not mark or is_closed(value, mark):
            return None
        value += "\n" + line
    return unquoted(value) if not mark or is_closed(value, mark) else None
