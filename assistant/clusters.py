"""Questions that ask for the same thing, put together by the embedder. Pure: vectors in, groups out, always the same.

Each question joins the group whose first question it is nearest to, if it is near enough, else it begins one; the most
frequent questions come first, so that a group is named by what people ask most. Questions that name other figures or
models (MX-5000, MX-2040B) are never put together, however alike they sound.

How near is near enough differs by model: two unrelated questions have a cosine of .79 in multilingual-e5-small and of
.3 in others. So it is measured on `UNRELATED` first: threshold = base + SHARE x (1 - base). On 39 questions of 14 meanings
in both languages with e5 the best threshold was .88 (pairs: precision .89, recall .92; docs/lab-notes.md, 2026-11-27).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

SHARE = 0.43
UNRELATED = (
    "有給休暇はいつまでに申請しますか?",
    "プリンターで印刷できません",
    "Who is the head of the sales department?",
    "消火器の点検は誰がしますか",
    "How do I connect to the VPN?",
    "食堂の営業時間を教えてください",
    "退職金はどのように計算されますか",
    "What is the warranty of this machine?",
)
"""Questions of which no two ask for the same thing."""
_FIGURE = re.compile(r"(?<![a-z0-9-])[a-z-]*+\d[a-z0-9-]*")


def near_enough(unrelated: Sequence[Sequence[float]]) -> float:
    """The cosine from which on two questions of this embedder ask for the same, from its vectors of `UNRELATED`."""
    vectors = _normal(unrelated)
    cosines = vectors @ vectors.T
    base = float(np.mean(cosines[np.triu_indices(len(vectors), k=1)]))
    return base + SHARE * (1.0 - base)


def clusters_of(texts: Sequence[str], vectors: Sequence[Sequence[float]], *, threshold: float) -> list[list[int]]:
    """Groups of places in `texts`, each led by its first; the texts come in the order of their weight."""
    if not texts:
        return []
    cosines = _normal(vectors) @ _normal(vectors).T
    figures = [figures_of(text) for text in texts]
    groups: list[list[int]] = []
    for place in range(len(texts)):
        near = [
            (float(cosines[place, group[0]]), -number)
            for number, group in enumerate(groups)
            if figures[group[0]] == figures[place]
        ]
        best, number = max(near, default=(-1.0, 0))
        if best >= threshold:
            groups[-number].append(place)
        else:
            groups.append([place])
    return groups


def figures_of(text: str) -> frozenset[str]:
    """The numbers and names with numbers that a text holds, in one spelling."""
    return frozenset(_FIGURE.findall(unicodedata.normalize("NFKC", text).lower()))


def _normal(vectors: Sequence[Sequence[float]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    made = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    return made / np.where(lengths > 0, lengths, 1.0)
