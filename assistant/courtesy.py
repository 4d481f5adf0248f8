"""Messages that thank, greet or agree and ask nothing: 「ありがとう」, "OK", 「了解です」. Pure.

They follow an answer, and were taken for a question about it: searched, and answered once more. The whole message must be
courtesy; 「ありがとう。では病気の場合は?」 is a question.
"""

from __future__ import annotations

import re

from assistant.errors import Language
from assistant.text import is_readable, normalise

INVITATION: dict[Language, str] = {
    "ja": "知りたいことを質問の形で入力してください。",
    "en": "Please type what you would like to know as a question.",
}
"""What is said to one."""

_JA = (
    "(?:どうも)?ありがとう(?:ございま(?:す|した))?|(?:とても|大変)?助かり(?:ます|ました)|感謝(?:します|いたします)|お礼申し上げます"
    "|了解(?:です|しました|いたしました)?|承知(?:です|しました|いたしました)?|かしこまりました|(?:よく)?[分わ]か(?:りました|った|りました)"
    "|なるほど(?:です(?:ね)?)?|(?:ok|オーケー|オッケー)(?:です)?|はい|いいえ|うん|そうですか|大丈夫です|結構です|以上です|すみません(?:でした)?"
    "|こんにちは|こんばんは|おはよう(?:ございます)?|お疲れ(?:様|さま)(?:です|でした)?|お世話になって(?:い|お)ります"
    "|よろしく(?:お願い(?:します|いたします|致します))?|はじめまして|さようなら"
)
_EN = (
    r"(?:many |ok |okay )?thanks?(?: you)?(?: (?:a lot|so much|very much|again|all))?|thank you(?: (?:so|very) much| again| all)?|thx|cheers"
    "|ok(?:ay)?|got it|understood|i see|i understand|great|perfect|awesome|nice|cool|sure|all right|alright|no problem|never mind|that is all|that's all"
    "|yes|no|yep|nope|hello|hi|hey|hi there|hello there|good (?:morning|afternoon|evening)|bye|goodbye|you(?:'re| are) welcome|sorry"
)
_COURTESY = re.compile(rf"(?:(?:{_JA}|{_EN})(?![a-z])(?:[^\w?]|[笑w]){{0,20}}){{1,8}}")
_LONGEST = 120


def is_courtesy(text: str) -> bool:
    """Whether the message is nothing but thanks, greetings and agreement."""
    plain = normalise(text).replace("’", "'").strip()
    return len(plain) <= _LONGEST and is_readable(plain) and bool(_COURTESY.fullmatch(plain))


def asks(text: str) -> bool:
    """Whether the message may be a question: it has a letter or digit and is no mere courtesy."""
    return is_readable(text) and not is_courtesy(text)
