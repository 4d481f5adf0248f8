"""GET and POST /jobs: ingestions asked for and running. A job is a row in the ledger; the ingest worker claims it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import StringConstraints

from api import examples, links
from api.deps import Ingester
from api.edge import Edge, edge_of
from api.ids import looked_up
from assistant import wire
from assistant.domain import Principal
from assistant.errors import FolderMissing, Text
from assistant.wire_library import JobDetailOut, PlannedFileOut, PlanOut

router = APIRouter(tags=["jobs"])

RequestKey = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
"""An Idempotency-Key: visible ASCII."""


@router.get(
    "/jobs",
    operation_id="list_jobs",
    summary="Ingestions, newest first",
    responses={200: {"content": examples.content("JOBS")}, **examples.problems(401, 403, 422, 503)},
)
async def list_jobs(
    request: Request,
    _: Ingester,
    limit: Annotated[int, Query(ge=1, le=100, description="Jobs given at most.")] = 50,
) -> wire.JobsOut:
    """The newest jobs with their counts."""
    jobs = await anyio.to_thread.run_sync(edge_of(request).assistant.ledger.list_jobs, limit)
    return wire.JobsOut(jobs=[wire.JobOut.from_domain(job) for job in jobs])


@router.post(
    "/jobs",
    operation_id="create_job",
    summary="Ask for an ingestion",
    status_code=202,
    responses={
        202: {"content": examples.content("JOB"), "links": links.JOB},
        **examples.problems(401, 403, 409, 413, 422, 503),
    },
    openapi_extra=examples.body("JOB_WANTED"),
)
async def create_job(
    body: wire.JobIn,
    request: Request,
    response: Response,
    principal: Ingester,
    *,
    idempotency_key: Annotated[
        RequestKey | None, Header(description="The same key and body within a day give the same job.")
    ] = None,
) -> wire.JobOut:
    """The queued job; the worker takes it at its next look."""
    edge = edge_of(request)
    folder = await anyio.to_thread.run_sync(_folder, edge, body.folder)
    call = partial(
        edge.assistant.ledger.create_job,
        body.kind,
        folder=str(folder),
        requested_by=principal.name,
        request_key=idempotency_key,
    )
    job = await anyio.to_thread.run_sync(call)
    response.headers["Location"] = f"/jobs/{job.job_id}"
    return wire.JobOut.from_domain(job)


@router.get(
    "/jobs/{job_id}",
    operation_id="get_job",
    summary="One ingestion",
    responses={200: {"content": examples.content("JOB_DETAIL")}, **examples.problems(401, 403, 404, 503)},
)
async def get_job(job_id: str, request: Request, principal: Ingester) -> JobDetailOut:
    """State and counts of the job; of a plan that has ended also what it found, naming files the caller may read."""
    return await anyio.to_thread.run_sync(_detail, edge_of(request), looked_up(job_id), principal)


def _detail(edge: Edge, job_id: str, principal: Principal) -> JobDetailOut:
    ledger = edge.assistant.ledger
    job, found = ledger.get_job(job_id), ledger.result_of_job(job_id)
    plan = None if found is None else PlanOut(**{**found, "files": _readable_files(found["files"], principal)})
    return JobDetailOut(**wire.JobOut.from_domain(job).model_dump(), result=plan)


def _readable_files(files: dict[str, list[dict[str, Any]]], principal: Principal) -> dict[str, list[PlannedFileOut]]:
    """The files of a plan, each kept with the groups that may read it, for one who is in one of these."""
    return {
        kind: [
            PlannedFileOut(path=file["path"], bytes=file.get("bytes"), note=file.get("note"))
            for file in found
            if principal.groups.intersection(file["groups"])
        ]
        for kind, found in files.items()
    }


def _folder(edge: Edge, name: str | None) -> Path:
    """The folder of that name. Only folders that the operator chose can be ingested from here, never any path.

    Raises FolderMissing.
    """
    documents_folder = edge.settings.documents_folder.resolve()
    inbox = edge.settings.uploads.folder
    if inbox is not None and name is not None and name.rstrip("/") == inbox.name:
        return inbox.resolve()
    if name is None or name.rstrip("/") in {documents_folder.name, str(edge.settings.documents_folder)}:
        return documents_folder
    known = edge.assistant.ledger.folders()
    if name.rstrip("/") in known:
        return known[name.rstrip("/")]
    names = ", ".join(sorted({documents_folder.name, *known}))
    raise FolderMissing(
        Text(ja=f"{name} というフォルダー(folder)は登録されていません。", en=f"The folder {name} is not known."),
        Text(
            ja=f"使える名前: {names}。増やすには ingest run --folder を使います。",
            en=f"Known names: {names}. Add one with ingest run --folder.",
        ),
    )
