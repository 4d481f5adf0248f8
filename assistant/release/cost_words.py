"""What answers cost here and in a cloud, in words: lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.errors import Language, Text
from assistant.release.cost import Cost, Prices, Used


def cost_lines(used: Used, prices: Prices, cost: Cost, language: Language) -> Iterator[str]:
    """Tokens, both sums, and from how many tokens a day on the own machine is cheaper."""
    yield Text(
        ja=f"{used.days:g} 日: プロンプト {used.prompt_tokens:,} トークン(モデルが数えた値)、"
        f"回答 約 {used.answer_tokens:,} トークン(文字からの見積もり)、{used.busy_seconds / 3600:.1f} 時間",
        en=f"{used.days:g} days: {used.prompt_tokens:,} tokens of prompts (counted by the model), about {used.answer_tokens:,} of "
        f"answers (estimated from their characters), {used.busy_seconds / 3600:.1f} hours",
    ).in_language(language)
    money = prices.currency
    yield Text(
        ja=f"この製品: {cost.own:,.0f} {money}(電気 {cost.electricity:,.0f}、機械 {cost.hardware:,.0f})",
        en=f"here: {cost.own:,.0f} {money} (electricity {cost.electricity:,.0f}, hardware {cost.hardware:,.0f})",
    ).in_language(language)
    yield Text(
        ja=f"クラウドの API: {cost.cloud:,.0f} {money}", en=f"a cloud's API: {cost.cloud:,.0f} {money}"
    ).in_language(language)
    if cost.saving is not None:
        yield _saving(cost.saving, language)
    if cost.even_tokens_per_day is not None:
        yield Text(
            ja=f"1 日 {cost.even_tokens_per_day:,.0f} トークンから、この製品のほうが安くなります。",
            en=f"From {cost.even_tokens_per_day:,.0f} tokens a day on it is cheaper here.",
        ).in_language(language)
    yield Text(
        ja="人手、部屋、冷房は含みません。クラウドに社内文書を送れるかどうかも、値段とは別の話です。",
        en="Work, room and cooling are not in it; nor is the question whether documents may leave the company.",
    ).in_language(language)


def _saving(saving: float, language: Language) -> str:
    if saving >= 0:
        return Text(ja=f"→ クラウドより {saving:.0%} 安い", en=f"→ {saving:.0%} cheaper than the cloud").in_language(
            language
        )
    return Text(
        ja=f"→ クラウドの {1 - saving:.1f} 倍かかっている", en=f"→ {1 - saving:.1f} times what the cloud costs"
    ).in_language(language)
