"""Pydantic shapes of questions without an answer, put together, and of what answers cost. For administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.wire_words import PlainLine, Title


class QuestionsShape(BaseModel):
    """Base of these shapes."""

    model_config = ConfigDict(extra="forbid")


class AskedQuestionOut(QuestionsShape):
    """One wording. `closed_at` is set when the documents answer it now."""

    key: str
    question: str
    reason: str
    times: int
    last_asked_at: str
    closed_at: str | None


class QuestionGroupOut(QuestionsShape):
    """Wordings that ask for the same, the most frequent first, which names the group."""

    question: str
    times: int
    last_asked_at: str
    state: Literal["open", "owned", "closed"]
    owner: str | None
    questions: list[AskedQuestionOut]


class QuestionGroupsOut(QuestionsShape):
    """The most frequent first. `is_grouped` is false when the embedder is away: then each wording stands alone."""

    since: str
    is_grouped: bool
    groups: list[QuestionGroupOut]


class OwnerIn(QuestionsShape):
    """Body of PUT /admin/questions/owner: who answers for these questions; null: nobody."""

    keys: list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(min_length=1, max_length=200)
    owner: Title | None


class PricesShape(QuestionsShape):
    """Prices in one currency, power in watts; see assistant/release/cost.py for the formula."""

    currency: PlainLine = Field(min_length=1, max_length=8)
    cloud_prompt_per_million: float = Field(ge=0, le=1e9, allow_inf_nan=False)
    cloud_answer_per_million: float = Field(ge=0, le=1e9, allow_inf_nan=False)
    busy_watts: float = Field(ge=0, le=1e6, allow_inf_nan=False)
    idle_watts: float = Field(ge=0, le=1e6, allow_inf_nan=False)
    electricity_per_kwh: float = Field(ge=0, le=1e6, allow_inf_nan=False)
    hardware_price: float = Field(ge=0, le=1e12, allow_inf_nan=False)
    hardware_years: float = Field(gt=0, le=50, allow_inf_nan=False)


class CostOut(QuestionsShape):
    """Money of the days looked at. `saving` is a share of the cloud's price, negative where that is cheaper."""

    cloud: float
    electricity: float
    hardware: float
    own: float
    saving: float | None
    even_tokens_per_day: float | None


class TimesOut(QuestionsShape):
    """Seconds of one day: the middle one and the one that 19 of 20 do not exceed; null where none was kept."""

    day: str
    questions: int
    first_token_p50: float | None
    first_token_p95: float | None
    wait_p50: float | None
    wait_p95: float | None


class NamedCountOut(QuestionsShape):
    """How often: a folder was cited, a person asked."""

    name: str
    count: int


class UseOut(QuestionsShape):
    """What was used since a day: tokens, times, folders cited most, people.

    `people` is empty unless ASSISTANT_AUDIT__QUESTIONS is `text`: then the house has decided that it may be seen who asks.
    """

    since: str
    askers: int
    prompt_tokens: int
    answer_tokens: int
    busy_seconds: float
    times: list[TimesOut]
    folders: list[NamedCountOut]
    people: list[NamedCountOut]
    prices: PricesShape | None
    cost: CostOut | None
