"""The only reader of the environment: `ASSISTANT_…` variables and `.env`, each with unit and reason.

What belongs to one matter is a group: `Audit.keep_days` is read from `ASSISTANT_AUDIT__KEEP_DAYS`. An unknown
`ASSISTANT_` variable is an error that names the nearest known one. `.env.example` and `docs/reference/settings.md` are
generated from this file. The pipeline never reads settings: wiring.py and the entry points do, and hand plain values on.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.errors import SettingsError, Text

PREFIX = "ASSISTANT_"
DELIMITER = "__"
SECRETS = re.compile(r"SECRET|API_KEY|DATABASE_URL|SIGN_IN$")
"""Settings whose values are never shown: a group is shown whole."""


class Group(BaseModel):
    """Settings of one matter, read from `ASSISTANT_<GROUP>__<NAME>`. Name and docstring head it in generated pages."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Door(Group):
    """Who may enter, and how soon a right that is taken away ends what is under way."""

    users_file: Path = Field(
        default=Path("users.toml"),
        description="Users and their groups; the API applies it at its start and whenever it changes. It need not exist.",
    )
    known_users_only: bool = Field(
        default=False,
        description="Whether users whom nginx lets in, but whom neither the file nor the ledger names, are refused.",
    )
    recheck_seconds: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="How often open answers are checked for rights that have ended, and the users file for changes.",
    )
    canary_hours: float = Field(
        default=24.0,
        ge=0,
        le=1000,
        description="Hours between two checks of the permission canary, once it is planted; 0: only by command.",
    )
    questions_per_minute: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Questions a minute of one user, and of a key without a rate; 0: no limit.",
    )


class Audit(Group):
    """Who asked, which documents were shown, what administrators did."""

    questions: Literal["text", "hashed", "none"] = Field(
        default="hashed",
        description="How the audit keeps questions: their text, a keyed hash that only finds equal ones, or nothing.",
    )
    keep_days: int = Field(default=365, ge=1, le=36_500, description="Days that the audit's entries are kept.")


class SignIn(Group):
    """Signing people in by OpenID Connect; nginx is told by PUBLISH_SIGN_IN=oidc."""

    issuer: str = Field(
        default="", description="Address of the identity provider, without /.well-known/…; empty: not used."
    )
    client_id: str = Field(default="", description="What the provider calls this application.")
    client_secret: str = Field(default="", description="Its secret there; empty for a public client (PKCE alone).")
    public_url: str = Field(
        default="",
        description="Address that people type (https://…); the provider sends back to its /sign-in/callback.",
    )
    scopes: str = Field(default="openid email profile", description="Scopes that are asked for, between blanks.")
    user_claim: str = Field(default="email", description="Claim that names the user.")
    groups_claim: str = Field(
        default="",
        description="Claim whose names become the user's groups at every sign-in; empty leaves groups to users.toml.",
    )
    minutes: int = Field(
        default=600, ge=1, le=43_200, description="Minutes until people sign in again (a working day)."
    )


class Queue(Group):
    """A fair share of the model for everybody, beside ASSISTANT_MODEL_PARALLEL and ASSISTANT_QUEUE_LIMIT."""

    user_running: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Questions of one user or app that are answered at once; 0: half of ASSISTANT_MODEL_PARALLEL, rounded up.",
    )
    user_waiting: int = Field(
        default=8, ge=0, le=1000, description="Further questions of one user or app that may wait; more get 429."
    )
    drain_seconds: float = Field(
        default=30.0, ge=0, le=600, description="How long a stopping API lets answers under way finish, in seconds."
    )


class Second(Group):
    """A second model beside the first: to move to another server step by step, and for when one of the two is away."""

    kind: Literal["none", "ollama", "openai"] = Field(
        default="none", description="What serves it: Ollama, or a server with OpenAI's protocol (vLLM, llama.cpp, …)."
    )
    url: str = Field(
        default="", description="Its address: http://127.0.0.1:11434 (ollama), http://127.0.0.1:8083/v1 (openai)."
    )
    api_key: str = Field(default="", description="Bearer key for a server with OpenAI's protocol; empty sends none.")
    model: str = Field(default="", description="Its name there. It must differ from the first model's.")
    share_percent: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="Share of people (of apps: of conversations) that it answers first; 0: only when the first is away.",
    )
    num_ctx: int | None = Field(
        default=None, ge=512, le=1_048_576, description="Its window in tokens; empty: as large as the first model's."
    )
    parallel: int = Field(
        default=1, ge=1, le=256, description="Questions that it answers at once: what its server runs in parallel."
    )


