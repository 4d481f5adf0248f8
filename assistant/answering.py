"""The answer under construction: packed, written by the model token by token, checked, or replaced by quotes.

A prompt that the model's server counts higher than we did is refused by it, never cut; it is then packed once more into
half the space before that is an error.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import takewhile

from assistant.answerable import SAID_NOT, doubt_of
from assistant.asked import unnamed
from assistant.cite import CitedText, citing
from assistant.courtesy import INVITATION, asks
from assistant.domain import (
    Answer,
    AnswerMode,
    ContextUse,
    ModelEnd,
    ModelToken,
    Notice,
    Passage,
    Question,
    RefusalReason,
    SearchResult,
    Timings,
    Token,
)
from assistant.errors import AnswerAborted, AssistantError, ContextOverflow, Language, NotFound, StoreUnavailable, Text
from assistant.fold import put_together
from assistant.guard import unsourced
from assistant.links import LinkFilter, links_removed, without_markup
from assistant.marks import BRACKETED
from assistant.pack import REFUSAL, Packed, pack
from assistant.ports import AskLedger, ChatModel
from assistant.quotes import quote
from assistant.refusal import refuses, verdict
from assistant.rewrite import TOLD_EXCHANGES, Rewriting, Talk, with_text
from assistant.spoken import Spoken
from assistant.text import is_readable, japanese_share


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How an answer is written: the space for its prompt, its longest, whether the model is asked first if it can, and the
    doubt, 0 to 1, from which it is not asked further, by the question's language."""

    budget_tokens: int
    num_predict: int
    asks_first: bool = False
    refuses_from: Mapping[Language, float] = field(default_factory=lambda: {"ja": 0.5, "en": 0.5})


class Draft:
    """Collects one question's course; owned by one `ask()`."""

    def __init__(self, question: Question, release_id: str, *, started: float) -> None:
        self.question = question
        self.release_id = release_id
        self.conversation_id = question.conversation_id or "c_" + uuid.uuid4().hex
        self.talk = Talk()
        self.rewriting: Rewriting | None = None
        self.links_removed = 0
        self.doubt: float | None = None
        self.is_unsaid = False
        self.passages: tuple[Passage, ...] = ()
        self.offered: tuple[Passage, ...] = ()
        self.notices: list[Notice] = []
        self.context = ContextUse(num_ctx=0, prompt_tokens=0, counted_by="none", passages_used=0, passages_dropped=0)
        self.model_name = ""
        self.text = ""
        self.queue_seconds = 0.0
        self._found: tuple[Passage, ...] = ()
        self._started = started
        self._retrieve_seconds = 0.0
        self._first_token_seconds: float | None = None

    @property
    def asked(self) -> list[str]:
        """The person's own words: this question, then those before."""
        return [self.question.text, *(exchange.asked for exchange in self.talk.exchanges)]

    @property
    def standing(self) -> Question:
        """The question that is searched and answered: rewritten where it leaned on the conversation."""
        return with_text(self.question, self.rewriting)

    def rewritten(self, rewriting: Rewriting) -> None:
        """Notes how the question was understood."""
        self.rewriting = rewriting
        self.notices.extend(rewriting.notices)

    def found(self, found: SearchResult) -> None:
        """Notes the passages."""
        self.passages = self.offered = self._found = found.passages
        self.notices.extend(found.notices)
        self._retrieve_seconds = found.retrieve_seconds

    def packed(self, packed: Packed, model: ChatModel) -> None:
        """Notes which passages the model gets, and forgets what an earlier try wrote.

        Passages that are only there because the last prompt began with them follow those that were found.
        """
        self.text = ""
        self.offered = packed.passages
        found = {passage.chunk_id for passage in self._found}
        others = [passage for passage in packed.passages if passage.chunk_id not in found]
        ranked = [replace(passage, rank=rank, score=0.0) for rank, passage in enumerate(others, start=len(found) + 1)]
        self.passages = (*self._found, *ranked)
        self.model_name = model.name
        self.context = ContextUse(
            num_ctx=model.num_ctx,
            prompt_tokens=packed.tokens,
            counted_by=packed.counted_by,
            passages_used=len(packed.passages),
            passages_dropped=packed.dropped,
        )

    def wrote(self, text: str) -> None:
        """Notes a piece of the model's text."""
        if text and self._first_token_seconds is None:
            self._first_token_seconds = time.perf_counter() - self._started
        self.text += text

    def ended(self, end: ModelEnd) -> None:
        """Notes the model's own counts, and whether it was stopped at its token limit."""
        if end.prompt_tokens is not None:
            self.context = replace(self.context, prompt_tokens=end.prompt_tokens, counted_by="model")
            if end.prompt_tokens >= self.context.num_ctx:
                self.notices.append(_MAY_BE_CUT)
        self.context = replace(self.context, answer_tokens=end.answer_tokens or 0)
        if end.truncated:
            self.notices.append(_CUT_OFF)

    def timings(self) -> Timings:
        """Seconds so far."""
        return Timings(
            queue_seconds=self.queue_seconds,
            retrieve_seconds=self._retrieve_seconds,
            first_token_seconds=self._first_token_seconds,
            total_seconds=time.perf_counter() - self._started,
        )


