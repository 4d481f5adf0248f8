"""Writes the office documents of ``examples/``: python scripts/write_examples.py [folder]

The handbook is that of an invented company. Its Markdown, UTF-8 text and web pages are kept in ``examples/`` by hand; what an
office program or an old system would have made is written here from ``example_texts``. Running it again gives the same bytes.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from example_texts import approvals, english, information, leave, letters, limited, old_files, products, safety, travel
from example_texts import work_rules as work
from example_writers.mail import write_mail
from example_writers.paper import PaperLook, register_font, write_paper
from example_writers.scan import write_scan
from example_writers.sheets import write_sheets
from example_writers.slides import write_slides
from example_writers.word import WordLook, write_word

COMPANY = "汐凪精機株式会社"
JAPANESE_FONT = "IPAPGothic"
# Debian's fonts-ipafont-gothic; another TrueType font with Japanese letters may be named in EXAMPLES_FONT.
FONT_PATH = Path(os.environ.get("EXAMPLES_FONT", "/usr/share/fonts/opentype/ipafont-gothic/ipagp.ttf"))
SCAN_SEED = 301

Writer = Callable[[Path], None]


def main(arguments: list[str]) -> int:
    """Write every document below the folder named, or below ``examples/``; return the exit status."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "examples"
    if not FONT_PATH.is_file():
        print(f"No font at {FONT_PATH}: apt install fonts-ipafont-gothic, or set EXAMPLES_FONT", file=sys.stderr)
        return 1
    register_font(JAPANESE_FONT, FONT_PATH)
    for name, write in _documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        print(f"{path.stat().st_size:>9,} bytes  {name}")
    return 0


def _documents() -> dict[str, Writer]:
    return {**_word_documents(), **_papers(), **_slides(), **_workbooks(), **_letters_and_old_files()}


def _word_documents() -> dict[str, Writer]:
    return {
        "人事/休暇規程.docx": _word(leave.LEAVE_RULES, "HR-101 休暇規程", "人事課", (2025, 4, 1)),
        "人事/育児・介護休業の手引き.docx": _word(
            leave.CHILDCARE_GUIDE, "人事課 配布資料", "人事課", (2025, 10, 1), has_heading_styles=False
        ),
        "人事/限定/役員報酬規程.docx": _word(limited.DIRECTORS_PAY, "極秘　BD-003", "社長室", (2024, 6, 26)),
        "情報システム/パスワード規程.docx": _word(
            information.SIGN_IN_RULES, "IT-203 パスワード規程", "情報システム課", (2025, 7, 1)
        ),
        "経費/出張旅費規程_2024年版.docx": _word(travel.TRAVEL_2024, "AC-201 第8版", "経理課", (2024, 4, 1)),
        "経費/出張旅費規程_2025年版.docx": _word(travel.TRAVEL_2025, "AC-201 第9版", "経理課", (2025, 4, 1)),
        "products/Warranty_Terms.docx": _word(
            products.WARRANTY_TERMS, "PR-010 Warranty Terms", "Product Support", (2025, 4, 1), is_japanese=False
        ),
        "en/Travel_Expense_Policy_2025.docx": _word(
            english.TRAVEL_POLICY_2025, "AC-201 Travel Expense Policy", "Accounting", (2025, 4, 1), is_japanese=False
        ),
    }


def _word(
    markup: str,
    header: str,
    author: str,
    date: tuple[int, int, int],
    *,
    has_heading_styles: bool = True,
    is_japanese: bool = True,
) -> Writer:
    look = WordLook(
        header=f"{COMPANY}　{header}" if is_japanese else f"Shionagi Seiki Co., Ltd.  {header}",
        author=author,
        written_at=_at(date),
        has_heading_styles=has_heading_styles,
        body_font="游明朝" if is_japanese else "Calibri",
        heading_font="游ゴシック" if is_japanese else "Calibri",
    )
    return lambda path: write_word(path, markup, look=look)