class Traces(Group):
    """Where OpenTelemetry traces go (extra `traces`). They hold times, tokens and codes, never what was asked or said."""

    url: str = Field(
        default="", description="Collector that takes OTLP over gRPC, as http://127.0.0.1:4317; empty: no traces."
    )


class Uploads(Group):
    """Files that people bring through the screen or the API, instead of laying them into the folder themselves."""

    folder: Path | None = Field(
        default=None,
        description="Inbox that uploads are written into, as var/inbox; ingested like any folder, with rules in ingest.toml; empty: no uploads.",
    )
    groups: str = Field(
        default="administrators",
        description="Groups whose members may upload, between blanks; keys need the scope ingest.",
    )

    @field_validator("folder", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


class Settings(BaseSettings):
    """All settings of all processes. Paths are relative to the working directory."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, env_file=".env", env_file_encoding="utf-8", extra="ignore"
    )

    data_folder: Path = Field(Path("var"), description="Folder of ledger, indexes, releases and logs.")
    documents_folder: Path = Field(Path("examples"), description="Folder that is ingested when no other is named.")
    rules_file: Path = Field(Path("ingest.toml"), description="Rules of the folders: who may read what.")
    database_url: str | None = Field(
        None, description="Ledger: sqlite:///… or postgresql+psycopg://…; empty means SQLite in the data folder."
    )
    chroma_url: str = Field("http://127.0.0.1:8100", description="Address of the Chroma server (`chroma run`).")
    ollama_url: str = Field("http://127.0.0.1:11434", description="Address of the Ollama server.")
    openai_url: str = Field(
        "http://127.0.0.1:8082/v1",
        description="Base address of an OpenAI-compatible server (answers or embedder openai).",
    )
    openai_api_key: str = Field("", description="Bearer key for that server; empty sends none.")
    embedder: Literal["ollama", "embedded", "openai"] = Field(
        "ollama", description="Who embeds: Ollama, the embedded multilingual-e5-small, or an OpenAI-compatible server."
    )
    embed_model: str = Field(
        "nomic-embed-text", description="Embedding model on Ollama or the OpenAI-compatible server."
    )
    answers: Literal["ollama", "openai", "embedded", "quotes"] = Field(
        "ollama", description="Who writes answers; quotes means literal sentences from the documents, without a model."
    )
    chat_model: str = Field("company-assistant", description="Chat model on Ollama or the OpenAI-compatible server.")
    embedded_chat_url: str = Field(
        "http://127.0.0.1:8101", description="Address of the embedded chat model's own server process."
    )
    embedded_chat_file: Path | None = Field(
        None, description="GGUF file of the embedded chat model, if you have it; empty means the cache or a download."
    )
    rerank_url: str = Field(
        "",
        description="Server with /v1/rerank (llama.cpp, Jina, Cohere), as http://127.0.0.1:8102?model=NAME; empty: none (it costs time).",
    )
    modelfile: Path = Field(
        Path("modelfiles/company-assistant.Modelfile"), description="SYSTEM, num_ctx and sampling of company-assistant."
    )
    num_ctx: int | None = Field(
        None,
        ge=512,
        le=1_048_576,
        description="Model window in tokens; empty takes it from the Modelfile, and must equal it.",
    )
    num_predict: int = Field(768, ge=32, le=8192, description="Tokens reserved for an answer inside num_ctx.")
    passages_limit: int = Field(8, ge=1, le=50, description="Passages shown and offered to the model for one question.")
    prompt_limit_tokens: int | None = Field(
        None,
        ge=256,
        description="Upper bound of prompt tokens below num_ctx; empty means num_ctx - num_predict (a small CPU model reads slowly).",
    )
    question_limit_characters: int = Field(4000, ge=100, le=100_000, description="Longest question in characters.")
    api_host: str = Field("127.0.0.1", description="Address the API binds.")
    api_port: int = Field(8000, ge=1, le=65535, description="Port of the API.")
    ui_host: str = Field("127.0.0.1", description="Address the screen binds.")
    ui_port: int = Field(8501, ge=1, le=65535, description="Port of the screen.")
    api_url: str = Field("http://127.0.0.1:8000", description="Where the screen finds the API.")
    proxy_secret: str = Field(
        "",
        description="Shared secret that proves X-Forwarded-User comes from nginx or the screen; empty accepts no such header.",
    )
    demo_user: str = Field("", description="User name the screen uses when no proxy names one; only for the demo.")
    model_parallel: int = Field(
        1, ge=1, le=256, description="Questions answered at once: what the model server runs in parallel."
    )
    queue_limit: int = Field(32, ge=0, le=1000, description="Questions that may wait for the model; more get 429.")
    connect_timeout_seconds: float = Field(3.0, gt=0, description="Longest wait for a connection to a dependency.")
    first_token_timeout_seconds: float = Field(
        300.0,
        gt=0,
        description="Longest wait for the first token: loading, other people's questions and reading the prompt included.",
    )
    token_timeout_seconds: float = Field(60.0, gt=0, description="Longest silence between two tokens.")
    parse_timeout_seconds: float = Field(300.0, gt=0, description="Longest time for parsing one source file.")
    parse_memory_bytes: int = Field(3 << 30, ge=512 << 20, description="Address space of the parser process, in bytes.")
    file_limit_bytes: int = Field(200 << 20, ge=1024, description="Largest source file that is read, in bytes.")
    store_wait_seconds: float = Field(
        90.0, gt=0, description="How long an ingestion waits for a store or embedder that is away before it stops."
    )
    scan_interval_seconds: float = Field(
        30.0, gt=0, description="How often `ingest watch` looks at the folder when no event comes."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_questions: bool = Field(
        default=False, description="Whether logs may hold question text. Off keeps people's questions out of logs."
    )
    door: Door = Door()
    audit: Audit = Audit()
    sign_in: SignIn = SignIn()
    traces: Traces = Traces()
    queue: Queue = Queue()
    uploads: Uploads = Uploads()
    second: Second = Second()


@dataclass(frozen=True)
class Variable:
    """One setting as people write it. `group` is the class that it stands in; None for those outside groups."""

    name: str
    description: str
    default: object
    group: type[Group] | None


def variables() -> Iterator[Variable]:
    """Every environment variable that Settings reads, groups last and taken apart."""
    groups = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Group):
            groups[name] = field.annotation
        else:
            yield Variable(PREFIX + name.upper(), field.description or "", field.default, None)
    for name, group in groups.items():
        for inner, field in group.model_fields.items():
            variable = PREFIX + DELIMITER.join((name, inner)).upper()
            yield Variable(variable, field.description or "", field.default, group)


def known_variables() -> list[str]:
    """The names of all variables, e.g. `ASSISTANT_NUM_CTX`."""
    return [variable.name for variable in variables()]


def values_of(settings: Settings) -> dict[str, object]:
    """What these settings hold, by variable."""
    found: dict[str, object] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, Group):
            for inner in type(value).model_fields:
                found[PREFIX + DELIMITER.join((name, inner)).upper()] = getattr(value, inner)
        else:
            found[PREFIX + name.upper()] = value
    return found


def load_settings(*, env_file: Path | None = Path(".env")) -> Settings:
    """Settings from the environment and `env_file`.

    Raises SettingsError for an unknown variable (naming the nearest), or a value out of range.
    """
    known = known_variables()
    present = set(os.environ)
    if env_file is not None and env_file.is_file():
        present |= set(dotenv_values(env_file))
    for name in sorted(present):
        if name.startswith(PREFIX) and name not in known:
            raise _unknown_variable(name, known)
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        raise _bad_value(error.errors()[0]) from error


def _bad_value(first: Mapping[str, Any]) -> SettingsError:
    # The place ends with the field; a value that is one of several types is followed by the type that was tried.
    places = [PREFIX + DELIMITER.join(map(str, first["loc"][:depth])).upper() for depth in (2, 1)]
    known = {variable.name: variable for variable in variables()}
    name = next((place for place in places if place in known), places[-1])
    meaning = known[name].description if name in known else ""
    shown = "…" if SECRETS.search(name) else repr(first.get("input"))
    return SettingsError(
        Text(
            ja=f"設定 {name} の値 {shown} は使えません({first['msg']})。",
            en=f"The setting {name} has the value {shown}, which is not allowed ({first['msg']}).",
        ),
        Text(
            ja=f"意味: {meaning} .env.example を見て直してください。",
            en=f"{meaning} See .env.example and correct it.",
        ),
    )


def _unknown_variable(name: str, known: list[str]) -> SettingsError:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    suggestion = nearest[0] if nearest else known[0]
    return SettingsError(
        Text(ja=f"{name} という設定はありません。", en=f"There is no setting {name}."),
        Text(
            ja=f"{suggestion} のことですか。使える設定は .env.example にあります。",
            en=f"Did you mean {suggestion}? All settings are in .env.example.",
        ),
    )
