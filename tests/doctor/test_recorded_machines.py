"""The doctor on recorded machines: everything well on a good one, and each broken one named by the right check."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from assistant.domain import DependencyState
from assistant.release.doctor import of_readiness
from assistant.release.examining.matters import MATTERS
from tests.doctor.recorded import Recorded, broken_machine, examined, good_machine, yaml_of

BROKEN = yaml_of("broken.yaml")
ROOT = Path(__file__).parents[2]


def alarms(machine: dict[str, Any]) -> dict[str, str]:
    """The checks that warn or fail."""
    return {finding.name: finding.state for finding in examined(machine) if finding.state in ("warn", "fail")}


def test_a_good_machine_gives_no_alarm_and_everything_was_looked_at() -> None:
    findings = {finding.name: finding for finding in examined(good_machine())}
    assert {name: finding.state for name, finding in findings.items() if finding.state != "ok"} == {
        "certificate": "unchecked"  # no file is recorded: see test_doors.py
    }
    assert len(findings) >= 20


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_machine_is_named_by_the_right_check_and_by_no_other(name: str) -> None:
    changes = BROKEN[name]
    machine = broken_machine(changes)
    assert alarms(machine) == changes["expect"]
    (first, *_) = [finding for finding in examined(machine) if finding.name in changes["expect"]]
    told = "\n".join(first.lines("en"))
    assert str(changes.get("says", "")) in told
    assert all((first.hint.ja, first.hint.en, first.seen.ja, first.seen.en, first.why.ja, first.why.en))


ELSEWHERE = {
    "ledger", "vectors", "embedder", "users_file", "canary", "rebuild_due", "indexes", "address_chroma",  # test_real_deployment.py
    "passwords", "certificate",  # test_doors.py
    "model", "release",  # tests/live/test_doctor.py
    "generation", "embedder_fitness", "yielding",  # tests of their own rooms
}  # fmt: skip
"""Checks whose fault is made of real parts."""


def test_every_check_has_a_broken_set_up_that_it_names() -> None:
    recorded = {check for changes in BROKEN.values() for check in changes["expect"]}
    assert recorded | ELSEWHERE == MATTERS.keys()
    assert not recorded & ELSEWHERE


@pytest.mark.parametrize("guide", ["troubleshooting.md", "troubleshooting.ja.md"])
def test_the_guide_sends_people_to_checks_that_there_are(guide: str) -> None:
    lines = (ROOT / "docs/guides" / guide).read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[2] for line in lines if line.startswith("| ") and line.count("|") == 4]
    named = {check for row in rows[1:] for check in re.findall(r"`(\w+?)_?…?`", row)}
    assert len(named) >= 15
    assert {check for check in named if not any(known.startswith(check) for known in MATTERS)} == set()


def test_there_are_more_than_twenty_broken_machines() -> None:
    assert len(BROKEN) > 20


def test_nothing_is_ok_on_a_machine_that_shows_nothing() -> None:
    empty = {**good_machine(), "commands": {}, "replies": {}, "read_all": {}, "listening": [], "facts": {}}
    found = {finding.name: finding.state for finding in examined(empty)}
    # what is looked at without any tool: the settings, the sockets, the disk
    assert {name for name, state in found.items() if state == "ok"} == {"passwords", "exposed_ports", "disk"}
    assert found["gpu_driver"] == found["model_memory"] == found["flash_attention"] == found["nginx"] == "unchecked"


def test_every_dependency_that_readiness_tells_has_a_reason_and_an_unknown_one_is_shown_all_the_same() -> None:
    assert {"ledger", "vectors", "embedder", "model", "release", "canary", "users_file", "yielding"} <= MATTERS.keys()
    (shown,) = of_readiness([DependencyState("brand_new", "warn", "seen", "すること", "do")])
    assert shown.lines("ja")[0].endswith("brand_new (brand_new): seen")


def test_every_check_has_a_reason_in_both_languages() -> None:
    for finding in examined(good_machine()):
        assert all((finding.why.ja, finding.why.en))
    assert all(matter.title.ja and matter.title.en and matter.source for matter in MATTERS.values())


def test_once_a_release_is_published_its_window_counts_and_not_the_folders() -> None:
    machine = good_machine()
    show = machine["replies"]["http://ollama/api/show company-assistant"]
    show["parameters"] = show["parameters"].replace("8192", "4096")
    machine["replies"]["http://ollama/api/ps"]["models"][0] |= {"name": "company-assistant:r_1", "context_length": 4096}
    assert alarms(machine) == {"num_ctx": "fail"}
    machine["facts"] |= {"release_id": "r_1", "num_ctx": 4096, "models": ["company-assistant:r_1"]}
    assert alarms(machine) == {}
    machine["replies"]["http://ollama/api/ps"]["models"][0]["context_length"] = 8192
    assert alarms(machine) == {"num_ctx": "fail"}
    machine["facts"]["num_ctx"] = 2048
    (found,) = [finding for finding in examined(machine) if finding.name == "num_ctx"]
    assert found.command == "assistant release publish r_1"


def test_old_lines_of_the_log_from_before_a_restart_do_not_count() -> None:
    machine = broken_machine({"more_log": "cudaMalloc failed: out of memory\n"})
    assert alarms(machine) == {"model_memory": "fail"}
    again = good_machine()["commands"]["docker logs --tail 5000 3f1a9c0d7b52"]["err"]
    assert alarms(broken_machine({"more_log": "cudaMalloc failed: out of memory\n" + again})) == {}


def test_a_docker_without_its_server_is_not_blamed_for_a_missing_toolkit() -> None:
    machine = good_machine()
    machine["commands"]["docker info --format {{json .}}"] = {
        "status": 1,
        "out": '{"ID":"","ServerVersion":"","Runtimes":null}',
        "err": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    }
    (toolkit,) = [finding for finding in examined(machine) if finding.name == "container_toolkit"]
    assert toolkit.state == "unchecked"
    assert "systemctl start docker" in toolkit.command
    assert Recorded(machine).run("docker", "version") is None


def test_a_docker_that_cannot_look_into_nginx_says_nothing_of_its_configuration() -> None:
    machine = good_machine()
    machine["commands"]["docker exec 9be07c1f22aa nginx -t -q -c /tmp/nginx/conf/nginx.conf -e stderr"] = {
        "status": 1,
        "err": "Error response from daemon: container 9be07c1f22aa is not running\n",
    }
    (found,) = [finding for finding in examined(machine) if finding.name == "nginx"]
    assert found.state == "unchecked"
