"""Words for units in Japanese and English, each with the one name under which figures are compared. Pure data."""

from __future__ import annotations

_NAMES: dict[str, str] = {
    "yen": "円|yen|jpy",
    "dollar": "ドル|dollars|dollar|usd",
    "euro": "ユーロ|euros|euro|eur",
    "pound": "pound",
    "percent": "パーセント|percent|per cent|%",
    "tenth": "割",
    "business_day": "営業日|business days|business day|working days|working day|workdays|workday",
    "day": "日間|日|days|day",
    "week": "週間|週|weeks|week",
    "month_long": "か月間|か月|カ月|ヶ月|ヵ月|ケ月|箇月|months|month",
    "month": "月",
    "year": "年間|年度|か年間|か年|カ年|ヶ年|ヵ年|箇年|年|years|year",
    "quarter": "四半期|quarters|quarter",
    "hour": "時間|hours|hour|hrs|hr",
    "minute": "分間|分|minutes|minute|mins|min",
    "second": "秒間|秒|seconds|second|secs|sec",
    "time": "回|times",
    "person": "人|名|people|persons|person",
    "piece": "個|つ|ヶ|ケ|pieces|piece",
    "place": "か所|カ所|ヶ所|ヵ所|箇所",
    "floor": "階|floor",
    "page": "ページ|頁|pages|page",
    "character": "文字|characters|character",
    "age": "歳|才|years old|year old|years-old|year-old|years of age",
    "article": "条",
    "clause": "項",
    "item": "号",
    "chapter": "章",
    "case": "件",
    "sheet": "枚|sheets|sheet",
    "machine": "台",
    "company": "社",
    "book": "冊",
    "fold": "倍",
    "degree": "度",
    "point": "点",
    "class": "級",
    "rank": "位",
    "digit": "桁",
    "night": "泊|nights|night",
    "long_thing": "本",
    "litre": "リットル|litres|litre|liters|liter|l",
    "millilitre": "ミリリットル|ml",
    "metre": "メートル|metres|metre|meters|meter|m",
    "kilometre": "キロメートル|kilometres|kilometre|kilometers|kilometer|km",
    "centimetre": "センチメートル|centimetres|centimetre|centimeters|centimeter|cm",
    "millimetre": "ミリメートル|millimetres|millimetre|millimeters|millimeter|mm",
    "square_metre": "平方メートル|平米|square metres|square meters|m2",
    "kilogram": "キログラム|kilograms|kilogram|kg",
    "gram": "グラム|grams|gram|g",
    "tonne": "トン|tonnes|tonne|tons|ton|t",
    "kilometre_per_hour": "km/h",
    "newton_metre": "n·m|n・m|nm",
    "kilowatt": "kw",
    "watt": "w",
    "volt": "v",
    "ampere": "アンペア",
    "celsius": "°c|degrees celsius",
    "gigabyte": "ギガバイト|gigabytes|gigabyte|gb",
    "megabyte": "メガバイト|megabytes|megabyte|mb",
    "terabyte": "テラバイト|terabytes|terabyte|tb",
}
_UNIT_OF = {word: name for name, words in _NAMES.items() for word in words.split("|")}

UNIT_WORDS = tuple(sorted(_UNIT_OF, key=len, reverse=True))
"""Every word, folded as figures fold text, longest first."""


def unit_of(word: str | None) -> str | None:
    """The unit's one name, or None for no word and for a word that is no unit."""
    return None if word is None else _UNIT_OF.get(word)
