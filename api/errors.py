"""One table: error -> status, title, pause before trying again. Every error of the product and of the edge has its row.

Must not know where an error was raised; api/problems.py turns a row into a response.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant import errors as e
from assistant.errors import AssistantError, Text

SHORT_PAUSE_SECONDS = 5.0
"""A server that restarts is usually back by then."""
LONG_PAUSE_SECONDS = 60.0
"""Somebody has to run a command first; asking every second would only fill the log."""


@dataclass(frozen=True)
class Row:
    """How an error leaves the API. `pause_seconds` becomes Retry-After unless the error knows better."""

    status: int
    title: Text
    pause_seconds: float | None = None


@dataclass(frozen=True)
class FieldFault:
    """One field of a request that is not as it must be."""

    field: str
    detail: Text


class InvalidRequest(AssistantError):
    """The body or a parameter is not as it must be; `faults` names each field."""

    permanent = True

    def __init__(self, message: Text, hint: Text, *, faults: tuple[FieldFault, ...] = ()) -> None:
        super().__init__(message, hint)
        self.faults = faults


class BodyTooLarge(AssistantError):
    """The request's body has more bytes than the API reads."""

    permanent = True


class AddressUnknown(AssistantError):
    """No route has this path."""

    permanent = True


class MethodNotAllowed(AssistantError):
    """The path exists, the method does not; `allowed` names those that do."""

    permanent = True

    def __init__(self, message: Text, hint: Text, *, allowed: str = "") -> None:
        super().__init__(message, hint)
        self.allowed = allowed


class BadRequest(AssistantError):
    """The framework refused the request before any route saw it."""

    permanent = True


class RangeNotSatisfiable(AssistantError):
    """The asked bytes lie behind the end of the file."""

    permanent = True

    def __init__(self, message: Text, hint: Text, *, size_bytes: int) -> None:
        super().__init__(message, hint)
        self.size_bytes = size_bytes


class ModelUnknown(AssistantError):
    """An OpenAI-compatible request names a model that this server does not offer."""

    permanent = True


class ShuttingDown(AssistantError):
    """The server is stopping; open questions are ended, new ones refused."""


class InternalError(AssistantError):
    """Something that nobody foresaw; the log has it under the request id."""


_FAULT = Text(ja="サーバー内部の誤り", en="Internal error")
_SETUP = Text(ja="サーバーの設定の誤り", en="The server is set up wrongly")
_STORE = Text(ja="文書の検索が使えません", en="The document search is away")
_MODEL = Text(ja="回答モデルが使えません", en="The answering model is away")
_DOCUMENT = Text(ja="文書を読めません", en="The document cannot be read")
_QUESTION = Text(ja="質問を受け付けられません", en="The question cannot be taken")
_RELEASE = Text(ja="リリースを作れません", en="The release cannot be made")