def _papers() -> dict[str, Writer]:
    rules = PaperLook(
        header=f"{COMPANY}　就業規則（抜粋）",
        footer="社内限　HR-001 第14版",
        author="人事課",
        font=JAPANESE_FONT,
        bold_font=JAPANESE_FONT,
        is_japanese=True,
    )
    disaster = PaperLook(
        header=f"{COMPANY}　防災マニュアル（潮見工場）",
        footer="社内限　SF-301 第7版　守衛室 内線 6119",
        author="総務課",
        font=JAPANESE_FONT,
        bold_font=JAPANESE_FONT,
        is_japanese=True,
    )
    manual = PaperLook(
        header="Shionagi Seiki Co., Ltd.    MX-2040B Installation and Maintenance",
        footer="UM-2040B-E  edition 3.2",
        author="Product Support",
        font="Helvetica",
        bold_font="Helvetica-Bold",
        is_japanese=False,
    )
    return {
        "人事/就業規則_抜粋.pdf": lambda path: write_paper(path, work.WORK_RULES, look=rules),
        "安全/防災マニュアル_潮見工場.pdf": lambda path: write_paper(path, safety.DISASTER_MANUAL, look=disaster),
        "products/MX-2040B_Manual.pdf": lambda path: write_paper(path, products.PUMP_MANUAL, look=manual),
        "安全/避難訓練のお知らせ_スキャン.pdf": lambda path: write_scan(
            path, safety.DRILL_NOTICE, font_path=FONT_PATH, seed=SCAN_SEED
        ),
    }


def _slides() -> dict[str, Writer]:
    return {
        "人事/新入社員研修_2025.pptx": _deck(work.INDUCTION_SLIDES, "人事課", (2025, 3, 24)),
        "情報システム/情報セキュリティ研修_2025.pptx": _deck(
            information.SECURITY_SLIDES, "情報システム課", (2025, 9, 1)
        ),
        "安全/新入者安全教育.pptx": _deck(safety.SAFETY_SLIDES, "総務課", (2025, 3, 28)),
        "en/Welcome_2025.pptx": _deck(english.WELCOME_SLIDES, "Human Resources", (2025, 3, 24), is_japanese=False),
    }


def _deck(markup: str, author: str, date: tuple[int, int, int], *, is_japanese: bool = True) -> Writer:
    footer = f"{COMPANY}　{author}　社内限" if is_japanese else f"Shionagi Seiki Co., Ltd.  {author}  Internal"
    font = "游ゴシック" if is_japanese else "Calibri"
    return lambda path: write_slides(path, markup, author=author, footer=footer, font=font, written_at=_at(date))


def _workbooks() -> dict[str, Writer]:
    return {
        "情報システム/PC標準機種一覧.xlsx": lambda path: write_sheets(
            path, information.MACHINE_SHEETS, author="情報システム課", font="游ゴシック", written_at=_at((2025, 5, 12))
        ),
        "経費/決裁権限表.xlsx": lambda path: write_sheets(
            path,
            approvals.APPROVAL_SHEETS,
            author="経理課",
            font="游ゴシック",
            written_at=_at((2025, 4, 1)),
            hidden={"改定案": approvals.UNAPPROVED_DRAFT},
        ),
        "安全/消火器管理台帳.xlsx": lambda path: write_sheets(
            path, safety.EXTINGUISHER_SHEETS, author="総務課", font="游ゴシック", written_at=_at((2025, 10, 17))
        ),
        "products/Spare_Parts_2025.xlsx": lambda path: write_sheets(
            path, products.SPARE_PART_SHEETS, author="Product Support", font="Calibri", written_at=_at((2025, 4, 1))
        ),
    }


def _letters_and_old_files() -> dict[str, Writer]:
    return {
        "情報システム/基幹システム停止のお知らせ.eml": lambda path: write_mail(
            path, letters.STOPPAGE, charset="iso-2022-jp"
        ),
        "経費/経費精算の締切変更_2025-03-10.eml": lambda path: write_mail(path, letters.CLOSING_DAY, charset="utf-8"),
        "products/Case_58213_E-17.eml": lambda path: write_mail(path, letters.LEAK_ALARM, charset="utf-8"),
        "人事/慶弔見舞金規程.txt": _cp932(old_files.CONDOLENCE_TEXT),
        "情報システム/ヘルプデスク連絡先.csv": _cp932(old_files.HELPDESK_CSV),
        "情報システム/システム障害時の連絡手順.html": _cp932(old_files.EMERGENCY_PAGE),
        "経費/勘定科目コード.csv": _cp932(old_files.ACCOUNT_CODES_CSV),
    }


def _cp932(text: str) -> Writer:
    """Old Windows programs: Shift_JIS with the vendor's letters (㈱, ①, 髙), lines ended by CR LF."""
    return lambda path: _write_bytes(path, text.replace("\n", "\r\n").encode("cp932"))


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _at(date: tuple[int, int, int]) -> datetime:
    return datetime(*date, 9, 0, 0, tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
