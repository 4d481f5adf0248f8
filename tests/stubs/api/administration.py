"""What the stub API tells administrators: folders, runs, what went wrong, open questions, use and cost,
releases; one of each kind."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from assistant import wire, wire_admin, wire_library, wire_questions, wire_releases
from tests.stubs.api import capacity, system

ADMINISTRATOR = "千恵"
"""The name that the stub lets administer and bring files."""
AT = "2026-04-01T00:00:00.000+00:00"
DAYS = ("2026-04-02", "2026-04-01", "2026-03-31")


def job(identifier: str, state: str, **counts: int) -> wire.JobOut:
    """A run of the only folder."""
    return wire.JobOut(
        job_id=identifier,
        kind="run",
        folder="/documents/examples",
        state=state,
        requested_by="schedule",
        created_at=AT,
        started_at=AT,
        finished_at=None if state == "running" else AT,
        counts=counts,
        error="Chroma が応答しません。\nChroma does not answer." if state == "failed" else None,
    )


JOBS = wire.JobsOut(
    jobs=[
        job("job-3", "running", done=3, total=12),
        job("job-2", "failed", add=1, failed=1),
        job("job-1", "done", add=12, change=2, delete=1, failed=1),
    ]
)
FOLDERS = wire_admin.FoldersOut(
    folders=[
        wire_admin.FolderOut(
            folder="examples",
            root="/documents/examples",
            documents={"indexed": 12, "warn": 1, "failed": 1},
            last_job=job("job-1", "done", deletions_waiting=4),
        )
    ]
)


def troubled(code: str, path: str, detail: str) -> wire_admin.TroubledOut:
    """Two files of a reason, of which one may be named."""
    file = wire_admin.OutcomeFileOut(document_id="doc-3", folder="examples", path=path, detail=detail, attempts=2)
    return wire_admin.TroubledOut(code=code, count=2, files=[file])


INGESTION = wire_admin.IngestionOut(
    failures=[troubled("encrypted", "設備/図面.pdf", "パスワードを外して保存し直してください。")],
    warnings=[troubled("low_ocr_confidence", "総務/控え.pdf", "読み取りの確かさが低いページがあります。")],
    pages_by_tenth=[0, 0, 1, 0, 0, 0, 2, 5, 20, 80],
    worst_pages=[wire_admin.ScannedPageOut(document_id="doc-3", path="総務/控え.pdf", page=2, confidence=24.5)],
    embedder="all-minilm-l6-v2",
    fitness=[wire_admin.FitnessOut(language="en", share=0.95), wire_admin.FitnessOut(language="ja", share=0.55)],
)


def asked(number: int, question: str, closed_at: str | None = None) -> wire_questions.AskedQuestionOut:
    """One wording of an open question."""
    return wire_questions.AskedQuestionOut(
        key=f"{number:064x}",
        question=question,
        reason="not_in_documents",
        times=3,
        last_asked_at=AT,
        closed_at=closed_at,
    )


QUESTIONS = wire_questions.QuestionGroupsOut(
    since=DAYS[-1],
    is_grouped=False,
    groups=[
        wire_questions.QuestionGroupOut(
            question="社宅の申し込み方は?",
            times=6,
            last_asked_at=AT,
            state="owned",
            owner="総務部 佐藤",
            questions=[asked(1, "社宅の申し込み方は?"), asked(2, "社宅に入るには?")],
        ),
        wire_questions.QuestionGroupOut(
            question="Who repairs the printer?",
            times=3,
            last_asked_at=AT,
            state="closed",
            owner=None,
            questions=[asked(3, "Who repairs the printer?", closed_at=AT)],
        ),
    ],
)
USAGE = wire_admin.UsageOut(
    since=DAYS[-1],
    questions=90,
    refused=9,
    quotes=3,
    up=12,
    down=2,
    days=[
        wire_admin.DayOut(day=day, questions=30, refused=3, quotes=1, askers=8, up=4, down=1, mean_seconds=2.1)
        for day in DAYS
    ],
)
USE = wire_questions.UseOut(
    since=DAYS[-1],
    askers=11,
    prompt_tokens=180_000,
    answer_tokens=22_000,
    busy_seconds=5400,
    times=[
        wire_questions.TimesOut(
            day=day, questions=30, first_token_p50=0.6, first_token_p95=1.9, wait_p50=0.0, wait_p95=0.8
        )
        for day in DAYS
    ],
    folders=[wire_questions.NamedCountOut(name="人事/", count=70)],
    people=[wire_questions.NamedCountOut(name="愛子", count=40)],
    prices=wire_questions.PricesShape(
        currency="JPY",
        cloud_prompt_per_million=375,
        cloud_answer_per_million=1500,
        busy_watts=400,
        idle_watts=60,
        electricity_per_kwh=31,
        hardware_price=800_000,
        hardware_years=4,
    ),
    cost=wire_questions.CostOut(
        cloud=100.5, electricity=19.8, hardware=1643.8, own=1663.6, saving=-15.55, even_tokens_per_day=1_120_000
    ),
)
STANDING = wire_releases.StandingOut(
    revision=4,
    release_id="release-2",
    former_id="release-1",
    canary_id="release-3",
    canary_percent=10,
    canary_since=AT,
)
EVENT = wire_releases.ReleaseEventOut(
    at=AT, actor="千恵", act="publish", release_id="release-2", former_id="release-1", why="短く答える", details={}
)
WORK = wire_releases.ReleaseWorkOut(
    what="publish",
    release_id="release-2",
    by="千恵",
    state="failed",
    step="probes",
    message="試験に落ちました。",
    hint="SYSTEM を見直してください。",
)
EVALUATION = {
    "sums": {"questions": 1, "citations_gained": 1, "citations_lost": 0, "now_refuses": 0, "now_answers": 1},
    "questions": [
        {
            "question": "休暇の申請は?",
            "published": {"answer": "わかりません。"},
            "draft": {"answer": "3営業日前です [1]。"},
            "gained": ["人事/休暇規程.docx"],
            "lost": [],
            "flipped": None,
        }
    ],
}
RELEASE = wire_releases.ReleaseDetailOut(
    release_id="release-3",
    state="canary",
    why="長い文書",
    based_on="release-2",
    created_at=AT,
    created_by="千恵",
    model="company-assistant:release-3",
    base_model="qwen2.5",
    num_ctx=8192,
    temperature=0.1,
    top_k=20,
    passages=6,
    meaning=1.0,
    words=1.0,
    asks_first=False,
    refuses_from_ja=0.5,
    refuses_from_en=0.5,
    system="",
    is_evaluated=True,
    modelfile="FROM qwen2.5\nPARAMETER num_ctx 8192",
    differences={"num_ctx": [4096, 8192], "SYSTEM": ["-短く。", "+正確に。"]},
    evaluation=EVALUATION,
    events=[EVENT],
)
RELEASES = wire_releases.ReleasesOut(
    standing=STANDING,
    releases=[
        wire_releases.ReleaseOut(
            **RELEASE.model_dump(exclude={"modelfile", "differences", "evaluation", "events"}),
        )
    ],
    events=[EVENT],
    work=WORK,
)
CANARY = wire_releases.CanaryOut(
    standing=STANDING,
    uses=[
        wire_releases.ReleaseUseOut(
            release_id=name, answers=40, refused=4, quotes=1, citations=70, up=5, down=1, mean_seconds=2.2
        )
        for name in ("release-2", "release-3")
    ],
    work=WORK,
)
UPLOADS = wire_library.UploadsOut(
    uploads=[
        wire_library.UploadOut(
            name=name,
            path=f"inbox/{name}",
            size_bytes=20_480,
            uploaded_at=AT,
            state=state,
            reason=None,
            detail=None,
            document_id=None,
        )
        for name, state in (("旅費規程.docx", "waiting"), ("出張手当.xlsx", "indexed"))
    ],
    limit_bytes=50 << 20,
    job=wire_library.InboxJobOut(state="running", share=0.4),
)
ANSWERS = {
    "/admin/folders": FOLDERS,
    "/admin/ingestion": INGESTION,
    "/admin/questions": QUESTIONS,
    "/admin/usage": USAGE,
    "/admin/use": USE,
    "/admin/releases": RELEASES,
    "/admin/releases/release-3": RELEASE,
    "/admin/releases/canary": CANARY,
    "/jobs": JOBS,
    **system.ANSWERS,
    **capacity.ANSWERS,
}


async def told(request: Request) -> JSONResponse:
    """The answer to one of the addresses above."""
    return JSONResponse(ANSWERS[request.url.path].model_dump())


ROUTES = [Route(path, told) for path in ANSWERS]