TABLE: dict[type[AssistantError], Row] = {
    AssistantError: Row(500, _FAULT),
    InternalError: Row(500, _FAULT),
    e.SettingsError: Row(500, _SETUP),
    e.DocumentError: Row(422, _DOCUMENT),
    e.UnsupportedDocument: Row(422, _DOCUMENT),
    e.UnreadableDocument: Row(422, _DOCUMENT),
    e.FolderMissing: Row(422, Text(ja="フォルダーがありません", en="The folder is not there")),
    e.UploadRefused: Row(422, Text(ja="ファイルを受け取れません", en="The file cannot be taken in")),
    e.UploadExists: Row(409, Text(ja="同じ名前のファイルがあります", en="There is a file of this name")),
    e.StoreError: Row(503, _STORE, SHORT_PAUSE_SECONDS),
    e.StoreUnavailable: Row(503, _STORE, SHORT_PAUSE_SECONDS),
    e.StoreDamaged: Row(503, _STORE, LONG_PAUSE_SECONDS),
    e.EmbedderMismatch: Row(503, _STORE, LONG_PAUSE_SECONDS),
    e.GenerationError: Row(503, _STORE, LONG_PAUSE_SECONDS),
    e.EmbedderUnfit: Row(503, _STORE, LONG_PAUSE_SECONDS),
    e.EmbedderUnavailable: Row(503, _STORE, SHORT_PAUSE_SECONDS),
    e.RerankerUnavailable: Row(503, _STORE, SHORT_PAUSE_SECONDS),
    e.ModelError: Row(503, _MODEL, SHORT_PAUSE_SECONDS),
    e.ModelUnavailable: Row(503, _MODEL, SHORT_PAUSE_SECONDS),
    e.ModelMissing: Row(503, _MODEL, LONG_PAUSE_SECONDS),
    e.AnswerAborted: Row(503, Text(ja="回答が途中で切れました", en="The answer broke off"), SHORT_PAUSE_SECONDS),
    e.ModelTimeout: Row(504, Text(ja="回答が間に合いません", en="The answer took too long"), SHORT_PAUSE_SECONDS),
    e.ContextOverflow: Row(413, Text(ja="モデルに収まりません", en="Too long for the model")),
    e.QuestionError: Row(422, _QUESTION),
    e.QuestionTooLong: Row(422, _QUESTION),
    e.Overloaded: Row(429, Text(ja="混み合っています", en="Too many questions at once"), SHORT_PAUSE_SECONDS),
    e.TooManyQuestions: Row(429, Text(ja="質問の回数が多すぎます", en="Asked too often"), SHORT_PAUSE_SECONDS),
    e.PeopleError: Row(422, Text(ja="利用者かキーの指定が違います", en="A user or key is not as it must be")),
    e.PeopleConflict: Row(409, Text(ja="今の登録と合いません", en="It does not go with what is kept")),
    e.NotAuthenticated: Row(401, Text(ja="利用者が分かりません", en="Who asks is not known")),
    e.SignInFailed: Row(403, Text(ja="サインインできません", en="The sign-in did not succeed")),
    e.SignInUnavailable: Row(
        503, Text(ja="サインインのサーバーが使えません", en="The sign-in server is away"), SHORT_PAUSE_SECONDS
    ),
    e.AccessDenied: Row(403, Text(ja="権限がありません", en="Not permitted")),
    e.NotFound: Row(404, Text(ja="見つかりません", en="Not found")),
    e.IdempotencyKeyReused: Row(
        409, Text(ja="キーは別の内容で使われています", en="The key belongs to another request")
    ),
    e.HostError: Row(500, _SETUP),
    e.BackupError: Row(500, _SETUP),
    e.ReleaseError: Row(409, _RELEASE),
    e.EvaluationFailed: Row(422, Text(ja="評価できません", en="The evaluation cannot be made")),
    e.ModelfileInvalid: Row(422, Text(ja="Modelfile が違います", en="The Modelfile is not as it must be")),
    e.WillNotFit: Row(409, Text(ja="収まりません", en="It does not fit")),
    e.ReleaseRefused: Row(409, Text(ja="公開しませんでした", en="Not published")),
    e.ReleaseConflict: Row(409, Text(ja="ほかの管理者が先でした", en="Another administrator was first")),
    e.NothingToRollBackTo: Row(409, Text(ja="戻り先がありません", en="Nothing to go back to")),
    InvalidRequest: Row(422, Text(ja="リクエストの形が違います", en="The request is not as it must be")),
    BadRequest: Row(400, Text(ja="リクエストの形が違います", en="The request is not as it must be")),
    BodyTooLarge: Row(413, Text(ja="本文が大きすぎます", en="The body is too large")),
    AddressUnknown: Row(404, Text(ja="見つかりません", en="Not found")),
    MethodNotAllowed: Row(405, Text(ja="この操作はできません", en="Method not allowed")),
    RangeNotSatisfiable: Row(416, Text(ja="範囲がファイルの外です", en="The range is outside the file")),
    ModelUnknown: Row(404, Text(ja="モデルがありません", en="There is no such model")),
    ShuttingDown: Row(503, Text(ja="サーバーを停止中です", en="The server is stopping"), SHORT_PAUSE_SECONDS),
}


def row_of(error: AssistantError) -> Row:
    """The row of the error's own class; a class that has none takes that of its nearest ancestor."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def internal_error() -> InternalError:
    """What people are told when something unforeseen happened; never the vendor's or Python's words."""
    return InternalError(
        Text(ja="サーバーの中で思わぬ誤りが起きました。", en="Something unforeseen went wrong inside the server."),
        Text(
            ja="もう一度お試しください。続くときは request_id を添えて管理者に知らせてください。",
            en="Try again. If it goes on, tell the administrator the request_id.",
        ),
    )


def shutting_down() -> ShuttingDown:
    """What open and new questions are told while the server stops."""
    return ShuttingDown(
        Text(ja="サーバーを停止しています。", en="The server is stopping."),
        Text(ja="少し待ってから、もう一度質問してください。", en="Wait a moment, then ask again."),
    )


def invalid_field(field: str, detail: Text, *, hint: Text) -> InvalidRequest:
    """A request with one wrong field."""
    return InvalidRequest(
        Text(ja=f"項目 {field}: {detail.ja}", en=f"Field {field}: {detail.en}"),
        hint,
        faults=(FieldFault(field, detail),),
    )
