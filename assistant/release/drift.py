"""Whether somebody changed a release's model behind the ledger's back: digests then and now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.domain import DependencyState
from assistant.releases import Release, full_name


def drift(release: Release | None, digests: Mapping[str, str], *, alias: str) -> DependencyState:
    """`release`: ok, or warn with the command that mends it.

    `release` is the published one, None before the first; `digests` are those of /api/tags by full name; `alias` is the
    model's usual name (ASSISTANT_CHAT_MODEL).
    """
    if release is None or release.model is None:
        return DependencyState("release", "ok", "none published yet: modelfiles/ answers", "", "")
    mend = f"assistant release publish {release.release_id}"
    ja = f"`{mend}` が元のとおりに作り直し、確かめます。変更を残すなら modelfiles/ に書いて `assistant release draft` へ。"
    en = f"`{mend}` makes it again as it was, and checks it. To keep the change, write it to modelfiles/ and draft it."
    seen = digests.get(full_name(release.model))
    if seen is None:
        return DependencyState("release", "warn", f"{release.model} is gone from the model server", ja, en)
    if seen != release.digest:
        words = f"{release.model} is not what was published: {seen[:12]} instead of {(release.digest or '')[:12]}"
        return DependencyState("release", "warn", words, ja, en)
    other = digests.get(full_name(alias))
    if other is not None and other != release.digest:
        words = f"{release.release_id} answers, but {alias} on the model server is another model ({other[:12]})"
        return DependencyState("release", "warn", words, ja, en)
    return DependencyState("release", "ok", f"{release.release_id} as {release.model}", "", "")
