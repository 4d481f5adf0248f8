"""A receipt in sentences: whether the document can be searched, what was read, what was left out, whether it is found.

Pure: a receipt as the API gives it goes in, sentences come out, the most important first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assistant.errors import FailureReason, Language
from ui.formats import number
from ui.words import documents as listing
from ui.words import receipts, say

_BY_PAGE = "ocr_confidence_by_page"


def sentences(receipt: Mapping[str, Any], language: Language) -> list[str]:
    """What ingestion did, for people who know nothing of ingestion."""
    return list(_sentences(receipt, language))


def _sentences(receipt: Mapping[str, Any], language: Language) -> Iterator[str]:
    status = str(receipt.get("status"))
    yield {
        "indexed": say(receipts.SEARCHABLE, language),
        "warn": say(receipts.SEARCHABLE, language),
        "pending": say(receipts.PENDING, language),
        "skipped": say(receipts.LEFT_OUT, language),
    }.get(status, say(receipts.NOT_SEARCHABLE, language))
    if status not in {"indexed", "warn"}:
        yield from _why_not(receipt, language)
        return
    yield from _what_was_read(receipt, language)
    yield from _what_was_left_out(receipt, language)
    yield from _whether_found(receipt, language)
    for code in receipt.get("warnings") or ():
        yield say(receipts.WARNINGS[code], language) if code in receipts.WARNINGS else str(code)


def _why_not(receipt: Mapping[str, Any], language: Language) -> Iterator[str]:
    detail = str(receipt.get("detail") or "").splitlines()
    reason = str(receipt.get("reason") or "")
    if detail:
        yield detail[0] if language == "ja" else detail[-1]
    elif reason in set(FailureReason):
        yield say(listing.FAILURES[FailureReason(reason)], language)


def _what_was_read(receipt: Mapping[str, Any], language: Language) -> Iterator[str]:
    characters, pages = receipt.get("characters"), receipt.get("pages")
    if characters is not None and pages:
        yield say(receipts.READ_PAGES, language, pages=number(pages), characters=number(characters))
    elif characters is not None:
        yield say(receipts.READ, language, characters=number(characters))
    spoken = receipts.LANGUAGES.get(str(receipt.get("language")))
    if receipt.get("chunks") and spoken is not None:
        yield say(receipts.CUT, language, chunks=number(receipt["chunks"]), spoken=say(spoken, language))
    by_page = receipt.get(_BY_PAGE) or ()
    if by_page:
        mean = round(sum(page["confidence"] for page in by_page) / len(by_page))
        worst = min(by_page, key=lambda page: page["confidence"])
        yield say(receipts.RECOGNISED, language, pages=len(by_page), confidence=mean)
        if len(by_page) > 1:
            yield say(receipts.WORST_PAGE, language, page=worst["page"], confidence=round(worst["confidence"]))


def _what_was_left_out(receipt: Mapping[str, Any], language: Language) -> Iterator[str]:
    unread = (receipt.get("notes") or {}).get("unread_pages")
    if unread:
        yield say(receipts.UNREAD, language, pages=unread)
    hidden = receipt.get("hidden_parts")
    if hidden:
        words = receipts.HIDDEN_READ if receipt.get("hidden_parts_read") else receipts.HIDDEN_OUT
        yield say(words, language, count=hidden)
    rejected = (receipt.get("rejected") or {}).get("pieces")
    if rejected:
        yield say(receipts.REJECTED, language, count=rejected)


def _whether_found(receipt: Mapping[str, Any], language: Language) -> Iterator[str]:
    probes = receipt.get("probes") or ()
    lost = [probe for probe in probes if not probe.get("rank")]
    if probes and not lost:
        yield say(receipts.PROBES_FOUND, language, count=len(probes))
    elif lost:
        yield say(receipts.PROBES_LOST, language, count=len(probes), lost=len(lost))
    instead = list(dict.fromkeys(path for probe in lost for path in probe.get("instead") or ()))
    if instead:
        yield say(receipts.INSTEAD, language, paths=", ".join(instead[:5]))
