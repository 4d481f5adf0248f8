"""Who may sit at the screen."""

from __future__ import annotations

import pytest

from ui.identity import Caller, Refused, identify

SECRET = "山の合い言葉"
AS_SENT = SECRET.encode().decode("latin-1")


def test_a_name_with_the_right_secret_is_believed() -> None:
    assert identify(["ben"], [AS_SENT], proxy_secret=SECRET, demo_user="") == Caller("ben", "proxy")


def test_a_japanese_name_arrives_whole() -> None:
    name = "愛子".encode().decode("latin-1")
    assert identify([name], [AS_SENT], proxy_secret=SECRET, demo_user="") == Caller("愛子", "proxy")


@pytest.mark.parametrize(
    ("users", "secrets", "proxy_secret"),
    [
        (["ben"], ["wrong"], SECRET),
        (["ben"], [], SECRET),
        (["ben"], [""], ""),
        (["ben"], [], ""),
        (["ben"], [AS_SENT, AS_SENT], SECRET),
        (["ben", "chie"], [AS_SENT], SECRET),
    ],
)
def test_a_name_that_is_not_proved_is_refused_even_where_a_demo_user_is_set(
    users: list[str], secrets: list[str], proxy_secret: str
) -> None:
    assert identify(users, secrets, proxy_secret=proxy_secret, demo_user="demo") == Refused("forged")


def test_without_a_name_the_demo_user_sits_here_and_without_one_nobody() -> None:
    assert identify([], [], proxy_secret=SECRET, demo_user="demo") == Caller("demo", "demo")
    assert identify([" "], [AS_SENT], proxy_secret=SECRET, demo_user="demo") == Caller("demo", "demo")
    assert identify([], [AS_SENT], proxy_secret=SECRET, demo_user="") == Refused("nobody")


def test_a_sign_in_is_handed_on_with_the_name_and_two_are_believed_as_little_as_none() -> None:
    def seen(*sign_ins: str) -> Caller | Refused:
        return identify(["ben"], [AS_SENT], proxy_secret=SECRET, demo_user="", forwarded_sign_ins=list(sign_ins))

    assert seen("s1") == Caller("ben", "proxy", "s1")
    assert seen("") == seen() == Caller("ben", "proxy")
    assert seen("s1", "s2") == Refused("forged")
