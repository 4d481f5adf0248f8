"""The invented documents, answers and problems of the stub API."""

from __future__ import annotations

import re

from assistant.wire import (
    AnswerOut,
    AskIn,
    CitationOut,
    ContextOut,
    DocumentOut,
    NoticeOut,
    PassageOut,
    Problem,
    TimingsOut,
    document_url,
)

LEAVE = (
    "第5条(年次有給休暇の申請)\n"
    "社員は、年次有給休暇を取得するときは、取得日の3営業日前までに勤怠システムから申請する。\n"
    "ただし、病気その他やむを得ない事由があるときは、事後速やかに申請することができる。"
)
LEAVE_QUOTE = "取得日の3営業日前までに勤怠システムから申請する"
HALF_DAY = "第6条(半日休暇)\n半日単位の休暇は、1年に10回まで取得できる。前日までに上長へ連絡する。"
TRAVEL = "Hotel costs on a business trip are refunded up to 12,000 yen a night. <b>Keep</b> every receipt. [8] \\\\server\\forms"
TRAVEL_QUOTE = "refunded up to 12,000 yen a night"
# Fifteen ways in which a text can make a browser call an address, each with its own.
CHANNELS = (
    "![a](http://evil.invalid/1.png)",
    "![b][r]\n\n[r]: http://evil.invalid/2.png",
    '<img src="http://evil.invalid/3.png">',
    "<script src='http://evil.invalid/4.js'></script><script>fetch('http://evil.invalid/4')</script>",
    "<iframe src='http://evil.invalid/5'></iframe>",
    "<svg onload=\"new Image().src='http://evil.invalid/6'\"></svg>",
    "<style>@import url('http://evil.invalid/7.css');</style>",
    "<p style=\"background:url('http://evil.invalid/8.png')\">x</p>",
    "<link rel=stylesheet href='http://evil.invalid/9.css'><link rel=prefetch href='http://evil.invalid/9'>",
    "<video src='http://evil.invalid/10.mp4' autoplay></video><audio src='http://evil.invalid/10.mp3' autoplay></audio>",
    "<object data='http://evil.invalid/11'></object><embed src='http://evil.invalid/11'>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid/12'>",
    "<form action='http://evil.invalid/13'><input autofocus onfocus='this.form.submit()'></form>",
    "[ここ](http://evil.invalid/14) <http://evil.invalid/14> http://evil.invalid/14 :material/home: :red[赤] $x^2$",
    '"><img src=x onerror="location=\'http://evil.invalid/15\'">',
)
INVITATION = "申請は勤怠システムから行います [1]。\n\n" + "\n\n".join(CHANNELS)


def passage(rank: int, title: str, path: str, text: str, *, page: int | None, headings: list[str]) -> PassageOut:
    """A passage of a document whose id comes from its path."""
    identifier = f"doc-{rank}"
    return PassageOut(
        rank=rank,
        chunk_id=f"chunk-{rank}",
        document_id=identifier,
        version_id=f"version-{rank}",
        title=title,
        path=path,
        page=page,
        heading_path=headings,
        text=text,
        start=1200 * rank,
        end=1200 * rank + len(text),
        score=0.03 / rank,
        used=rank < 3,
        url=document_url(identifier, page=page),
    )


PASSAGES = [
    passage(1, "休暇規程", "人事/休暇規程.docx", LEAVE, page=3, headings=["第2章 休暇", "第5条"]),
    passage(2, "Travel Policy", "finance/travel-policy.md", TRAVEL, page=None, headings=["Costs", "Hotels"]),
    passage(3, "休暇規程", "人事/休暇規程.docx", HALF_DAY, page=4, headings=["第2章 休暇", "第6条"]),
]


def citation(number: int, found: PassageOut, quote: str, *, is_current: bool = True) -> CitationOut:
    """A citation of `quote` at its place in `found`."""
    start = found.start + found.text.index(quote)
    return CitationOut(
        number=number,
        quote=quote,
        start=start,
        end=start + len(quote),
        is_current=is_current,
        **found.model_dump(include={"chunk_id", "document_id", "version_id", "title", "path", "page"}),
        heading_path=found.heading_path,
        url=found.url,
    )


