"""Receipts with real parts: every file of a folder is searchable with a proof, or says why not, in three places."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingest.receipt import CSV_COLUMNS
from tests.journeys.deployment import PROXY_SECRET, ROOT, Deployment

pytestmark = pytest.mark.slow

COPIES = 12


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("receipts")
    made = Deployment(folder, folder / "documents")
    (made.documents / "copies").mkdir(parents=True)
    for source in sorted((ROOT / "examples/情報システム").glob("*.md")):
        (made.documents / source.name).write_bytes(source.read_bytes())
    for number in range(COPIES):
        (made.documents / f"copies/{number:02}.txt").write_text("1 2 3 the of and\n", encoding="utf-8")
    (made.documents / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    with made.up("chroma,api"):
        assert made.run("ingest", "run").returncode == 1  # for broken.pdf
        yield made


def test_the_table_shows_for_every_file_what_found_it_again_or_why_it_is_not_searchable(
    deployment: Deployment,
) -> None:
    done = deployment.run("ingest", "receipts", "--csv")
    assert done.stdout.startswith("\ufeff" + ",".join(CSV_COLUMNS))
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff")))}
    assert len(rows) == len([path for path in deployment.documents.rglob("*") if path.is_file()])
    guide = rows["VPN接続手順.md"]
    assert (guide["status"], guide["language"], guide["encoding"]) == ("indexed", "ja", "utf-8")
    assert {guide["rank_1"], guide["rank_2"]} <= set("12345")
    assert guide["probe_1"] != guide["probe_2"]
    assert (rows["broken.pdf"]["status"], rows["broken.pdf"]["reason"]) == ("failed", "corrupt")
    lost = [row for row in rows.values() if row["status"] == "warn"]
    assert {row["reason"] for row in lost} == {"not_found_again"}
    assert {row["path"].split("/")[0] for row in lost} == {"copies"}
    assert all(row["found_instead"].startswith("copies/") for row in lost)


def test_the_status_lists_every_document_that_is_not_found_again(deployment: Deployment) -> None:
    warnings = deployment.status()["warnings"]
    receipts = json.loads(deployment.run("ingest", "receipts", "--json", "--folder", "documents").stdout)
    assert {entry["path"] for entry in warnings} == {r["path"] for r in receipts if r["status"] == "warn"}
    assert len(warnings) >= COPIES - 5


def test_one_receipt_is_read_through_the_api_with_its_questions(deployment: Deployment) -> None:
    headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET}
    with httpx.Client(base_url=deployment.api_url, headers=headers, trust_env=False) as client:
        (found,) = client.get("/documents", params={"query": "VPN接続手順"}).json()["documents"]
        receipt = client.get(f"/documents/{found['document_id']}/receipt").json()
    assert [probe["rank"] for probe in receipt["probes"]] == [1, 1]
    assert (receipt["warnings"], receipt["rejected"]["pieces"]) == ([], 0)
    assert receipt["encoding_decided_by"] == "valid_utf_8"


def test_doctor_says_what_was_measured_of_the_embedder(deployment: Deployment, tmp_path: Path) -> None:
    for subject in ("旅費", "休暇", "防災", "購買", "輸送", "教育", "監査", "契約"):
        text = f"# {subject}規程\n\n{subject}申請書は{subject}台帳に記入する。\n\n{subject}担当者が所属長の承認を確かめる。\n"
        (deployment.documents / f"{subject}.md").write_text(text, encoding="utf-8")
    deployment.run("ingest", "run")
    states = json.loads(deployment.run("assistant", "doctor", "--json").stdout)
    (fitness,) = [state for state in states if state["name"] == "embedder_fitness"]
    assert fitness["state"] == "ok"
    assert "ja " in fitness["seen"]
    assert deployment.status()["fitness"]["ja"]["probes"] >= 20
