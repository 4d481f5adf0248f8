"""The Grafana dashboard asks only for metrics that /metrics gives."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.api.canned import RunningServer

DASHBOARD = Path(__file__).resolve().parents[2] / "docker" / "grafana-dashboard.json"
NAME = re.compile(r"\bassistant_[a-z_]+\b")


def expressions() -> list[str]:
    """Everything that the dashboard asks Prometheus."""
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def given(server: RunningServer) -> set[str]:
    """The names of all metrics as Prometheus keeps them."""
    with server.client() as client:
        text = client.get("/metrics").text
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
    return {family.name + ending for family in text_string_to_metric_families(text) for ending in endings[family.type]}


def test_every_name_on_the_dashboard_is_one_that_the_server_gives(server: RunningServer) -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert asked - given(server) == set()
    assert len(asked) > 10


def test_panels_have_places_of_their_own_and_no_data_source_of_somebodys() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"${source}"}
