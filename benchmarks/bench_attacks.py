"""Questions answered while nginx is attacked: a quiet while, then the same questions beside attackers in a process of their own.

    askers (4 at once) --> nginx --> API --> stub model at an even pace
    attackers ---------^   150 senders that never finish; 50 MB bodies, 10,000 headers, HTTP/1.0, smuggled requests, tricks
                           with paths, one after the other without a pause

Goals: every question is answered, no attack is, and the p95 of the answers is at most 1.5 times that of the quiet while.
Prints one JSON line. QUESTIONS= changes the number.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

from benchmarks.loaded_deployment import Asked, asked, basic, loaded_deployment

QUESTIONS = int(os.environ.get("QUESTIONS", "120"))
AT_ONCE = 4
SLOW_SENDERS = 150
SLOW_SECONDS = 10.0
"""Then others take their place: nginx lets a sender go after 15 seconds."""
GOAL_RATIO = 1.5
USER = "aiko"
SMUGGLED = b"GET /api/smuggled HTTP/1.1\r\nHost: h\r\nX-Forwarded-User: chie\r\n\r\n"
PATHS = (
    b"/documents/../../../../etc/passwd",
    b"/documents/..%2f..%2f..%2fetc%2fpasswd/file",
    b"/documents/%2e%2e/%2e%2e/etc/passwd",
    b"/static/..%2f..%2f..%2fetc%2fpasswd",
    b"/api/documents/..%c0%af..%c0%afetc%c0%afpasswd/file",
)


def attacks() -> dict[str, list[bytes]]:
    """What is sent, by its name."""
    who = b"Authorization: " + basic(USER)["Authorization"].encode()

    def request(first: bytes, *lines: bytes, body: bytes = b"") -> bytes:
        return b"\r\n".join([first, b"Host: h", who, b"Connection: close", *lines, b"", body])

    post = b"POST /api/ask HTTP/1.1"
    double = [b"Content-Length: 4", b"Transfer-Encoding: chunked"]
    return {
        "bodies_of_50_mb": [request(post, b"Content-Length: 52428800", body=b"x" * 65536)],
        "ten_thousand_headers": [request(b"GET /api/me HTTP/1.1", *[b"X-%d: x" % number for number in range(10_000)])],
        "http_1_0": [request(b"GET /api/me HTTP/1.0")],
        "smuggled": [
            request(post, *double, body=b"0\r\n\r\n" + SMUGGLED),
            request(post, b"Content-Length: 4", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED),
            request(post, b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
        ],
        "paths": [request(b"GET " + path + b" HTTP/1.1") for path in PATHS],
    }


@contextlib.contextmanager
def slow_senders(address: tuple[str, int]) -> Iterator[None]:
    """Connections that send the beginning of a request and no more, as long as the block lasts."""
    with contextlib.ExitStack() as opened:
        for _ in range(SLOW_SENDERS):
            connection = opened.enter_context(socket.create_connection(address, timeout=30))
            connection.sendall(b"GET /api/slow HTTP/1.1\r\nHost: h\r\nX-Slow: ")
        yield


def status(address: tuple[str, int], data: bytes) -> int:
    """The status of the answer; 0 for a connection that was closed without one."""
    answer = b""
    with socket.create_connection(address, timeout=60) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(data)
        while b"\r\n" not in answer and (piece := connection.recv(65536)):
            answer += piece
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def attack(url: str) -> None:
    """Attacks until its standard input is closed, then prints how often each attack was refused and how often answered."""
    host, port = url.removeprefix("http://").split(":")
    address = (host, int(port))
    refused: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    os.set_blocking(sys.stdin.fileno(), False)
    turns = itertools.cycle([(name, data) for name, each in attacks().items() for data in each])
    is_over = False
    while not is_over:
        with slow_senders(address):
            print("attacking", flush=True)
            until = time.monotonic() + SLOW_SECONDS
            while not is_over and time.monotonic() < until:
                name, data = next(turns)
                (answered if 200 <= status(address, data) < 300 else refused)[name] += 1
                is_over = sys.stdin.buffer.read(1) == b""
    print(json.dumps({"refused": refused, "answered": answered}))


@contextlib.contextmanager
def attacked(url: str) -> Iterator[dict[str, dict[str, int]]]:
    """Attackers at work; filled with their counts at the end."""
    counts: dict[str, dict[str, int]] = {}
    command = [sys.executable, __file__, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "attacking\n"
        yield counts
        process.stdin.close()
        counts.update(json.loads(process.stdout.read().splitlines()[-1]))


async def questions(url: str) -> list[Asked]:
    """All questions, so many at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> Asked:
        async with places:
            return await asked(url, basic(USER))

    return await asyncio.gather(*[one() for _ in range(QUESTIONS)])


def p95(answers: list[Asked]) -> float:
    """Seconds from the question to the end of the answer."""
    return statistics.quantiles([answer.ended_at - answer.asked_at for answer in answers], n=20)[-1]


def main() -> None:
    """Asks in quiet, asks under attack, and prints the line."""
    settings = {"MODEL_PARALLEL": "4", "QUEUE__USER_RUNNING": "4", "DOOR__QUESTIONS_PER_MINUTE": "0"}
    with loaded_deployment(
        users=[USER], settings=settings, tokens_per_second=60.0, prefill_seconds=0.2, parallel=4
    ) as here:
        asyncio.run(asked(here.url, basic(USER)))
        quiet = asyncio.run(questions(here.url))
        started = time.monotonic()
        with attacked(here.url) as counts:
            under = asyncio.run(questions(here.url))
        seconds = time.monotonic() - started
    ratio = p95(under) / p95(quiet)
    lost = sum(answer.end != "finished" for answer in [*quiet, *under])
    answered = sum(counts["answered"].values())
    print(
        json.dumps(
            {
                "benchmark": "attacks",
                "questions": QUESTIONS,
                "lost": lost,
                "attack_seconds": round(seconds, 1),
                "slow_senders": SLOW_SENDERS,
                "refused": counts["refused"],
                "answered_attacks": answered,
                "quiet_p95_seconds": round(p95(quiet), 2),
                "attacked_p95_seconds": round(p95(under), 2),
                "ratio": round(ratio, 2),
                "goal_ratio": GOAL_RATIO,
                "meets_goal": not lost and not answered and ratio <= GOAL_RATIO,
            }
        )
    )


if __name__ == "__main__":
    attack(sys.argv[1]) if len(sys.argv) > 1 else main()
