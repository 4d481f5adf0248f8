"""Takes the pictures of docs/pictures/ from the running demo, in a real Chromium; needs the packages of `make test`.

python scripts/take_pictures.py [--folder docs/pictures]

The embedded chat model answers if its file is in the cache, else answers are quotations. Nothing is retouched; the
pictures are only reduced to 256 colours, so that each stays below 200 KB.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from assistant.adapters.model_files import QWEN_CODER_1_5B
from assistant.demo import model_folder

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1280, 900
COLOURS = 256
LIMIT_BYTES = 200_000
READING_SECONDS = 600
ANSWER_MILLISECONDS = 400_000
"""A 1.5B model on two busy cores needs a minute or two."""
OF_A_PDF = "身元保証書の極度額はいくらですか?"
WITHOUT_ANSWER = "社宅の申し込み方を教えてください"
QUESTIONS = {"ja-JP": "有給休暇はいつまでに申請しますか?", "en-US": "How far ahead must I apply for paid leave?"}


@contextmanager
def running_demo(data_folder: Path, answers: str) -> Iterator[str]:
    """The address of a demo's screen once all example documents are searchable."""
    log = data_folder / "up.log"
    environment = {**os.environ, "LANG": "C.UTF-8", "ANSWERS": answers, "DOCS": "", "PORT": ""}
    environment["ASSISTANT_DATA_FOLDER"] = str(data_folder)
    with log.open("w") as output:
        command = [str(Path(sys.executable).with_name("assistant")), "up", "--demo"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=output)
    try:
        until = time.monotonic() + READING_SECONDS
        while "searchable" not in log.read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(1)
        address = re.search(r"^Open (\S+)", log.read_text(), re.MULTILINE)
        if "searchable" not in log.read_text() or address is None:
            sys.exit(f"The demo did not start:\n{log.read_text()}")
        yield address[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def opened(browser: Browser, url: str, *, locale: str) -> Page:
    """A page of its own person, drawn to the end."""
    page = browser.new_context(locale=locale, viewport={"width": WIDTH, "height": HEIGHT}).new_page()
    page.goto(url)
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    return page


def answered(browser: Browser, url: str, *, locale: str, question: str = "") -> Page:
    """A page with a question and its finished answer."""
    page = opened(browser, url, locale=locale)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question or QUESTIONS[locale])
    box.press("Enter")
    expect(page.locator(".ca-foot")).to_be_visible(timeout=ANSWER_MILLISECONDS)
    page.mouse.move(0, 0)
    return page


def save(page: Page, path: Path) -> None:
    """What the page shows now, as a small PNG; exits when it is larger than the limit."""
    page.wait_for_timeout(800)  # the fade of what was drawn last
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        flat.save(path, optimize=True)
    if path.stat().st_size > LIMIT_BYTES:
        sys.exit(f"{path} has {path.stat().st_size:,} bytes, more than {LIMIT_BYTES:,}")
    print(f"{path} {path.stat().st_size:,} bytes")


def take(browser: Browser, url: str, folder: Path) -> None:
    """All pictures: answers, an opened source, a page of a PDF, a refusal, the history, the list of documents."""
    page = answered(browser, url, locale="ja-JP")
    save(page, folder / "ask-ja.png")
    page.locator(".ca-answer a.ca-mark").first.click()
    expect(page.locator(".ca-text mark").first).to_be_visible()
    save(page, folder / "citation-open-ja.png")
    save(answered(browser, url, locale="en-US"), folder / "ask-en.png")
    page = answered(browser, url, locale="ja-JP", question=OF_A_PDF)
    page.get_by_role("button", name=re.compile("文書で見る")).first.click()
    expect(page.locator("img.ca-page")).to_be_visible()
    save(page, folder / "page-ja.png")
    save(answered(browser, url, locale="ja-JP", question=WITHOUT_ANSWER), folder / "refusal-ja.png")
    page = opened(browser, f"{url}/history", locale="ja-JP")
    expect(page.get_by_text(OF_A_PDF)).to_be_visible()
    save(page, folder / "history-ja.png")
    page = opened(browser, f"{url}/documents", locale="ja-JP")
    expect(page.locator("table.ca-documents")).to_be_visible()
    save(page, folder / "documents-ja.png")


def main() -> None:
    """Writes the pictures into the folder."""
    parser = argparse.ArgumentParser(description="Takes the pictures of docs/pictures/.")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs/pictures")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    answers = "embedded" if (model_folder() / QWEN_CODER_1_5B.file_name).is_file() else "quotes"
    with (
        tempfile.TemporaryDirectory() as data_folder,
        running_demo(Path(data_folder), answers) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        expect.set_options(timeout=30_000)
        take(browser, url, folder)
        browser.close()


if __name__ == "__main__":
    main()
