"""GET /documents/{id}/pages/{page}: a page of a PDF as a picture, with the place of a quotation marked."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response

from api import examples
from api.deps import Reader
from api.edge import edge_of
from api.ids import looked_up
from api.routes.documents import audited
from assistant.errors import NotFound, Text

router = APIRouter(tags=["documents"])

PDF = "application/pdf"
QUOTE_CHARACTERS = 4000
HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-cache"}


@router.get(
    "/documents/{document_id}/pages/{page}",
    operation_id="get_page",
    summary="A page as a picture, with a quotation marked",
    response_class=Response,
    responses={
        200: {
            "content": examples.PICTURE,
            "description": "The page as PNG; `X-Marked-Lines` counts the lines that are marked, `X-Mark-Top` is how far down "
            "the page the highest of them is, 0 to 1.",
        },
        **examples.problems(401, 403, 404, 422, 503),
    },
)
async def get_page(
    document_id: str,
    page: Annotated[int, Path(ge=1, le=100_000, description="Counted from 1.")],
    request: Request,
    principal: Reader,
    *,
    start: Annotated[int, Query(ge=0, le=1_000_000_000, description="A citation's `start`.")] = 0,
    end: Annotated[int, Query(ge=0, le=1_000_000_000, description="Its `end`.")] = 0,
) -> Response:
    """Of PDFs alone. `start:end` are characters of the document's text, as in citations; without them nothing is marked."""
    edge = edge_of(request)
    ledger, known_as = edge.assistant.ledger, looked_up(document_id)
    document = await anyio.to_thread.run_sync(partial(ledger.get_document, known_as, principal=principal))
    if document.media_type != PDF or document.version_id is None:
        raise _no_picture()
    quote = ""
    if start < end:
        limit = min(end - start, QUOTE_CHARACTERS)
        read = partial(ledger.document_text, known_as, principal=principal, start=start, limit=limit)
        quote = (await anyio.to_thread.run_sync(read)).text
    location = await anyio.to_thread.run_sync(partial(ledger.document_location, known_as, principal=principal))
    await audited(request, document_id, principal=principal)
    picture = await edge.drawing.picture(location, version_id=document.version_id, page=page, quote=quote)
    if picture is None:
        raise _no_picture()
    said = {"X-Marked-Lines": str(picture.marks)} | ({"X-Mark-Top": f"{picture.top:.3f}"} if picture.marks else {})
    return Response(picture.png, media_type="image/png", headers=HEADERS | said)


def _no_picture() -> NotFound:
    return NotFound(
        Text(ja="このページの画像はありません。", en="There is no picture of this page."),
        Text(
            ja="画像にできるのは PDF のページだけです。原本を開いてください。",
            en="Only pages of PDFs can be pictures. Open the original.",
        ),
    )
