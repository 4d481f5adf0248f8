"""What docker-compose.yml promises, read through Debian's docker-compose."""

from __future__ import annotations

import inspect
import re
import shutil
from pathlib import Path

import pytest

from assistant import wiring
from assistant.settings import known_variables
from tests.compose.compose_file import (
    PROJECT,
    SECRET,
    Config,
    Service,
    dockerfile_instructions,
    dockerfile_stages,
    image_command,
    load_config,
    run_config,
)

OURS = ["api", "chroma", "ingest", "ui"]
EVERYONE = [*OURS, "nginx", "ollama"]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The file with nothing but the secret set."""
    return load_config(tmp_path_factory.mktemp("compose"))


def networks_of(service: Service) -> set[str]:
    """Names of the networks that a service is in."""
    return set(service["networks"])


def test_the_file_has_the_six_services(config: Config) -> None:
    assert sorted(config["services"]) == sorted(EVERYONE)


def test_only_nginx_publishes_a_port_and_only_on_this_machine_unless_told(config: Config, tmp_path: Path) -> None:
    published = {name: service["ports"] for name, service in config["services"].items() if service.get("ports")}
    assert published == {"nginx": ["127.0.0.1:8080:8080/tcp"]}
    opened = load_config(tmp_path, PUBLISH_ADDRESS="0.0.0.0", PUBLISH_PORT="80")
    assert opened["services"]["nginx"]["ports"] == ["0.0.0.0:80:8080/tcp"]
    assert not any("network_mode" in service for service in config["services"].values())


def test_nginx_cannot_reach_chroma_or_ollama_and_the_documents_have_no_way_out(config: Config) -> None:
    networks = {name: networks_of(service) for name, service in config["services"].items()}
    assert networks["nginx"].isdisjoint(networks["chroma"] | networks["ollama"] | networks["ingest"])
    assert networks["ui"].isdisjoint(networks["chroma"] | networks["ollama"])
    closed = {name for name, network in config["networks"].items() if network.get("internal") is True}
    assert closed == {"front", "back"}
    with_way_out = {name for name in networks if networks[name] - closed}
    assert with_way_out == {"nginx", "ollama"}


def test_ollamas_way_out_can_be_sealed_once_the_models_are_there(config: Config, tmp_path: Path) -> None:
    assert config["networks"]["egress"]["internal"] is False
    assert load_config(tmp_path, OLLAMA_SEALED="true")["networks"]["egress"]["internal"] is True


def test_signing_in_by_openid_connect_gives_the_api_a_way_out_and_changes_nothing_else(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "docker-compose.oidc.yml", tmp_path)
    both = "docker-compose.yml:docker-compose.oidc.yml"
    plain, changed = load_config(tmp_path), load_config(tmp_path, COMPOSE_FILE=both)
    assert networks_of(changed["services"]["api"]) == {"front", "back", "provider"}
    assert not changed["networks"]["provider"].get("internal")
    for name in set(EVERYONE) - {"api"}:
        assert networks_of(changed["services"][name]) == networks_of(plain["services"][name])
    for name in EVERYONE:
        assert changed["services"][name].get("ports") == plain["services"][name].get("ports")
    assert changed["services"]["nginx"]["environment"]["NGINX_SIGN_IN"] == "oidc"


def test_the_providers_secret_reaches_the_api_alone(tmp_path: Path) -> None:
    services = load_config(tmp_path, ASSISTANT_SIGN_IN__CLIENT_SECRET="planted-secret")["services"]
    assert [name for name in EVERYONE if "planted-secret" in str(services[name])] == ["api"]


def test_vllm_beside_ollama_has_no_way_out_and_only_the_api_hears_of_it(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "docker-compose.vllm.yml", tmp_path)
    given = {"VLLM_MODEL_FOLDER": "/srv/models/qwen", "ASSISTANT_SECOND__SHARE_PERCENT": "10"}
    plain = load_config(tmp_path)
    changed = load_config(tmp_path, COMPOSE_FILE="docker-compose.yml:docker-compose.vllm.yml", **given)
    vllm, api = changed["services"]["vllm"], changed["services"]["api"]["environment"]
    assert changed["networks"] == plain["networks"]
    assert networks_of(vllm) == {"back"}
    assert changed["networks"]["back"]["internal"] is True
    assert "ports" not in vllm
    assert (vllm["read_only"], vllm["user"], vllm["cap_drop"]) == (True, "10001:10001", ["ALL"])
    options = dict(part.lstrip("-").split("=", 1) for part in vllm["command"] if "=" in part)
    served = (api["ASSISTANT_SECOND__KIND"], api["ASSISTANT_SECOND__URL"], api["ASSISTANT_SECOND__MODEL"])
    assert served == ("openai", f"http://vllm:{options['port']}/v1", options["served-model-name"])
    assert api["ASSISTANT_SECOND__SHARE_PERCENT"] == "10"
    assert options["max-num-seqs"] == api["ASSISTANT_SECOND__PARALLEL"]
    modelfile = (PROJECT / "modelfiles" / "company-assistant.Modelfile").read_text(encoding="utf-8")
    assert f"PARAMETER num_ctx {options['max-model-len']}\n" in modelfile
    assert options["generation-config"] == "vllm"
    for name in set(EVERYONE) - {"api"}:
        assert changed["services"][name]["environment"] == plain["services"][name]["environment"]
    assert {name for name in api if name.startswith("ASSISTANT_")} <= set(known_variables())


def test_the_model_of_vllm_must_be_named(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "docker-compose.vllm.yml", tmp_path)
    both = "docker-compose.yml:docker-compose.vllm.yml"
    done = run_config(tmp_path, ASSISTANT_PROXY_SECRET=SECRET, COMPOSE_FILE=both)
    assert done.returncode != 0
    assert "VLLM_MODEL_FOLDER" in done.stderr


SETTING_READ = re.compile(r"\bsettings\.([a-z_]+)(?:\.([a-z_]+))?")


def settings_read(*sources: str) -> set[str]:
    """The variables behind `settings.name` and `settings.group.name` in these texts."""
    found = {
        "ASSISTANT_" + "__".join(part for part in name if part).upper()
        for source in sources
        for name in SETTING_READ.findall(source)
    }
    known = set(known_variables())
    return {next(name for name in (full, full.split("__")[0]) if name in known) for full in found}


def test_ui_and_ingest_are_handed_every_setting_that_they_read(config: Config) -> None:
    rooms = {
        name: [path.read_text(encoding="utf-8") for path in (PROJECT / name).rglob("*.py")] for name in ("ui", "ingest")
    }
    opening = (wiring.open_ledger, wiring.open_stores, wiring._configured_spec, wiring._embedder)
    rooms["ingest"] += [inspect.getsource(function) for function in opening]
    for name, sources in rooms.items():
        read = settings_read(*sources)
        assert len(read) > 5
        assert read - set(config["services"][name]["environment"]) == set(), name


def test_what_else_stands_in_the_env_file_reaches_the_api_alone(tmp_path: Path) -> None:
    planted = {
        "ASSISTANT_SIGN_IN__CLIENT_SECRET": "planted-1",
        "ASSISTANT_SECOND__API_KEY": "planted-2",
        "SOMETHING_OF_THE_ADMINISTRATOR": "planted-3",
    }
    services = load_config(tmp_path, **planted, ASSISTANT_OPENAI_API_KEY="planted-4")["services"]
    assert [name for name in EVERYONE if any(value in str(services[name]) for value in planted.values())] == ["api"]
    assert sorted(name for name in EVERYONE if "planted-4" in str(services[name])) == ["api", "ingest"]


def test_the_users_file_is_where_the_api_looks_for_it_and_may_be_replaced_while_it_runs(config: Config) -> None:
    api = config["services"]["api"]
    file = Path(api["environment"]["ASSISTANT_DOOR__USERS_FILE"])
    mounted = [
        volume for volume in api["volumes"] if isinstance(volume, str) and volume.split(":")[1] == str(file.parent)
    ]
    assert len(mounted) == 1, "its folder, not the file: an editor puts a new file in the old one's place"
    assert mounted[0].endswith("/var/users:/users:ro")


def test_the_golden_questions_are_where_ingestion_looks_for_them(config: Config) -> None:
    ingest = config["services"]["ingest"]
    modelfile = Path(ingest["environment"]["ASSISTANT_MODELFILE"])
    assert any(str(volume).endswith(f"/modelfiles:{modelfile.parent}:ro") for volume in ingest["volumes"])
    assert (PROJECT / "modelfiles" / modelfile.name).is_file()


def test_the_image_has_what_the_tools_of_mcp_need() -> None:
    assert re.search(r"^mcp==", (PROJECT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_nothing_starts_without_the_proxy_secret(tmp_path: Path) -> None:
    done = run_config(tmp_path)
    assert done.returncode != 0
    assert "ASSISTANT_PROXY_SECRET" in done.stderr
    assert "openssl rand -hex 32" in done.stderr


def test_the_secret_reaches_those_who_check_it_and_is_written_nowhere(config: Config) -> None:
    for name in ("nginx", "api", "ui"):
        assert config["services"][name]["environment"]["ASSISTANT_PROXY_SECRET"] == SECRET
    for name in ("chroma", "ollama"):
        assert SECRET not in str(config["services"][name])
    assert SECRET not in (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")


def test_every_image_is_pinned(config: Config) -> None:
    for name, service in config["services"].items():
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*", service["image"]), name
    assert config["services"]["ollama"]["build"]["args"]["OLLAMA_IMAGE"] == "ollama/ollama:0.17.7"


@pytest.mark.parametrize("name", EVERYONE)
def test_every_service_is_watched_restarted_and_locked_down(config: Config, name: str) -> None:
    service = config["services"][name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"] == {"driver": "json-file", "options": {"max-file": "5", "max-size": "10m"}}
    assert "stop_grace_period" in service
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "not root"
    assert [entry for entry in service["tmpfs"] if entry.startswith("/tmp:") and "size=" in entry]


def test_ollama_has_the_gpu_and_the_settings_that_fit_the_modelfile(config: Config) -> None:
    ollama = config["services"]["ollama"]
    devices = ollama["deploy"]["resources"]["reservations"]["devices"]
    assert [(device["driver"], device["capabilities"]) for device in devices] == [("nvidia", ["gpu"])]
    environment = ollama["environment"]
    expected = {
        "OLLAMA_NUM_PARALLEL": "4",
        "OLLAMA_MAX_LOADED_MODELS": "2",
        "OLLAMA_FLASH_ATTENTION": "1",
        "OLLAMA_KV_CACHE_TYPE": "q8_0",
        "OLLAMA_KEEP_ALIVE": "-1",
        "OLLAMA_NO_CLOUD": "1",
    }
    assert {name: environment[name] for name in expected} == expected
    text = (PROJECT / "modelfiles" / "company-assistant.Modelfile").read_text(encoding="utf-8")
    num_ctx = re.search(r"^PARAMETER num_ctx (\d+)$", text, re.MULTILINE)
    assert num_ctx is not None
    assert environment["OLLAMA_CONTEXT_LENGTH"] == num_ctx[1] == "8192"


def test_the_number_of_parallel_questions_and_the_models_are_the_same_for_api_and_ollama(tmp_path: Path) -> None:
    chosen = {"ASSISTANT_MODEL_PARALLEL": "2", "ASSISTANT_CHAT_MODEL": "mine", "ASSISTANT_EMBED_MODEL": "bge-m3"}
    services = load_config(tmp_path, **chosen)["services"]
    assert services["ollama"]["environment"]["OLLAMA_NUM_PARALLEL"] == "2"
    assert services["api"]["environment"]["ASSISTANT_MODEL_PARALLEL"] == "2"
    for name in ("ASSISTANT_CHAT_MODEL", "ASSISTANT_EMBED_MODEL"):
        having = [service["environment"] for service in services.values() if name in service.get("environment", {})]
        assert len(having) >= 2
        assert {environment[name] for environment in having} == {chosen[name]}


def test_every_assistant_variable_is_a_setting(config: Config) -> None:
    known = set(known_variables())
    for name, service in config["services"].items():
        used = {variable for variable in service.get("environment", {}) if variable.startswith("ASSISTANT_")}
        assert used <= known, name


def test_a_developers_own_addresses_in_env_do_not_reach_the_containers(tmp_path: Path) -> None:
    own = {
        "ASSISTANT_DATA_FOLDER": "var",
        "ASSISTANT_CHROMA_URL": "http://127.0.0.1:8100",
        "ASSISTANT_OLLAMA_URL": "http://127.0.0.1:11434",
        "ASSISTANT_API_URL": "http://127.0.0.1:8000",
        "ASSISTANT_API_HOST": "127.0.0.1",
        "ASSISTANT_UI_HOST": "127.0.0.1",
        "ASSISTANT_DEMO_USER": "aiko",
        "ASSISTANT_MODELFILE": "modelfiles/company-assistant.Modelfile",
    }
    services = load_config(tmp_path, **own)["services"]
    for name in ("api", "ingest", "ui"):
        kept = {key: value for key, value in services[name]["environment"].items() if own.get(key) == value}
        relevant = kept.keys() & used_by(name)
        assert not relevant, name
        assert services[name]["environment"].get("ASSISTANT_DEMO_USER", "") == ""


def used_by(name: str) -> set[str]:
    """Settings with an address or a folder that the service reads."""
    stores = {"ASSISTANT_DATA_FOLDER", "ASSISTANT_CHROMA_URL", "ASSISTANT_OLLAMA_URL"}
    return {
        "api": stores | {"ASSISTANT_API_HOST", "ASSISTANT_MODELFILE"},
        "ingest": stores,
        "ui": {"ASSISTANT_API_URL", "ASSISTANT_UI_HOST"},
    }[name]


@pytest.mark.parametrize(("given", "mounted"), [(None, "examples"), ("examples", "examples"), ("./文書", "文書")])
def test_the_documents_are_mounted_read_only_where_they_are_read(
    tmp_path: Path, given: str | None, mounted: str
) -> None:
    chosen = {} if given is None else {"ASSISTANT_DOCUMENTS_FOLDER": given}
    services = load_config(tmp_path, **chosen)["services"]
    for name in ("api", "ingest"):
        assert services[name]["environment"]["ASSISTANT_DOCUMENTS_FOLDER"] == "/documents"
        volumes = [volume for volume in services[name]["volumes"] if isinstance(volume, dict)]
        volumes = [volume for volume in volumes if volume["target"] != "/rules/ingest.toml"]
        source = volumes[0].pop("source")
        assert volumes == [{"type": "bind", "target": "/documents", "read_only": True}]
        assert (tmp_path / source).resolve() == (tmp_path / mounted).resolve()


def test_the_rules_of_the_folders_are_mounted_read_only_into_ingest(config: Config) -> None:
    ingest = config["services"]["ingest"]
    (volume,) = (v for v in ingest["volumes"] if isinstance(v, dict) and v["target"] == "/rules/ingest.toml")
    assert volume["read_only"]
    assert ingest["environment"]["ASSISTANT_RULES_FILE"] == volume["target"]


def test_api_and_ingest_share_the_ledger_and_every_other_mount_of_a_folder_is_read_only(config: Config) -> None:
    services = config["services"]
    assert "data:/data:rw" in services["api"]["volumes"]
    assert "data:/data:rw" in services["ingest"]["volumes"]
    named = {"data": {"api", "ingest"}, "chroma": {"chroma"}, "ollama": {"ollama"}}
    for name, service in services.items():
        for volume in service.get("volumes", []):
            if isinstance(volume, str):
                source, _, mode = volume.split(":")
                assert mode == ("rw" if source in named else "ro"), f"{name}: {volume}"
                assert source not in named or name in named[source]


def test_the_api_does_not_wait_for_a_model_download(config: Config) -> None:
    for service in config["services"].values():
        assert "ollama" not in service.get("depends_on", {})


# ---- the Dockerfile


@pytest.mark.parametrize("name", [*OURS, "ollama"])
def test_each_of_our_services_is_a_target_of_the_one_dockerfile(config: Config, name: str) -> None:
    service = config["services"][name]
    assert service["build"]["target"] == name
    users = [rest for word, rest in dockerfile_stages()[name] if word == "USER"] or ["10001:10001"]
    assert users[-1] == service["user"], "what runs is not root, whoever runs it"


@pytest.mark.parametrize("name", OURS)
def test_an_image_run_by_hand_does_what_the_service_does(config: Config, name: str) -> None:
    assert image_command(name) == config["services"][name]["command"]


def test_base_images_are_pinned_and_agree_with_the_compose_file(config: Config) -> None:
    defaults = dict(rest.split("=") for word, rest in dockerfile_instructions() if word == "ARG" and "=" in rest)
    assert defaults["OLLAMA_IMAGE"] == config["services"]["ollama"]["build"]["args"]["OLLAMA_IMAGE"]
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", defaults["PYTHON_IMAGE"])
    stages = dockerfile_stages()
    for name, instructions in stages.items():
        base = instructions[0][1].split()[0]
        assert base in stages or base in {"${PYTHON_IMAGE}", "${OLLAMA_IMAGE}"}, name


def test_packages_are_installed_by_hash_and_no_address_of_a_registry_is_kept() -> None:
    runs = [rest for word, rest in dockerfile_instructions() if word == "RUN"]
    installs = [rest for rest in runs if "pip install" in rest]
    assert installs == [
        "pip install --require-hashes -r requirements.txt",
        "pip install --no-deps --no-build-isolation .",
    ]
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    assert "://" not in text
    assert re.search(r"^setuptools==", (PROJECT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_what_the_dockerfile_copies_is_let_through_by_dockerignore_and_nothing_else() -> None:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_through = {rule[1:] for rule in rules if rule.startswith("!")}
    copied: set[str] = set()
    for word, rest in dockerfile_instructions():
        if word == "COPY" and "--from" not in rest:
            copied |= {part.split("/")[0] for part in rest.split()[:-1] if not part.startswith("--")}
    assert copied == let_through
    assert all((PROJECT / name).exists() for name in copied)
