"""Addresses that answer or not, ports open to others, default passwords, the certificate, nginx's configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from assistant.errors import Text
from assistant.machine import Listening, Ran, Reply
from assistant.release.examining.finding import Finding, State, ok, plain, unchecked

EXPIRES_SOON = timedelta(days=30)
"""Time enough to order one; automatic renewal (ACME) does it 30 days before the end as well."""
LEAST_SECRET = 16
"""As nginx/start.sh demands."""
GUESSES = ("password", "passw0rd", "admin", "changeme", "change-me", "secret", "company-assistant", "assistant", "12345678",
           "123456789", "1234567890", "welcome", "letmein", "test", "postgres")  # fmt: skip
MOST_USERS_TRIED = 40
MOST_COST_TRIED = 6
"""A guess at bcrypt's cost 5 takes about 2 ms; at cost 10 the whole doctor would take a minute."""
OPEN_TO_NOBODY = ("ollama", "chroma", "api", "ui", "ingest")
_PRIVATE_KEY_BITS = 0o077
_START: Mapping[str, str] = {
    "ollama": "docker compose up -d ollama",
    "chroma": "docker compose up -d chroma",
    "api": "docker compose up -d api",
}
_START_PLAIN: Mapping[str, str] = {
    "ollama": "sudo systemctl start ollama",
    "chroma": "assistant up --only chroma",
    "api": "assistant up",
}


def address(part: str, url: str, reply: Reply, *, is_container: bool, sign: str) -> Finding:
    """Whether the right program answers at the address of ollama, chroma or api; `sign` is a word of its answer."""
    name = f"address_{part}"
    if not reply.trouble and reply.status == 200 and sign in json.dumps(reply.body):
        return ok(name, plain(url))
    host = urlsplit(url).hostname or ""
    command = (_START if is_container else _START_PLAIN)[part]
    state: State = "warn" if part == "api" else "fail"
    variable = {"ollama": "ASSISTANT_OLLAMA_URL", "chroma": "ASSISTANT_CHROMA_URL", "api": "ASSISTANT_API_URL"}[part]
    if reply.trouble in ("refused", "slow", "unknown_host"):
        what = {
            "refused": Text(ja="接続を拒否されました", en="connection refused"),
            "slow": Text(ja="応答がありません", en="no answer in time"),
            "unknown_host": Text(ja="その名前の機械が見つかりません", en="no machine of that name"),
        }[reply.trouble]
        hint = Text(ja=f"起動するか、{variable} を直してください。", en=f"Start it, or correct {variable}.")
        if is_container and host in ("127.0.0.1", "localhost", "::1"):
            hint = Text(
                ja=f"コンテナの中の {host} はそのコンテナ自身です。{variable} をサービス名(例 http://{part}:ポート)にしてください。",
                en=f"In a container {host} is the container itself: name the service in {variable} (http://{part}:PORT).",
            )
        return Finding(name, state, Text(ja=f"{url}: {what.ja}", en=f"{url}: {what.en}"), hint, command)
    return Finding(
        name, state,
        Text(ja=f"{url} で別のものが応答します(状態 {reply.status})。", en=f"Something else answers at {url} (status {reply.status})."),
        Text(ja=f"ポートを使っているプログラムを確かめ、{variable} を直してください。", en=f"See what listens there, and correct {variable}."),
        f"ss -ltnp 'sport = :{urlsplit(url).port or 80}'",
    )  # fmt: skip


