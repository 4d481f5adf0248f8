"""The screen's client against a real HTTP server."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from assistant.client import parse_events
from assistant.wire import AnswerOut, CitedOut, FoundOut, QueuedOut, TokenOut
from tests.stubs.api.content import LEAVE_QUOTE
from tests.stubs.api.process import free_port, seen_by
from ui.client import ApiClient, Heartbeat, ProblemError


def wait_for_end(api_url: str, question: str) -> dict[str, object]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for seen in seen_by(api_url):
            if seen["body"].get("question") == question and seen["ended"]:
                return dict(seen)
        time.sleep(0.05)
    raise AssertionError(f"the API still answers {question!r}")


def test_a_question_yields_passages_then_tokens_then_citations_then_the_answer(client: ApiClient) -> None:
    events = list(client.ask_stream("有給休暇はいつまでに申請しますか?"))
    kinds = [type(event) for event in events if not isinstance(event, Heartbeat)]
    assert kinds[0] is FoundOut
    assert kinds[1] is TokenOut
    assert kinds[-2:] == [CitedOut, AnswerOut]
    answer = events[-1]
    assert isinstance(answer, AnswerOut)
    assert "".join(event.text for event in events if isinstance(event, TokenOut)) == answer.answer
    assert answer.citations[0].quote == LEAVE_QUOTE


def test_silence_is_filled_with_heartbeats_and_unknown_events_are_left_out(client: ApiClient) -> None:
    events = list(client.ask_stream("休暇の順番 [queue]"))
    assert [event.position for event in events if isinstance(event, QueuedOut)] == [3, 2]
    assert sum(isinstance(event, Heartbeat) for event in events) >= 5


def test_the_api_learns_who_asks_in_which_language_and_in_which_conversation(client: ApiClient, api_url: str) -> None:
    list(client.ask_stream("続きの質問 [quotes]", conversation_id="conversation-7"))
    seen = wait_for_end(api_url, "続きの質問 [quotes]")
    assert (seen["user"], seen["secret"], seen["language"]) == ("愛子", "the secret", "ja")
    assert isinstance(seen["body"], dict)
    assert seen["body"]["conversation_id"] == "conversation-7"


def test_closing_the_stream_hangs_up_at_once(client: ApiClient, api_url: str) -> None:
    with closing(client.ask_stream("途中でやめる [slow]")) as events:
        for event in events:
            if isinstance(event, TokenOut):
                break
    left_at = time.time()
    seen = wait_for_end(api_url, "途中でやめる [slow]")
    assert seen["ended"] == "hung up"
    assert isinstance(seen["hung_up_at"], float)
    assert seen["hung_up_at"] - left_at < 1.0


def test_an_error_event_ends_the_stream_as_the_problem_it_carries(client: ApiClient) -> None:
    events = client.ask_stream("休暇 [failure]")
    assert isinstance(next(events), FoundOut)
    assert isinstance(next(events), TokenOut)
    with pytest.raises(ProblemError) as caught:
        list(events)
    assert caught.value.problem.code == "answer_aborted"
    assert caught.value.problem.hint == "もう一度質問してください。"
    assert len(caught.value.problem.request_id) == 32


def test_an_error_status_is_the_problem_of_its_body_with_the_time_to_wait(client: ApiClient) -> None:
    with pytest.raises(ProblemError) as caught:
        list(client.ask_stream("休暇 [full]"))
    assert caught.value.problem.status == 429
    assert caught.value.retry_after_seconds == 12


def test_a_stream_without_its_end_mark_is_a_problem_and_not_an_answer(client: ApiClient) -> None:
    with pytest.raises(ProblemError, match="回答が途中で切れました"):
        list(client.ask_stream("休暇 [cut]"))


def test_a_server_that_goes_silent_is_a_problem_after_the_limit(client: ApiClient) -> None:
    started = time.monotonic()
    with pytest.raises(ProblemError, match="サーバーから応答がありません"):
        list(client.ask_stream("休暇 [hang]"))
    assert 1.5 < time.monotonic() - started < 30


def test_a_reply_that_is_no_problem_is_described_in_our_own_words(client: ApiClient) -> None:
    with pytest.raises(ProblemError, match="サーバーの返事を読み取れません") as caught:
        list(client.ask_stream("休暇 [page]"))
    assert "502" in caught.value.problem.detail


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "ftp://127.0.0.1:{port}", "no address"])
def test_an_api_that_is_not_there_is_named_with_what_to_do(url: str) -> None:
    away = ApiClient(url.format(port=free_port()), "ben", proxy_secret="x", language="en")
    with pytest.raises(ProblemError) as caught:
        away.search("VPN")
    assert caught.value.problem.title == "The assistant's server cannot be reached"
    assert "assistant doctor" in caught.value.problem.hint


def test_search_and_documents_come_back_typed(client: ApiClient) -> None:
    assert [passage.rank for passage in client.search("休暇", limit=2).passages] == [1, 2]
    first = client.documents()
    assert [document.title for document in first.documents] == ["休暇規程", "Travel Policy"]
    assert first.next is not None
    assert [document.status for document in client.documents(cursor=first.next).documents] == ["failed"]
    assert client.document("doc-2").title == "Travel Policy"
    assert client.me().name == "愛子"


def test_a_document_that_is_not_to_be_seen_is_a_404(client: ApiClient) -> None:
    with pytest.raises(ProblemError) as caught:
        client.document("doc-99")
    assert caught.value.problem.status == 404


def test_events_are_cut_at_line_feeds_only_wherever_the_bytes_are_split() -> None:
    stream = 'id: 1\r\nevent: token\r\ndata: {"text":"あ\u2028い\x85う"}\r\n\r\n: hb\n\nevent: x\ndata: a\ndata: b\n\n'
    raw = stream.encode()
    expected = [("token", '{"text":"あ\u2028い\x85う"}'), ("", "hb"), ("x", "a\nb")]
    for size in (1, 2, 3, 7, len(raw)):
        pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
        assert list(parse_events(pieces)) == expected


def test_an_event_that_was_cut_off_is_not_handed_on() -> None:
    assert list(parse_events([b'event: finished\ndata: {"answer"'])) == []