def answer_for(asked: AskIn, request_id: str) -> AnswerOut:
    """What the stub answers to a question."""
    question = asked.question
    is_japanese = re.search("[ぁ-んァ-ヶ一-龠]", question) is not None
    given = AnswerOut(
        answer="年次有給休暇は、**取得日の3営業日前まで**に勤怠システムから申請します [1]。\n\n- 病気のときは事後に申請できます [1]。",
        refused=False,
        reason=None,
        mode="generated",
        language="ja" if is_japanese else "en",
        citations=[citation(1, PASSAGES[0], LEAVE_QUOTE)],
        passages=PASSAGES,
        context=ContextOut(num_ctx=8192, prompt_tokens=910, counted_by="model", passages_used=2, passages_dropped=0),
        warnings=[],
        notices=[],
        release_id="release-1",
        model="company-assistant",
        answer_id="answer-1",
        conversation_id="conversation-1",
        request_id=request_id,
        timings=TimingsOut(queue_seconds=0, retrieve_seconds=0.02, first_token_seconds=0.6, total_seconds=2.1),
    )
    if not is_japanese:
        given.answer = "Hotel costs are refunded up to 12,000 yen a night [1], and up to 15,000 yen abroad."
        start = given.answer.index("15,000")
        given.citations = [citation(1, PASSAGES[1], TRAVEL_QUOTE, is_current=False)]
        given.warnings = ["number_not_in_sources"]
        given.notices = [
            NoticeOut(
                code="number_not_in_sources",
                message="The number 15,000 is not in the sources. Check it before you rely on it.",
                start=start,
                end=start + len("15,000"),
            )
        ]
        given.context.passages_dropped = 2
    return _played(given, question)


def _played(given: AnswerOut, question: str) -> AnswerOut:
    if "[nothing]" in question:
        given.answer, given.reason = "お探しの内容は、読むことのできる文書の中に見つかりませんでした。", "nothing_found"
        given.refused, given.citations, given.passages = True, [], []
    if "[unanswered]" in question:
        given.answer, given.reason = "近い文書はありますが、この質問の答えは書かれていません。", "not_in_documents"
        given.refused, given.citations = True, []
    if "[quotes]" in question:
        given.answer, given.mode, given.reason = f"{LEAVE_QUOTE} [1]", "quotes", "model_unavailable"
    if "[invite]" in question:
        given.answer = INVITATION
        given.notices = [NoticeOut(code="sentence_without_source", message=INVITATION, start=0, end=9)]
        evil = PASSAGES[1].model_copy(
            update={"text": INVITATION, "title": INVITATION, "path": INVITATION, "heading_path": [INVITATION]}
        )
        given.passages = [PASSAGES[0], evil]
    return given


def pieces(text: str) -> list[str]:
    """The answer in the small pieces in which a model writes."""
    return re.findall(r"(?s).{1,4}", text)


def problem(code: str, request_id: str) -> Problem:
    """A problem as the API words it."""
    status, title, detail, hint, is_retryable = PROBLEMS[code]
    return Problem(
        type=f"/problems/{code}",
        title=title,
        status=status,
        detail=detail,
        hint=hint,
        code=code,
        request_id=request_id,
        retryable=is_retryable,
    )


PROBLEMS: dict[str, tuple[int, str, str, str, bool]] = {
    "overloaded": (429, "混み合っています", "順番待ちがいっぱいです。", "少したってから質問してください。", True),
    "question_too_long": (422, "質問が長すぎます", "質問は4000文字までです。", "短くしてください。", False),
    "answer_aborted": (503, "回答が途切れました", "モデルが途中で止まりました。", "もう一度質問してください。", True),
    "store_unavailable": (
        503,
        "文書の保管庫が応答しません",
        "Chroma が応答しません。",
        "`assistant doctor` を実行してください。",
        True,
    ),
    "not_found": (404, "見つかりません", "その文書はありません。", "一覧から選び直してください。", False),
}


def document(number: int, title: str, path: str, *, status: str = "indexed", reason: str | None = None) -> DocumentOut:
    """A listed document."""
    return DocumentOut(
        document_id=f"doc-{number}",
        title=title,
        path=path,
        folder="examples",
        status=status,
        reason=reason,
        media_type="text/plain",
        size_bytes=2048,
        modified="2026-04-01T09:30:00+09:00",
        version_id=f"version-{number}",
        chunk_count=4,
        pages=None,
        language="ja",
    )


DOCUMENTS = [
    document(1, "休暇規程", "人事/休暇規程.docx"),
    document(2, "Travel Policy", "finance/travel-policy.md"),
    document(3, "古い図面", "設備/図面.pdf", status="failed", reason="encrypted"),
]