def exposed_ports(
    ports: Mapping[int, str], listening: Sequence[Listening] | None, published: Ran | None, *, is_container: bool
) -> Finding:
    """`ports` are ours that only this machine may reach, each with its part; `published` is `docker ps` as JSON lines."""
    found = [
        f"{socket.address}:{socket.port} ({ports[socket.port]})"
        for socket in (listening or ())
        if not is_container and socket.port in ports and socket.is_open
    ]
    found += _published(published)
    if found:
        return Finding(
            "exposed_ports", "fail", plain(", ".join(sorted(set(found)))),
            Text(
                ja="127.0.0.1 だけで待ち受けさせてください(OLLAMA_HOST、ASSISTANT_API_HOST、ASSISTANT_UI_HOST、compose の ports)。それまでは閉じてください。",
                en="Let them listen on 127.0.0.1 alone (OLLAMA_HOST, ASSISTANT_API_HOST, ASSISTANT_UI_HOST, `ports` in "
                "compose). Until then, shut them off.",
            ),
            "\n".join(f"sudo ufw deny {port}/tcp" for port in sorted({_port_of(each) for each in found})),
        )  # fmt: skip
    if is_container and (published is None or published.status != 0):
        return unchecked(
            "exposed_ports",
            Text(ja="コンテナの中からは見えません。", en="Not to be seen from inside a container."),
            Text(ja="ホストで確かめてください。", en="Look from the host."),
            "docker compose ps",
        )
    if listening is None and published is None:
        return unchecked(
            "exposed_ports", Text(ja="開いたポートが見えません。", en="Open ports are not to be seen here.")
        )
    return ok("exposed_ports", Text(ja="nginx のほかは外に開いていません。", en="Nothing but nginx is open to others."))


def _published(ran: Ran | None) -> list[str]:
    """Ports that Docker publishes to others for containers of ours that are not nginx."""
    found = []
    for line in ran.out.splitlines() if ran is not None and ran.status == 0 else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        service = re.search(r"com\.docker\.compose\.service=([\w-]+)", str(row.get("Labels", "")))
        if service is None or service[1] not in OPEN_TO_NOBODY:
            continue
        for host, port in re.findall(r"([\d.]+|\[?::\]?):(\d+)->", str(row.get("Ports", ""))):
            if not host.startswith("127."):
                found.append(f"{host}:{port} ({service[1]})")
    return found


def _port_of(shown: str) -> int:
    return int(shown.split(" ")[0].rsplit(":", 1)[-1])


def passwords(*, proxy_secret: str, database_url: str, htpasswd: bytes | None) -> Finding:
    """Whether a secret is one that people try first. Values are never shown."""
    weak = []
    if proxy_secret and (
        len(proxy_secret) < LEAST_SECRET or proxy_secret.lower() in GUESSES or len(set(proxy_secret)) == 1
    ):
        weak.append("ASSISTANT_PROXY_SECRET")
    database = urlsplit(database_url)
    if database.password is not None and unquote(database.password).lower() in (
        *GUESSES,
        (database.username or "").lower(),
    ):
        weak.append("ASSISTANT_DATABASE_URL")
    guessed, untried, total = _guessed(htpasswd or b"")
    weak += guessed
    if weak:
        people = " ".join(guessed)
        return Finding(
            "passwords", "fail",
            Text(ja=f"推測できます: {', '.join(weak)}", en=f"Can be guessed: {', '.join(weak)}"),
            Text(ja="新しくしてください。秘密は .env に、人のものは下のコマンドで。", en="Make new ones: secrets in .env, people's with the command."),
            "\n".join(f"assistant password {user}" for user in guessed) if people else "openssl rand -hex 32",
        )  # fmt: skip
    if untried:
        return Finding(
            "passwords", "warn",
            Text(
                ja=f"bcrypt でない行があります: {', '.join(untried[:5])}", en=f"Lines that are not bcrypt: {', '.join(untried[:5])}"
            ),
            Text(ja="作り直してください。古い形は速く破られます。", en="Make them anew; old forms are broken quickly."),
            "\n".join(f"assistant password {user}" for user in untried[:5]),
        )  # fmt: skip
    if htpasswd is None and not proxy_secret and database.password is None:
        return unchecked(
            "passwords",
            Text(ja="調べる秘密がここにありません。", en="There is no secret here to look at (--passwords FILE)."),
        )
    return ok(
        "passwords",
        Text(ja=f"推測できるものはありません({total} 人)。", en=f"None that can be guessed ({total} people)."),
    )