async def generate(draft: Draft, model: ChatModel, writing: Writing) -> AsyncGenerator[Token, None]:
    """Tokens of the answer; none when the model is asked first and doubts too much that the passages say it. Closing it
    frees the model at once.

    Raises ContextOverflow, ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted.
    """
    question, found = draft.standing, draft.passages
    language, sent = question.language, draft.talk.sent
    for limit_tokens, is_last in ((writing.budget_tokens, False), (writing.budget_tokens // 2, True)):
        packed = await pack(question.text, found, model, language=language, limit_tokens=limit_tokens, sent=sent)
        draft.packed(packed, model)
        if writing.asks_first:
            draft.doubt = await doubt_of(question.text, packed.passages, model, language=language)
            draft.is_unsaid = draft.doubt is not None and draft.doubt >= writing.refuses_from[language]
            if draft.is_unsaid:
                return
        spoken, links = Spoken(), LinkFilter(question=question.text, language=language, passages=packed.passages)
        try:
            async with aclosing(model.stream(packed.prompt, num_predict=writing.num_predict)) as pieces:
                async for piece in pieces:
                    said = spoken.add(piece.text) if isinstance(piece, ModelToken) else spoken.rest()
                    if spoken.is_taken_back:
                        draft.text = ""
                        links = LinkFilter(question=question.text, language=language, passages=packed.passages)
                    text = links.add(said) + (links.rest() if isinstance(piece, ModelEnd) else "")
                    draft.wrote(text)
                    if text:
                        yield Token(text)
                    if isinstance(piece, ModelEnd):
                        draft.ended(piece)
            draft.links_removed = links.removed
            return
        except ContextOverflow:
            if is_last:
                raise


async def finish(draft: Draft) -> Answer:
    """The generated answer with checked citations and figures, or a refusal when the model found nothing in them.

    Other people's answers go on between its steps.

    Raises AnswerAborted when the model wrote nothing but marks.
    """
    if draft.is_unsaid:
        draft.notices.append(SAID_NOT)
        return refusal(draft, RefusalReason.NOT_IN_DOCUMENTS)
    if not is_readable(BRACKETED.sub("", draft.text)):
        raise _empty_answer()
    if refuses(draft.text):
        return refusal(draft, RefusalReason.NOT_IN_DOCUMENTS)
    cited = await _cited(draft.text, draft.offered)
    judged = verdict(cited)
    draft.notices.extend(judged.notices)
    if judged.is_refusal:
        return refusal(draft, RefusalReason.NOT_IN_DOCUMENTS)
    used = {citation.chunk_id for citation in cited.citations}
    sources = [passage for passage in draft.offered if passage.chunk_id in used]
    asked, own = draft.standing.text, draft.question.text
    names = unnamed(asked, cited.text, own=own, cited=sources, offered=draft.offered)
    draft.notices.extend(names.notices)
    if names.is_other:
        return refusal(draft, RefusalReason.NOT_IN_DOCUMENTS)
    draft.notices.extend(cited.notices)
    if draft.links_removed:
        draft.notices.append(links_removed(draft.links_removed))
    draft.notices.extend(unsourced(cited.text, draft.offered, asked=draft.asked))
    if _is_other_language(cited.text, draft.question.language):
        draft.notices.append(_OTHER_LANGUAGE)
    answer = _answer(draft, text=cited.text, mode=AnswerMode.GENERATED)
    passages = tuple(replace(p, used=p.chunk_id in used) for p in draft.passages)
    return replace(answer, citations=cited.citations, passages=passages)


def nothing_found(draft: Draft) -> Answer:
    """A refusal without passages; what asks nothing (an emoji, thanks) gets an invitation to ask."""
    if asks(draft.question.text):
        return refusal(draft, RefusalReason.NOTHING_FOUND)
    answer = refusal(draft, RefusalReason.UNREADABLE_QUESTION)
    return replace(answer, text=INVITATION[answer.language])


async def told_of_reading(answer: Answer, ledger: AskLedger) -> Answer:
    """The answer; a refusal says so where files are being read just now, for one of them may hold what was asked.

    Raises StoreUnavailable.
    """
    may_come = answer.refused and answer.reason != RefusalReason.UNREADABLE_QUESTION.value
    if not may_come or not await asyncio.to_thread(ledger.is_reading_files):
        return answer
    return replace(answer, notices=(*answer.notices, _BEING_READ))


async def _cited(text: str, offered: Sequence[Passage]) -> CitedText:
    steps = citing(text, offered)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            cited: CitedText = ended.value
            return cited
        await asyncio.sleep(0)


def refusal(draft: Draft, reason: RefusalReason) -> Answer:
    """An answer that says that there is none, with the nearest passages still attached."""
    answer = _answer(draft, text=REFUSAL[draft.question.language], mode=AnswerMode.GENERATED)
    return replace(answer, refused=True, reason=reason.value)


def safely_quoted(draft: Draft, error: AssistantError | None) -> Answer:
    """Literal sentences of the passages; `error` says why the model did not answer, None that there is no model."""
    if error is not None:
        draft.notices.append(
            Notice(
                code=error.code,
                message_ja=f"{error.describe('ja')} 代わりに文書の文をそのまま示します。",
                message_en=f"{error.describe('en')} Sentences of the documents are shown instead.",
            )
        )
    of_the_text = (_CUT_OFF, _MAY_BE_CUT)  # which is not shown
    draft.notices = [notice for notice in draft.notices if notice not in of_the_text]
    draft.offered = ()
    offered = draft.passages
    cited = quote(draft.standing.text, offered)
    draft.context = replace(
        draft.context, prompt_tokens=0, counted_by="none", passages_used=len(cited.citations), passages_dropped=0
    )
    answer = _answer(draft, text=without_markup(cited.text), mode=AnswerMode.QUOTES)
    used = {citation.chunk_id for citation in cited.citations}
    return replace(
        answer,
        reason="model_unavailable" if error is not None else None,
        citations=cited.citations,
        passages=tuple(replace(p, used=p.chunk_id in used) for p in offered),
    )


async def talk_of(question: Question, ledger: AskLedger) -> Talk:
    """The conversation so far, read with the asker's rights; empty for a new one.

    Raises NotFound: another's conversation looks as if there were none.
    """
    conversation_id = question.conversation_id
    if conversation_id is None:
        return Talk(question.earlier)
    if not await asyncio.to_thread(ledger.owns_conversation, conversation_id, principal=question.principal):
        raise NotFound(
            Text(ja="その会話は見つかりません。", en="There is no such conversation."),
            Text(ja="conversation_id を省くと新しい会話になります。", en="Leave conversation_id out for a new one."),
        )
    return await asyncio.to_thread(_told, question, conversation_id, ledger)


def _told(question: Question, conversation_id: str, ledger: AskLedger) -> Talk:
    told = ledger.exchanges(conversation_id, principal=question.principal, limit=TOLD_EXCHANGES + 1)
    # A question that is asked once more after it was broken off does not lean on itself.
    exchanges = [one for one in told if one.answer or one.asked != question.text][-TOLD_EXCHANGES:]
    if not exchanges or exchanges[-1].language != question.language:
        return Talk(tuple(exchanges))
    wanted = exchanges[-1].offered  # each a chunk, with the neighbours joined to it after blanks
    chunks = [(chunk_id, 0.0) for each in wanted for chunk_id in each.split()]
    read = ledger.read_passages(chunks, principal=question.principal, filters=question.filters, limit=len(chunks))
    readable = {passage.chunk_id: passage for passage in read}
    # The model server's memory of the last prompt is good up to the first passage that changed or may not be read.
    still = takewhile(lambda each: readable.keys() >= set(each.split()), wanted)
    return Talk(
        tuple(exchanges), tuple(put_together(*(readable[chunk_id] for chunk_id in each.split())) for each in still)
    )


async def saved(answer: Answer, question: Question, ledger: AskLedger) -> Answer:
    """The answer, stored; one that cannot be stored is still given, and says so."""
    try:
        await asyncio.to_thread(ledger.save_answer, answer, question=question.text, principal=question.principal)
    except StoreUnavailable as error:
        notice = Notice(
            code="answer_not_saved",
            message_ja=f"この回答は履歴に保存できませんでした。{error.describe('ja')}",
            message_en=f"This answer could not be saved to the history. {error.describe('en')}",
        )
        return replace(answer, notices=(*answer.notices, notice))
    return answer


def _answer(draft: Draft, *, text: str, mode: AnswerMode) -> Answer:
    return Answer(
        text=text,
        refused=False,
        reason=None,
        mode=mode,
        language=draft.question.language,
        citations=(),
        passages=draft.passages,
        context=draft.context,
        notices=tuple(draft.notices),
        release_id=draft.release_id,
        model=draft.model_name or "quotes",
        answer_id="a_" + uuid.uuid4().hex,
        conversation_id=draft.conversation_id,
        request_id=draft.question.request_id,
        timings=draft.timings(),
        rewritten=draft.rewriting.text if draft.rewriting is not None else None,
        doubt=draft.doubt,
        offered=tuple(" ".join((one.chunk_id, *one.joined)) for one in draft.offered) if draft.model_name else (),
    )


def _is_other_language(text: str, language: Language) -> bool:
    """Whether an answer of some length is plainly not in `language`; names and quotations of the other one are usual."""
    letters = sum(character.isalpha() for character in text)
    share = japanese_share(text)
    return letters >= _TELLING_LETTERS and (share < 0.1 if language == "ja" else share > 0.5)


def _empty_answer() -> AnswerAborted:
    return AnswerAborted(
        Text(ja="モデルが文章を返しませんでした。", en="The model returned no sentence."),
        Text(ja="質問を言い換えて、もう一度お試しください。", en="Ask again in other words."),
    )


_TELLING_LETTERS = 20
_BEING_READ = Notice(
    code="documents_being_read",
    message_ja="いま文書を取り込んでいます。終わってからもう一度質問すると、見つかるかもしれません。",
    message_en="Documents are being read just now. Ask again once that is done; it may then be found.",
)
_CUT_OFF = Notice(
    code="answer_cut_off",
    message_ja="回答が長さの上限に達したため途中で終わっています。",
    message_en="The answer reached its length limit and ends early.",
)
_MAY_BE_CUT = Notice(
    code="prompt_may_be_cut",
    message_ja="モデルの窓がいっぱいでした。抜粋の一部が読まれていないかもしれません。原文を確かめてください。",
    message_en="The model's window was full. It may not have read all passages. Check the originals.",
)
_OTHER_LANGUAGE = Notice(
    code="answer_in_other_language",
    message_ja="質問とは別の言語で回答されています。",
    message_en="The answer is not in the question's language.",
)
