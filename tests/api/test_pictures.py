"""GET /documents/{id}/pages/{page}: the page as a picture, with the quotation's place marked, for readers alone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api import drawing
from api.drawing import Drawing
from api.page_picture import MARK, lines_of
from assistant.adapters.ledger import Ledger
from tests.api.canned import RULE, RunningServer, write_document
from tests.ingest.pdf_writing import write_pdf

LINE = 12.0
HALF = len(RULE) // 2


@pytest.fixture
def rules_id(ledger: Ledger, tmp_path: Path) -> str:
    """A PDF of two pages, whose second holds the rule in two lines."""
    second = [(72, 100, LINE, RULE[:HALF]), (72, 120, LINE, RULE[HALF:]), (72, 200, LINE, "別の文")]
    data = write_pdf(tmp_path / "rules.pdf", [[(72, 100, LINE, "表紙")], second]).read_bytes()
    root = tmp_path / "handbook"
    return write_document(ledger, root, "規程.pdf", data=data, media_type="application/pdf", encoding=None)


def marked(png: bytes) -> int:
    """Pixels in the pen's colour or near it."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    far = np.abs(np.asarray(picture, dtype=int) - np.array(MARK)).sum(axis=2)
    return int((far < 30).sum())


def test_the_quotation_is_marked_on_its_page_and_nothing_else_is(server: RunningServer, rules_id: str) -> None:
    with server.client() as client:
        with_quote = client.get(f"/documents/{rules_id}/pages/2", params={"start": 0, "end": len(RULE)})
        assert with_quote.headers["content-type"] == "image/png"
        assert with_quote.headers["x-marked-lines"] == "2"
        assert marked(with_quote.content) > 1000
        assert 0.1 < float(with_quote.headers["x-mark-top"]) < 0.14, "100 points down a page of 842"
        plain = client.get(f"/documents/{rules_id}/pages/2")
        assert plain.headers["x-marked-lines"] == "0"
        assert "x-mark-top" not in plain.headers
        assert marked(plain.content) == 0
        elsewhere = client.get(f"/documents/{rules_id}/pages/1", params={"start": 0, "end": len(RULE)})
        assert elsewhere.headers["x-marked-lines"] == "0"


def test_what_is_no_page_and_whose_document_may_not_be_read_looks_the_same(
    server: RunningServer, ledger: Ledger, rules_id: str, tmp_path: Path
) -> None:
    root = tmp_path / "handbook"
    text_id = write_document(ledger, root, "a.txt", data=b"x", media_type="text/plain", encoding="utf-8")
    broken_id = write_document(ledger, root, "b.pdf", data=b"%PDF-1.7 x", media_type="application/pdf", encoding=None)
    with server.client() as client:
        for address in (f"{rules_id}/pages/9", f"{text_id}/pages/1", f"{broken_id}/pages/1", "d_none/pages/1"):
            assert client.get(f"/documents/{address}").status_code == 404
        assert client.get(f"/documents/{rules_id}/pages/0").status_code == 422
    ledger.set_document_groups(rules_id, ["board"])
    with server.client(user="dan") as dan:
        assert dan.get(f"/documents/{rules_id}/pages/2").status_code == 404


def test_forms_of_letters_and_line_ends_do_not_hide_a_quotation_and_its_beginning_is_enough() -> None:
    letters = [
        (letter, (number * 10.0, 0.0, number * 10.0 + 9, 10.0)) for number, letter in enumerate("ア 1234567890B")
    ]
    assert lines_of(letters, "ｱ\n１２３４５６７８９０Ｂ") == [(0.0, 0.0, 129.0, 10.0)]
    assert lines_of(letters, "1234567890B次のページに続く") == [(20.0, 0.0, 129.0, 10.0)]
    assert lines_of(letters, "123と違う") == []


def test_the_oldest_pictures_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "REMEMBERED_BYTES", 25)
    kept = Drawing()
    for page in (1, 2, 3):
        kept._keep(("v", page, ""), drawing.Picture(b"x" * 10, 0))
    assert [key[1] for key in kept.kept] == [2, 3]
    assert kept.kept_bytes == 20