def _guessed(content: bytes) -> tuple[list[str], list[str], int]:
    """(users whose password is a usual one, users whose line cannot be tried, all users)."""
    lines = [line.partition(":")[::2] for line in content.decode("utf-8", "replace").splitlines() if ":" in line]
    guessed, untried = [], []
    for user, hashed in lines[:MOST_USERS_TRIED]:
        bcrypt_form = re.fullmatch(r"\$2[abxy]\$(\d\d)\$.{53}", hashed)
        if bcrypt_form is None:
            untried.append(user)
        elif int(bcrypt_form[1]) <= MOST_COST_TRIED:
            known = hashed.replace("$2y$", "$2b$", 1).encode()
            if any(
                bcrypt.checkpw(guess.encode()[:72], known) for guess in dict.fromkeys((user, f"{user}123", *GUESSES))
            ):
                guessed.append(user)
    return guessed, untried, len(lines)


def certificate(pem: bytes | None, key: bytes | None, *, key_mode: int | None, now: datetime, folder: str) -> Finding:
    """Dates, and whether key and certificate belong together; without a certificate only this machine is served."""
    if pem is None:
        return unchecked(
            "certificate",
            Text(ja=f"{folder} に証明書がありません。この機械だけに開いているなら要りません。", en=f"None in {folder}; for this machine alone none is needed."),
            Text(ja="ほかの機械にも開くなら作ってください。", en="Make one before others are let in."),
            "assistant certificate --name assistant.example.co.jp",
        )  # fmt: skip
    renew = "assistant certificate --replace --name assistant.example.co.jp\nnginx/start.sh reload"
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return Finding(
            "certificate", "fail", Text(ja="certificate.pem を読めません。", en="certificate.pem cannot be read."),
            Text(ja="置き直してください。", en="Put it there anew."), renew,
        )  # fmt: skip
    ends_at = found.not_valid_after_utc
    seen = Text(ja=f"{ends_at:%Y-%m-%d} まで", en=f"until {ends_at:%Y-%m-%d}")
    if now >= ends_at or now < found.not_valid_before_utc:
        return Finding(
            "certificate",
            "fail",
            seen,
            Text(ja="今は有効ではありません。取り替えてください。", en="It is not valid now: replace it."),
            renew,
        )
    if (fault := _key_fault(found, key)) is not None:
        return Finding(
            "certificate",
            "fail",
            fault,
            Text(ja="鍵と証明書を一組で置き直してください。", en="Put key and certificate there together."),
            renew,
        )
    if ends_at - now < EXPIRES_SOON:
        return Finding(
            "certificate",
            "warn",
            seen,
            Text(ja="まもなく切れます。取り替えてください。", en="It ends soon: replace it."),
            renew,
        )
    if key_mode is not None and key_mode & _PRIVATE_KEY_BITS & 0o007:
        return Finding(
            "certificate", "warn", Text(ja="key.pem をだれでも読めます。", en="Everybody on this machine can read key.pem."),
            Text(ja="権限を 600 にしてください。", en="Set its mode to 600."), f"chmod 600 {folder}/key.pem",
        )  # fmt: skip
    return ok("certificate", seen)


def _key_fault(found: x509.Certificate, key: bytes | None) -> Text | None:
    """What is wrong with the key; None where it fits, or cannot be read by this user."""
    if key is None:
        return None
    try:
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError):
        return Text(ja="key.pem を読めません。", en="key.pem cannot be read.")
    if private.public_key() != found.public_key():
        return Text(ja="key.pem は別の証明書のものです。", en="key.pem belongs to another certificate.")
    return None


def nginx(tested: Ran | None) -> Finding:
    """`tested` is what `nginx -t` said; None: no nginx, or no configuration to be seen."""
    if tested is None or tested.status is None or (tested.status != 0 and "nginx:" not in tested.err):
        return unchecked(
            "nginx",
            Text(
                ja="nginx かその設定が見えません。", en="nginx or its configuration is not to be seen (--nginx FILE)."
            ),
        )
    if tested.status == 0:
        return ok("nginx", Text(ja="受け付けられます。", en="It is accepted."))
    words = next((line for line in tested.err.splitlines() if "[emerg]" in line), tested.words)
    return Finding(
        "nginx", "fail", plain(words.strip()[:300]),
        Text(
            ja="名指しされた行を直し、読み直させてください。動いている nginx は前の設定のままです。",
            en="Correct the line that it names and reload. A running nginx goes on with what it has.",
        ),
        "docker compose up -d --force-recreate nginx",
    )  # fmt: skip
