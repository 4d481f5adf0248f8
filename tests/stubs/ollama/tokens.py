"""Text to tokens and back. A stand-in for tokenizers: token counts are near those of real ones, never the same.

For chat, a token is a stretch of the text, so that cutting tokens cuts the text and joining them restores it.
"""

from __future__ import annotations

import re
import zlib

CHAT_PIECES = re.compile(
    r"<\|[a-z_]+\|>| ?[A-Za-zÀ-ÿ]{1,6}|\d{1,3}|[ぁ-ゖ]{1,2}|[ァ-ヺー]{1,2}|\n+|[^\S\n]+|.",
    re.DOTALL,
)
WORD_PIECES = re.compile(r"[A-Za-zÀ-ÿ0-9]{1,8}|[^\sA-Za-zÀ-ÿ0-9]")
SPECIAL_TOKENS = 2
"""What a BERT tokenizer puts around a text: [CLS] and [SEP]."""
OUTPUT_PIECE_CHARACTERS = (2, 3, 4, 3)


def chat_tokens(text: str) -> list[str]:
    """Stretches of the text in order; joined they are the text."""
    return CHAT_PIECES.findall(text)


def word_pieces(text: str) -> list[str]:
    """Pieces as an embedding model counts them: short words, single other characters; blanks are no pieces."""
    return WORD_PIECES.findall(text)


def output_pieces(text: str) -> list[str]:
    """The text as a model would stream it: two to four characters at a time."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        length = OUTPUT_PIECE_CHARACTERS[len(pieces) % len(OUTPUT_PIECE_CHARACTERS)]
        pieces.append(text[start : start + length])
        start += length
    return pieces


def token_numbers(text: str) -> list[int]:
    """Token ids as ``/api/generate`` returns them in ``context``: stable, meaningless."""
    return [zlib.crc32(piece.encode()) % 128_000 for piece in chat_tokens(text)]
