"""`assistant keys | users | audit`: who may ask, and what the audit holds. For the administrator's terminal."""

from __future__ import annotations

import csv
import getpass
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.adapters.ledger import Ledger
from assistant.audit import Act, AuditEntry
from assistant.errors import PeopleError, Text
from assistant.people import ApiKey, Sync, User, checked_name, checked_scopes, expiry
from assistant.settings import load_settings
from assistant.terminal import caller_language, telling_errors
from assistant.users_file import parse_users, read_htpasswd, read_users, sync_users
from assistant.wiring import open_ledger

keys = typer.Typer(no_args_is_help=True, help="API keys of apps.")
users = typer.Typer(no_args_is_help=True, help="Users and their groups.")
audit = typer.Typer(no_args_is_help=True, help="Who asked, which documents were shown, what administrators did.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Groups = Annotated[list[str] | None, typer.Option(help="Group whose documents the app may read; repeatable.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]


class Format(StrEnum):
    """Of an export."""

    CSV = "csv"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(keys, name="keys")
    app.add_typer(users, name="users")
    app.add_typer(audit, name="audit")


def _ledger() -> Ledger:
    return open_ledger(load_settings())


def _me() -> str:
    return f"cli:{getpass.getuser()}"


@keys.command("create")
def create_key(
    name: str,
    *,
    group: Groups = None,
    scope: Annotated[list[str] | None, typer.Option(help="ask, documents, ingest, admin; repeatable.")] = None,
    owner: Annotated[
        str, typer.Option(help="User whose key it is: it reads no more than they may, and ends with them.")
    ] = "",
    expires: Annotated[str, typer.Option(help="90d or 2027-03-31; without it the key has no end.")] = "",
    rate: Annotated[
        int | None, typer.Option(min=1, help="Questions a minute; without it what the door allows everybody.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="End a living key of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Makes a key for an app and shows it this once."""
    with telling_errors():
        scopes = checked_scopes(scope or ("ask", "documents"))
        expires_at = expiry(expires) if expires else None
        ledger = _ledger()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        if not replace and any(key.name == name and key.state(at=now) == "active" for key in ledger.list_keys()):
            raise PeopleError(
                Text(ja=f"{name} という有効なキーがもうあります。", en=f"There is an active key {name} already."),
                Text(
                    ja="別の名前にするか、--replace で置き換えてください(今のキーはその場で使えなくなります)。",
                    en="Choose another name, or replace it with --replace (the present key stops working at once).",
                ),
            )
        if owner and not ledger.standing_of(owner).is_known:
            raise _no_user(owner)
        key = ledger.create_key(
            checked_name(name),
            groups=group or (),
            scopes=scopes,
            owner=owner or None,
            expires_at=expires_at,
            questions_per_minute=rate,
            by=_me(),
        )
        typer.echo(
            json.dumps({"name": name, "key": key, "expires_at": expires_at}, ensure_ascii=False) if as_json else key
        )


@keys.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """Names, prefixes, scopes, groups, owner, rate, expiry and last use of all keys."""
    with telling_errors():
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        found = _ledger().list_keys()
        if as_json:
            typer.echo(
                json.dumps([{**asdict(key), "state": key.state(at=now)} for key in found], ensure_ascii=False, indent=1)
            )
        else:
            for key in found:
                typer.echo("\t".join(_key_line(key, at=now)))


def _key_line(key: ApiKey, *, at: str) -> Iterator[str]:
    yield from (key.name, f"{key.prefix}…", ",".join(key.scopes), ",".join(key.groups) or "-", key.state(at=at))
    yield f"owner={key.owner or '-'}"
    yield f"rate={key.questions_per_minute or '-'}"
    yield f"expires={(key.expires_at or '-')[:10]}"
    yield f"last_used={(key.last_used_at or '-')[:16]}"


@keys.command("revoke")
def revoke_key(name: str) -> None:
    """Ends a key at once."""
    with telling_errors():
        if not _ledger().revoke_key(name, by=_me()):
            raise PeopleError(
                Text(ja=f"{name} という有効なキーはありません。", en=f"There is no active key {name}."),
                Text(ja="`assistant keys list` で確かめてください。", en="See `assistant keys list`."),
            )


@users.command("list")
def list_users(*, as_json: Json = False) -> None:
    """Every known user with groups."""
    with telling_errors():
        found = _ledger().users()
        if as_json:
            typer.echo(json.dumps([_user_out(user) for user in found], ensure_ascii=False, indent=1))
        else:
            for user in found:
                state = "disabled" if user.is_disabled else "enabled"
                typer.echo(f"{user.name}\t{user.display_name or '-'}\t{','.join(sorted(user.groups)) or '-'}\t{state}")


def _user_out(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "display_name": user.display_name,
        "groups": sorted(user.groups),
        "is_disabled": user.is_disabled,
    }


@users.command("set-groups")
def set_groups(user: str, group: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Replaces the groups of a user; without groups the user reads only what everyone may."""
    with telling_errors():
        _ledger().set_groups(checked_name(user), group or (), by=_me())


@users.command("sync")
def sync(
    *,
    file: Annotated[Path | None, typer.Option(help="users.toml; - reads it from standard input.")] = None,
    htpasswd: Annotated[Path | None, typer.Option(help="nginx's password file, instead of users.toml.")] = None,
    groups: Annotated[Path | None, typer.Option(help="With --htpasswd: lines like `board: chie ben`.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    allow_disabling: Annotated[
        bool, typer.Option("--allow-disabling", help="Even if more than half of the users are disabled.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Makes the ledger say what the file says; known users that it does not name are disabled."""
    with telling_errors():
        settings = load_settings()
        if (htpasswd is None) != (groups is None) or (htpasswd is not None and file is not None):
            raise PeopleError(
                Text(ja="指定の組み合わせが違います。", en="These options do not go together."),
                Text(ja="--file か、--htpasswd と --groups の両方。", en="Give --file, or --htpasswd with --groups."),
            )
        if htpasswd is not None and groups is not None:
            wanted = read_htpasswd(htpasswd, groups)
        elif file == Path("-"):
            wanted = parse_users(sys.stdin.read(), source="-")
        else:
            wanted = read_users(file or settings.door.users_file)
        done = sync_users(open_ledger(settings), wanted, by=_me(), is_dry=dry_run, allow_disabling=allow_disabling)
        typer.echo(json.dumps(asdict(done), ensure_ascii=False, indent=1) if as_json else "\n".join(_sync_lines(done)))


def _sync_lines(done: Sync) -> Iterator[str]:
    words = {
        "added": Text(ja="新しい利用者", en="added"),
        "changed": Text(ja="変更", en="changed"),
        "disabled": Text(ja="無効にした", en="disabled"),
        "enabled": Text(ja="有効に戻した", en="enabled again"),
        "missing": Text(ja="ファイルにないので無効にした", en="disabled, because the file does not name them"),
        "unused_groups": Text(ja="どの文書にも使われていないグループ", en="groups that no document names"),
    }
    for name, word in words.items():
        if found := getattr(done, name):
            yield f"{word.in_language(caller_language())}: {', '.join(found)}"
    if done.is_empty:
        yield Text(ja="変わったことはありません。", en="Nothing to change.").in_language(caller_language())


@users.command("erase")
def erase(name: str, *, yes: Yes = False, as_json: Json = False) -> None:
    """Deletes a person's questions, conversations, feedback and keys; a pseudonym takes their place in the audit."""
    with telling_errors():
        language = caller_language()
        if not yes:
            asked = Text(
                ja=f"{name} の質問・会話・評価・キーを消します。元に戻せません。続けますか",
                en=f"Everything that {name} asked, with conversations, feedback and keys, goes for good. Go on",
            )
            typer.confirm(asked.in_language(language), abort=True)
        settings = load_settings()
        counts = open_ledger(settings).erase_user(name, by=_me())
        if as_json:
            typer.echo(json.dumps(counts, ensure_ascii=False))
            return
        typer.echo(", ".join(f"{table}: {count}" for table, count in sorted(counts.items())) or "0")
        typer.echo(
            Text(
                ja=f"{settings.door.users_file} と nginx の htpasswd からも {name} を消してください。バックアップとログは別に期限で消えます。",
                en=f"Take {name} out of {settings.door.users_file} and nginx's htpasswd, too. Backups and logs end by their own age.",
            ).in_language(language)
        )


@audit.command("export")
def export(
    since: Annotated[str, typer.Option("--from", help="First day, as 2026-11-01 (UTC).")] = "",
    until: Annotated[str, typer.Option("--to", help="Last day, as 2026-11-30 (UTC).")] = "",
    as_format: Annotated[Format, typer.Option("--format", help="csv (UTF-8 with its mark) or json.")] = Format.CSV,
) -> None:
    """Prints the audit, oldest first; that it was exported is an entry as well."""
    with telling_errors():
        first = _day(since).isoformat() if since else ""
        behind = (_day(until) + timedelta(days=1)).isoformat() if until else "9999"
        ledger = _ledger()
        details = {"from": since, "to": until, "format": as_format.value}
        ledger.record(AuditEntry(Act.EXPORTED, _me(), subject="audit", details=details))
        rows = map(_row, ledger.audit_entries(since=first, until=behind))
        _print_csv(rows) if as_format is Format.CSV else _print_json(rows)


@audit.command("prune")
def prune() -> None:
    """Deletes entries older than ASSISTANT_AUDIT__KEEP_DAYS now; the API does it once a day."""
    with telling_errors():
        settings = load_settings()
        typer.echo(open_ledger(settings).prune_audit(keep_days=settings.audit.keep_days, by=_me()))


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {**asdict(entry), "act": entry.act.value, "documents": list(entry.documents), "details": dict(entry.details)}


def _print_csv(rows: Iterator[dict[str, Any]]) -> None:
    columns = ("entry_id", "at", "act", "actor", "via", "subject", "request_id", "question", "question_hash")
    sys.stdout.write("\ufeff")
    out = csv.writer(sys.stdout)
    out.writerow([*columns, "documents", "details"])
    for row in rows:
        details = json.dumps(row["details"], ensure_ascii=False, sort_keys=True) if row["details"] else ""
        out.writerow([_cell(row[column]) for column in columns] + [" ".join(row["documents"]), details])


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is shown as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value


def _print_json(rows: Iterator[dict[str, Any]]) -> None:
    typer.echo("[")
    for number, row in enumerate(rows):
        typer.echo(("," if number else "") + json.dumps(row, ensure_ascii=False))
    typer.echo("]")


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise PeopleError(
            Text(ja=f"{given!r} は日付ではありません。", en=f"{given!r} is not a day."),
            Text(ja="2026-11-01 の形で書いてください。", en="Write it as 2026-11-01."),
        ) from error


def _no_user(name: str) -> PeopleError:
    return PeopleError(
        Text(ja=f"{name} という利用者は登録されていません。", en=f"There is no known user {name}."),
        Text(
            ja="users.toml に書いて assistant users sync を実行してください。",
            en="Write them into users.toml and run assistant users sync.",
        ),
    )
