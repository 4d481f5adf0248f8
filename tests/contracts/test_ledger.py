"""The ledger's promises, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import update

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import MIGRATIONS, known_revisions, open_engine
from assistant.adapters.ledger.ingesting import chunk_id_of, version_id_of
from assistant.adapters.ledger.proving import Proof
from assistant.adapters.ledger.schema import metadata
from assistant.domain import (
    EVERYONE,
    Chunk,
    DocumentStatus,
    Filters,
    JobState,
    ParsedDocument,
    Principal,
    SourceFile,
)
from assistant.errors import FailureReason, NotFound, Overloaded, SettingsError, StoreUnavailable

BEN = Principal("ben")
CHIE = Principal("chie", groups=frozenset({EVERYONE, "board"}))
DAN = Principal("dan")


def store(
    ledger: Ledger, path: str, text: str, *, sha256: str = "1", document_id: str | None = None
) -> tuple[str, str]:
    """Ingests one text as one chunk; (document_id, chunk_id)."""
    folder = ledger.register_folder(Path("/handbook"))
    source = SourceFile(folder, path, len(text), 1)
    document_id, _ = ledger.begin_attempt(document_id, source, sha256=sha256)
    version_id = version_id_of(document_id, sha256, "p")
    ledger.stage_version(
        document_id,
        version_id=version_id,
        sha256=sha256,
        pipeline_id="p",
        language="ja",
        parsed=ParsedDocument("規程", text, (), "markdown", "text/markdown"),
        chunks=[Chunk(0, text, 0, len(text), 3, ("第1章",), f"規程\n{text}")],
        receipt={"parser": "markdown"},
    )
    ledger.activate_versions([(document_id, version_id, DocumentStatus.INDEXED)])
    return document_id, chunk_id_of(version_id, 0)


def texts(ledger: Ledger, *chunk_ids: str, principal: Principal = BEN, filters: Filters = Filters()) -> list[str]:
    scores = [(chunk_id, 1.0) for chunk_id in chunk_ids]
    return [p.text for p in ledger.read_passages(scores, principal=principal, filters=filters, limit=10)]


def test_the_migrations_make_exactly_the_declared_tables(ledger: Ledger) -> None:
    with ledger._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_names_of_the_migrations_files_are_the_chain_that_alembic_follows() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert known_revisions() == [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]


def test_a_ledger_that_is_up_to_date_is_opened_without_writing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.command.upgrade", lambda *_: pytest.fail("nothing is to be migrated"))
    url = ledger._engine.url.render_as_string(hide_password=False)
    with ledger._engine.begin():  # SQLite's write lock is held: whoever wanted to write would wait for it
        open_engine(url, busy_timeout_seconds=0.1).dispose()


def test_a_live_version_is_read_with_its_place(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "人事/休暇.md", "三営業日前まで")
    (passage,) = ledger.read_passages([(chunk_id, 0.5)], principal=BEN, filters=Filters(), limit=5)
    assert (passage.document_id, passage.path, passage.page) == (document_id, "人事/休暇.md", 3)
    assert (passage.heading_path, passage.rank, passage.score) == (("第1章",), 1, 0.5)


def test_a_staged_version_is_invisible(ledger: Ledger) -> None:
    document_id, old = store(ledger, "a.md", "old")
    folder = ledger.register_folder(Path("/handbook"))
    ledger.begin_attempt(document_id, SourceFile(folder, "a.md", 3, 2), sha256="2")
    version_id = version_id_of(document_id, "2", "p")
    ledger.stage_version(
        document_id, version_id=version_id, sha256="2", pipeline_id="p", language="en", receipt={},
        parsed=ParsedDocument("t", "new", (), "x", "x"), chunks=[Chunk(0, "new", 0, 3, None, (), "new")],
    )  # fmt: skip
    assert texts(ledger, old, chunk_id_of(version_id, 0)) == ["old"]


def test_a_new_version_replaces_the_old_one_in_one_write(ledger: Ledger) -> None:
    document_id, old = store(ledger, "a.md", "old")
    _, new = store(ledger, "a.md", "new", sha256="2", document_id=document_id)
    assert texts(ledger, old, new) == ["new"]
    assert list(ledger.retired_chunks().values()) == [[old]]


def test_a_deleted_document_is_gone_from_answers_at_once(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "a.md", "secret")
    ledger.delete_documents([document_id])
    assert texts(ledger, chunk_id) == []
    with pytest.raises(NotFound):
        ledger.get_document(document_id, principal=BEN)


def test_a_deleted_path_can_be_used_again(ledger: Ledger) -> None:
    first, _ = store(ledger, "a.md", "one")
    ledger.delete_documents([first])
    second, chunk_id = store(ledger, "a.md", "two", sha256="2")
    assert second != first
    assert texts(ledger, chunk_id) == ["two"]


def test_dan_may_not_see_chies_document(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "限定/報酬.md", "役員報酬")
    ledger.set_document_groups(document_id, ["board"])
    assert texts(ledger, chunk_id, principal=CHIE) == ["役員報酬"]
    assert texts(ledger, chunk_id, principal=DAN) == []
    assert ledger.list_documents(principal=DAN) == ([], None)
    for read in (ledger.get_document, ledger.receipt, ledger.document_location):
        with pytest.raises(NotFound):
            read(document_id, principal=DAN)


def test_a_document_of_no_group_is_read_by_nobody(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "a.md", "text")
    ledger.set_document_groups(document_id, [])
    assert texts(ledger, chunk_id, principal=CHIE) == []


def test_filters_narrow_by_folder_and_document(ledger: Ledger) -> None:
    first, a = store(ledger, "人事/a.md", "A")
    _, b = store(ledger, "経費/b.md", "B")
    assert texts(ledger, a, b, filters=Filters(folders=("人事/",))) == ["A"]
    assert texts(ledger, a, b, filters=Filters(folders=("人",))) == []
    assert texts(ledger, a, b, filters=Filters(document_ids=(first,))) == ["A"]


def test_a_percent_sign_in_a_folder_filter_is_only_a_sign(ledger: Ledger) -> None:
    _, a = store(ledger, "人事/a.md", "A")
    assert texts(ledger, a, filters=Filters(folders=("%",))) == []


def test_moved_documents_keep_identity_even_when_they_exchange_names(ledger: Ledger) -> None:
    first, a = store(ledger, "a.md", "A")
    second, b = store(ledger, "b.md", "B", sha256="2")
    folder = ledger.register_folder(Path("/handbook"))
    ledger.move_documents([(first, SourceFile(folder, "b.md", 1, 1)), (second, SourceFile(folder, "a.md", 1, 1))])
    assert ledger.get_document(first, principal=BEN).path == "b.md"
    assert texts(ledger, a, b) == ["A", "B"]


def test_a_purged_version_keeps_no_text(ledger: Ledger) -> None:
    document_id, _ = store(ledger, "a.md", "to be forgotten")
    ledger.delete_documents([document_id])
    ledger.purge_versions(list(ledger.retired_chunks()))
    assert ledger.retired_chunks() == {}
    assert ledger.counts_of_truth() == {"documents": 0, "searchable": 0, "chunks": 0}


def test_a_failure_is_listed_with_its_reason_and_takes_the_old_text_away(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "a.md", "old")
    ledger.record_failure(
        document_id, reason=FailureReason.ENCRYPTED, detail="暗号化\nencrypted", status=DocumentStatus.FAILED
    )
    (failure,) = ledger.failures()
    assert (failure.path, failure.reason) == ("a.md", FailureReason.ENCRYPTED)
    assert texts(ledger, chunk_id) == []
    assert ledger.count_by_status() == {"failed": 1}


def test_vectors_come_back_in_half_precision_and_unknown_ones_are_missing(ledger: Ledger) -> None:
    vector = np.array([0.6, 0.8], dtype=np.float32)
    ledger.save_vectors("e", {"h1": vector})
    ledger.save_vectors("e", {"h1": vector})
    found = ledger.read_vectors("e", ["h1", "h2"])
    assert set(found) == {"h1"}
    assert np.allclose(found["h1"], vector, atol=1e-3)
    assert ledger.read_vectors("other", ["h1"]) == {}


def test_a_job_is_claimed_once_and_ends_with_its_counts(ledger: Ledger) -> None:
    job = ledger.create_job("ingest", folder="/handbook", requested_by="chie")
    assert ledger.claim_job(worker="w1") is not None
    assert ledger.claim_job(worker="w2") is None
    ledger.finish_job(job.job_id, counts={"add": 2}, error=None)
    done = ledger.get_job(job.job_id)
    assert (done.state, done.counts) == (JobState.DONE, {"add": 2})


def test_a_key_works_until_it_is_revoked_and_is_never_stored(ledger: Ledger) -> None:
    key = ledger.create_key("wiki", groups=["board"], scopes=["ask"])
    principal = ledger.principal_for_key(key)
    assert principal is not None
    assert (principal.name, principal.groups, principal.scopes) == (
        "app:wiki", frozenset({EVERYONE, "board"}), frozenset({"ask"}),
    )  # fmt: skip
    assert key not in str(ledger.list_keys())
    assert ledger.revoke_key("wiki")
    assert ledger.principal_for_key(key) is None
    assert ledger.principal_for_key("ca_wrong") is None


def test_users_are_in_everyone_and_in_the_groups_they_were_given(ledger: Ledger) -> None:
    ledger.set_groups("chie", ["board"])
    assert ledger.groups_of("chie") == {EVERYONE, "board"}
    assert ledger.groups_of("nobody") == {EVERYONE}


def test_documents_are_paged_in_the_order_of_their_paths(ledger: Ledger) -> None:
    for name in ("c.md", "a.md", "b.md"):
        store(ledger, name, name, sha256=name)
    first, cursor = ledger.list_documents(principal=BEN, limit=2)
    rest, end = ledger.list_documents(principal=BEN, limit=2, cursor=cursor)
    assert [d.path for d in [*first, *rest]] == ["a.md", "b.md", "c.md"]
    assert end is None


def prove(ledger: Ledger, document_id: str, version_id: str, *, status: DocumentStatus, **found: object) -> None:
    """Writes one probe question and what it found."""
    probe = {"question": "規程 申請", "language": "ja", "rank": 1, **found}
    content = {"probes": [probe], "warnings": ["not_found_again"] if status is DocumentStatus.WARN else []}
    ledger.record_proofs([Proof(document_id, version_id, status, content)])


def test_a_live_version_is_unproved_until_its_proof_is_written(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "a.md", "三営業日前まで")
    (waiting,) = ledger.unproved()
    assert (waiting.document_id, waiting.title, waiting.groups) == (document_id, "規程", {EVERYONE})
    assert waiting.texts == ((("第1章",), "三営業日前まで"),)
    prove(ledger, document_id, waiting.version_id, status=DocumentStatus.WARN, rank=None, instead=["d_gone"])
    assert ledger.unproved() == []
    receipt = ledger.receipt(document_id, principal=BEN)
    assert (receipt["status"], receipt["reason"]) == ("warn", "not_found_again")
    assert receipt["probes"] == [{"question": "規程 申請", "language": "ja", "rank": None, "instead": []}]
    assert texts(ledger, chunk_id) == ["三営業日前まで"]
    assert ledger.doubt_again() == 1
    assert [version.version_id for version in ledger.unproved()] == [waiting.version_id]


def test_the_proof_of_an_old_version_does_not_change_the_document(ledger: Ledger) -> None:
    document_id, _ = store(ledger, "a.md", "old")
    (old,) = ledger.unproved()
    store(ledger, "a.md", "new", sha256="2", document_id=document_id)
    prove(ledger, document_id, old.version_id, status=DocumentStatus.WARN)
    assert ledger.get_document(document_id, principal=BEN).status is DocumentStatus.INDEXED
    assert [version.texts[0][1] for version in ledger.unproved()] == ["new"]


def test_the_words_of_a_probe_question_go_with_the_text(ledger: Ledger) -> None:
    document_id, _ = store(ledger, "a.md", "text")
    (version,) = ledger.unproved()
    prove(ledger, document_id, version.version_id, status=DocumentStatus.INDEXED)
    ledger.delete_documents([document_id])
    ledger.purge_versions([version.version_id])
    with ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT proof FROM versions").scalars().all() == [None]
    assert list(ledger.asked_probes()) == []


def test_the_fitness_of_a_generation_counts_from_twenty_probe_questions_on(ledger: Ledger) -> None:
    generation = ledger.create_generation(embedder_id="e", dimension=3)
    ledger.switch_generation(generation.generation_id)
    assert ledger.fitness(generation.generation_id) is None
    measured = {"chunks": 9, "ja": {"found": 15, "probes": 20}, "en": {"found": 1, "probes": 19}}
    ledger.save_fitness(generation.generation_id, measured)
    active = ledger.active_generation()
    assert active is not None
    assert active.fitness == {"ja": 0.75}
    assert ledger.fitness(generation.generation_id) == measured


def test_an_unusable_database_address_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="URL"):
        open_engine("not a url")


def test_a_database_that_does_not_answer_is_reported_as_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        open_engine("postgresql+psycopg://ledger@127.0.0.1:9/none?connect_timeout=2")


def test_a_ledger_in_an_unwritable_place_is_reported_as_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")


def test_one_job_runs_at_a_time_on_one_ledger(ledger: Ledger) -> None:
    first = ledger.start_job("run", folder="/handbook", worker="a:1")
    queued = ledger.create_job("run", folder="/wiki", requested_by="chie")
    for folder in ("/handbook", "/wiki"):
        with pytest.raises(Overloaded):
            ledger.start_job("run", folder=folder, worker="b:1")
    assert not ledger.has_job()
    assert ledger.claim_job(worker="b:1") is None
    ledger.finish_job(first.job_id, counts={}, error=None)
    claimed = ledger.claim_job(worker="b:1")
    assert claimed is not None
    assert claimed.job_id == queued.job_id
    assert [job.state for job in ledger.list_jobs()].count(JobState.RUNNING) == 1


def test_an_ingestion_at_work_is_known_and_a_rebuild_is_none(ledger: Ledger) -> None:
    assert not ledger.is_reading_files()
    for kind, is_reading in (("run", True), ("rebuild", False)):
        job = ledger.start_job(kind, folder="/handbook", worker="a:1")
        assert ledger.is_reading_files() is is_reading
        ledger.finish_job(job.job_id, counts={}, error=None)
        assert not ledger.is_reading_files()
    ledger.start_job("run", folder="/handbook", worker="dead:1")
    with ledger._writing() as connection:
        connection.execute(update(s.jobs).values(heartbeat_at="2020-01-01T00:00:00.000+00:00"))
    assert not ledger.is_reading_files()


def test_of_workers_that_start_at_the_same_moment_one_gets_the_place(ledger: Ledger) -> None:
    started: list[str] = []
    refused: list[str] = []
    at_once = threading.Barrier(6)

    def start(worker: str) -> None:
        at_once.wait(10)
        try:
            started.append(ledger.start_job("run", folder=f"/{worker}", worker=worker).job_id)
        except Overloaded:
            refused.append(worker)

    threads = [threading.Thread(target=start, args=(f"host:{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(started), len(refused)) == (1, 5)


def test_the_place_of_a_worker_that_is_gone_or_silent_is_given_on(ledger: Ledger) -> None:
    ledger.start_job("run", folder="/handbook", worker="here:1")
    assert ledger.abandon_jobs(is_gone=lambda worker: worker == "elsewhere:1") == 0
    assert ledger.abandon_jobs(is_gone=lambda worker: worker == "here:1") == 1
    ledger.start_job("run", folder="/handbook", worker="here:2")
    with ledger._writing() as connection:
        connection.execute(update(s.jobs).values(heartbeat_at="2020-01-01T00:00:00.000+00:00"))
    last = ledger.start_job("run", folder="/handbook", worker="there:1")
    states = {job.job_id: job.state for job in ledger.list_jobs()}
    assert states.pop(last.job_id) is JobState.RUNNING
    assert set(states.values()) == {JobState.FAILED}


def test_a_scan_gets_sizes_of_settled_documents_and_only_of_those(ledger: Ledger) -> None:
    for path in ("a.md", "b.md", "c.md"):
        store(ledger, path, "AAA", sha256=path)
    folder = ledger.register_folder(Path("/handbook"))
    assert ledger.settled_files(folder) == ("p", {"a.md": (3, 1), "b.md": (3, 1), "c.md": (3, 1)})
    odd, _ = store(ledger, "odd.md", "AAA", sha256="9")
    with ledger._writing() as connection:
        connection.execute(update(s.versions).where(s.versions.c.document_id == odd).values(pipeline_id="older"))
    failed, _ = store(ledger, "failed.md", "AAA", sha256="8")
    ledger.record_failure(failed, reason=FailureReason.CORRUPT, detail="", status=DocumentStatus.FAILED)
    ledger.begin_attempt(None, SourceFile(folder, "new.md", 3, 1), sha256="7")
    pipeline_id, files = ledger.settled_files(folder)
    assert pipeline_id == "p"
    assert {path: size for path, (size, _) in files.items() if size is None} == dict.fromkeys(
        ("odd.md", "failed.md", "new.md")
    )
    known = ledger.known_documents(folder, paths={"odd.md", "failed.md", "a.md", "nowhere.md"})
    assert {path: (document.pipeline_id, document.status) for path, document in known.items()} == {
        "a.md": ("p", "indexed"),
        "odd.md": ("older", "indexed"),
        "failed.md": (None, "failed"),
    }


def test_the_name_of_a_folder_is_told_before_it_is_given(ledger: Ledger) -> None:
    ledger.register_folder(Path("/srv/wiki"))
    assert ledger.name_of_folder(Path("/mnt/wiki")) == "wiki-2"
    assert ledger.folders() == {"wiki": Path("/srv/wiki")}
    assert ledger.register_folder(Path("/mnt/wiki")) == "wiki-2"
    assert ledger.name_of_folder(Path("/mnt/wiki")) == "wiki-2"
