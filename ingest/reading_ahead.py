"""Keeps the embedder busy: the next source files are read, and the last ones written, while it works.

    items -> read(item) on a thread of its own ..... at most `chunk_limit` chunks ahead .....> taken in order
                                                       steps given to one_behind ..... one at a time, in order .....> done

What goes wrong on a thread is raised where its result would have been taken. Must not know what reading or writing is.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")

HANDED_OUT = 512
"""Items given to the thread at once; each costs about a kilobyte, and a folder may have 100,000."""


class _Ahead(Generic[Item, Read]):
    """How far the thread may go, and how far it is."""

    def __init__(
        self,
        read: Callable[[Item], Read],
        weight: Callable[[Read], int],
        limit: int,
        should_stop: Callable[[], bool],
    ) -> None:
        self._read, self._weight, self._limit, self._should_stop = read, weight, limit, should_stop
        self._room = threading.Condition()
        self._ahead = 0
        self._is_closed = False

    def step(self, item: Item) -> Read | None:
        """Reads one item as soon as there is room; None when no more is wanted."""
        with self._room:
            self._room.wait_for(lambda: self._ahead < self._limit or self._is_closed)
        if self._is_closed or self._should_stop():
            return None
        read = self._read(item)
        with self._room:
            self._ahead += self._weight(read)
        return read

    def taken(self, read: Read) -> None:
        """Makes room."""
        with self._room:
            self._ahead -= self._weight(read)
            self._room.notify_all()

    def close(self) -> None:
        """Lets a waiting thread go without reading."""
        with self._room:
            self._is_closed = True
            self._room.notify_all()


@contextmanager
def reading_ahead(
    items: Sequence[Item],
    read: Callable[[Item], Read],
    *,
    weight: Callable[[Read], int],
    chunk_limit: int,
    should_stop: Callable[[], bool],
) -> Iterator[Iterator[tuple[Item, Read]]]:
    """(item, what was read of it) in order, ending early when `should_stop()`; the item under way is always finished.

    `weight` is how many chunks an item gave.
    """
    ahead = _Ahead(read, weight, chunk_limit, should_stop)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading") as thread:
        try:
            yield _in_order(items, ahead, thread)
        finally:
            ahead.close()
            thread.shutdown(wait=True, cancel_futures=True)


def _in_order(
    items: Sequence[Item], ahead: _Ahead[Item, Read], thread: ThreadPoolExecutor
) -> Iterator[tuple[Item, Read]]:
    waiting = iter(items)
    handed_out: deque[tuple[Item, Future[Read | None]]] = deque()
    while True:
        while len(handed_out) < HANDED_OUT and (item := next(waiting, None)) is not None:
            handed_out.append((item, thread.submit(ahead.step, item)))
        if not handed_out:
            return
        item, future = handed_out.popleft()
        read = future.result()
        del future
        if read is None:
            return
        ahead.taken(read)
        yield item, read


@contextmanager
def one_behind(name: str) -> Iterator[Callable[[Callable[[], None]], None]]:
    """A function that does a step on a thread named `name`, after the one before it; the block ends with the last step.

    It and the end of the block raise what the step before raised.
    """
    under_way: deque[Future[None]] = deque()

    def do(step: Callable[[], None]) -> None:
        if under_way:
            under_way.popleft().result()
        under_way.append(thread.submit(step))

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=name) as thread:
        yield do
        if under_way:
            under_way.popleft().result()
