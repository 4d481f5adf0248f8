"""The words of a question that tell something, in one spelling, and what kind of thing they tell. Pure.

「取り消しはできますか?」 ─▶ 取消    "Who's responsible?" ─▶ responsible    「5日以上は?」 ─▶ a figure

Most words of a follow-up say something only of another thing (例外, 承認, deadline, contractors, 2026年度); the others name a topic.
Must not know conversations or models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.errors import Language
from assistant.text import normalise

_CONTENT: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(r"[a-z](?=[一-龠ァ-ヶ])[一-龠ァ-ヶー]{1,4}|[ァ-ヶー]{2,}|[一-龠々]+|[a-z0-9][a-z0-9._-]*"),
    "en": re.compile(r"[^\W_][\w'-]*(?:\.\w+)*"),
}
_ASKING_JA = frozenset(
    "いつ 何 何日 何日前 何時 何人 何回 いくら どこ 誰 だれ なぜ 理由 どう 場合 時 方法 具体的 詳 教 下 願 また 他 前".split()  # noqa: SIM905
)
_SMALL_EN = frozenset(
    """what when where which who whom whose how why is are was were be been do does did can could may must should will would i we you
    he she they them him her it its his their our a an the of in on at to for from by with and or but so then there have has had my me us
    your own if not no yes about any some much many long often early far need get am same case please tell more explain details detail
    further show give example examples summarize summary thanks thank ok okay that this these those than over under up within least most
    less exactly too also well let know want like mean really just still very great perfect good nice fine cool hello hi continue go on as
    into since until during without while because unless per via between among here exact""".split()  # noqa: SIM905
)

_INFLECTED_JA = re.compile(r"(?<![一-龠])([一-龠])[いえきぎけげしせちてびべみめりれわ](?=[一-龠])")
_NEGATED_EN = re.compile(r"\b(ca|wo)n't\b|n't\b")
_CONTRACTED_IS_EN = re.compile(r"\b(what|who|where|when|how|why|that|it|there)'s\b|\b(what|where|who|how)s\b")
_CONTRACTED_EN = re.compile(r"(?<=[a-z])'(?:s|re|ll|ve|d|m)\b")
_ENDING_EN = re.compile(
    r"(?<=[\w-]{3})(?:ations?|y?ings?|ments?|ions?|(?<=[vws])als?|ied|ies|ed|es|e|y|s)$|(?<=-\w{3})ers?$"
)


def one_of(words: str) -> str:
    """A pattern of any of the words, which stand between blanks."""
    return f"(?:{'|'.join(words.split())})"


_COUNTER_JA = one_of(
    "年度 年目 年 か月 ヶ月 カ月 月 週間? 営業日 日 時間 時 分 秒 回 人 名 万 千 百 億 円 歳 才 条 項 号 章 節 級 等 親等 子 社 個 件 枚 部 階 台 泊 "
    "度 点 割 四半期 番 位 倍 目 前 後 間 末 以上 以下 以内 以降 以前 以後 未満 %"
)
_COUNTED_EN = one_of(
    "level step section article chapter phase stage grade part page clause paragraph item point option"
)
_UNIT_EN = one_of("years? months? weeks? days? hours? minutes? times people persons? percent yen dollars? euros? km")
_FIGURE: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(
        rf"{one_of('勤続 入社 満 夜 朝 約 最大 最低 午前 午後')}?第?(?<![a-z0-9._-])[0-9][0-9.,]*+(?![a-z_-]){_COUNTER_JA}{{0,4}}"
    ),
    "en": re.compile(
        rf"(?:\b{_COUNTED_EN}s? )?(?<![\w.-])[0-9][0-9.,]*+(?![\w-])%?(?: (?:business |working )?{_UNIT_EN}\b)?"
        rf"|\b(?:first|second|third|last|next) {_COUNTED_EN}\b"
    ),
}
"""A figure with what it counts: 第20条, 勤続3年, 5営業日以上, step 2, 10 days; E-17 and MX-5000 are none."""
_FIGURE_MARK = "0"

_OF_ANOTHER_JA = re.compile(
    one_of(
        "例外 特例 上限 下限 限度 限界 期限 期日 期間 有効 締切 条件 要件 基準 対象 範囲 罰則 ペナルティ 注意 費用 料金 手数料 金額 単価 負担 回数 日数 人数 "
        "件数 割合 頻度 単位 変更 取消 キャンセル 延長 短縮 繰越 中止 途中 訂正 修正 更新 取得 決定 必要 不要 書類 用紙 様式 書式 フォーム 書方 使方 窓口 担当 "
        "部署 責任 不在 手順 手続 申請 申込 届出 提出 問合 承認 許可 却下 差戻 通知 適用 該当 除外 可能 可否 制限 制約 根拠 出典 条文 原文 リンク ページ url "
        "原因 目的 意味 違 区別 実例 例 詳細 詳 具体的 概要 要約 要点 説明 回答 答 簡単 短 長 少 一言 一度 箇条書 表 英語 日本語 中国語 同様 事前 事後 続 "
        "次 別 他 前者 後者 最初 最後 番目 本当 大丈夫 良 了解 場所 オンライン 日程 時期 時間 年度 "
        "土日 平日 祝日 土曜 日曜 週末 夜間 深夜 早朝 午前 午後 半日 営業日 今年 昨年 来年 今月 来月 今日 明日 海外 国内 国外 社外 社内 本社 支社 支店 営業所 "
        "管理職 役員 正社員 契約社員 派遣社員 嘱託社員 新入社員 社員 従業員 職員 派遣 嘱託 新人 退職者 パートタイマー パートタイム パート アルバイト バイト "
        "インターン 部長 課長 係長 上司 上長 部下 本人 代理 配偶者 家族 未成年 会社 当社 "
        "過 忘 遅 間 断 困 取 出 使 受 払 決 待 送 渡 要 含 超 合 直 挙 言 聞 勤 "
        "[先者書紙人日方数額点分法月年内外前後中翌当毎各全再未目一二三四五六七八九十]"
    )
)
_PEOPLE_EN = """contractor intern temp employee staff manager boss supervisor director freelancer trainee part-timer part-time full-time
    worker colleague"""
_OF_ANOTHER_EN = """deadline cutoff limit maximum minimum exception approval approver penalty cost fee charge price amount form document paperwork
    required needed necessary mandatory include exclude option alternative condition requirement restriction rule allowed permitted
    possible negotiable source section quote reference answer step way procedure process reason purpose consequence cancel change happen correct sure
    true valid written effect submit request apply eligible exempt affected cover responsible simple simpler shorter translate say
    summarise summarize rephrase shorten list elaborate meant understand online first second third last next point table bullet japanese
    english late later sooner miss forget reject refuse fail delay other another else again after before use take make find send ask sign
    signature decide contact different difference start end begin expire weekday weekend saturday sunday morning evening night today
    tomorrow time year month week day hour overseas matter"""


def plain_form(text: str, language: Language) -> str:
    """The normalised text in one spelling: 取り消し and 取消し, "what's" and "what is", "isn't" and "is" become equal."""
    plain = normalise(text)
    if language == "ja":
        return _INFLECTED_JA.sub(r"\1", plain)
    plain = plain.replace("\u2019", "'")
    plain = _NEGATED_EN.sub(lambda found: {"ca": "can", "wo": "will"}.get(found[1], ""), plain)
    plain = _CONTRACTED_IS_EN.sub(lambda found: f"{found[1] or found[2]} is", plain)
    return _CONTRACTED_EN.sub("", plain)


def telling_words(text: str, language: Language) -> list[str]:
    """The words of a text in its plain form that say more than that something is asked, in their order."""
    found: list[str] = _CONTENT[language].findall(text)
    if language == "en":
        return [word for word in found if word not in _SMALL_EN]
    return [word for word in found if word not in _ASKING_JA and not word.startswith("何")]


def with_bare_figures(text: str, language: Language) -> str:
    """The text in its plain form with each figure and what it counts as one word, which names no topic."""
    return _FIGURE[language].sub(f" {_FIGURE_MARK} ", text)


def topics(words: Iterable[str], language: Language) -> list[str]:
    """Those of the telling words that do not only say something of another thing: what of it, how much, for whom, when, where."""
    if language == "ja":
        return [word for word in words if word != _FIGURE_MARK and _OF_ANOTHER_JA.sub("", word)]
    return [word for word in words if not word.isdigit() and stem(word) not in _STEMS_OF_ANOTHER]


def people(words: Iterable[str]) -> list[str]:
    """Those of English words that mean a group of people."""
    return [word for word in words if stem(word) in _STEMS_OF_PEOPLE]


def stem(word: str) -> str:
    """An English word without its ending: cancel, cancelled and cancellation become equal, contractor and contract do not."""
    short = _ENDING_EN.sub("", word)
    return short[:-1] if short[-1:] == short[-2:-1] else short


def missing(words: Sequence[str], text: str, language: Language) -> list[str]:
    """The words that a text in its plain form does not have: in Japanese in pieces at least (有給休暇申請 in 有給休暇を申請),
    in English with another ending."""
    stems = {stem(word) for word in _CONTENT["en"].findall(text)} if language == "en" else set()
    return [word for word in words if word not in text and stem(word) not in stems and not _has_pairs(text, word)]


def _has_pairs(text: str, word: str) -> bool:
    return len(word) > 2 and not word.isascii() and all(word[i : i + 2] in text for i in range(len(word) - 1))


_STEMS_OF_PEOPLE = frozenset(map(stem, _PEOPLE_EN.split()))
_STEMS_OF_ANOTHER = _STEMS_OF_PEOPLE | frozenset(map(stem, _OF_ANOTHER_EN.split()))
