"""NVIDIA driver, container toolkit, the GPU inside Ollama's container, and whether the models really lie on it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.errors import Text
from assistant.machine import Ran
from assistant.release.examining.finding import Finding, ok, plain, unchecked

NVIDIA = "0x10de"
"""The vendor's number on the PCI bus."""
LEAST_DRIVER = 531
"""Ollama's own documents (docs/gpu) ask for driver 531 or newer."""
_INSTALL_DRIVER = "sudo ubuntu-drivers install && sudo reboot"
_INSTALL_TOOLKIT = (
    "sudo apt-get install -y nvidia-container-toolkit\n"
    "sudo nvidia-ctk runtime configure --runtime=docker\n"
    "sudo systemctl restart docker"
)
_RECREATE = "docker compose up -d --force-recreate ollama"


@dataclass(frozen=True)
class Gpu:
    """A card as nvidia-smi tells it."""

    name: str
    driver: str
    memory_mib: int


def gpus_of(smi: Ran | None) -> list[Gpu]:
    """The cards in `nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader,nounits`."""
    if smi is None or smi.status != 0:
        return []
    found = []
    for line in smi.out.splitlines():
        columns = [column.strip() for column in line.split(",")]
        if len(columns) == 3 and columns[2].isdigit():
            found.append(Gpu(columns[0], columns[1], int(columns[2])))
    return found


def gpu_driver(smi: Ran | None, *, vendors: Sequence[str]) -> Finding:
    """`vendors` are the numbers of all cards on the PCI bus."""
    has_card = any(vendor.strip() == NVIDIA for vendor in vendors)
    if smi is None:
        if not has_card:
            return unchecked(
                "gpu_driver", Text(ja="この機械に NVIDIA の GPU は見えません。", en="No NVIDIA GPU is to be seen here.")
            )
        return Finding(
            "gpu_driver", "fail",
            Text(ja="GPU はありますが、ドライバーがありません。", en="There is a GPU and no driver (no nvidia-smi)."),
            Text(ja="ドライバーを入れて再起動してください。", en="Install the driver and restart the machine."),
            _INSTALL_DRIVER,
        )  # fmt: skip
    if smi.status is None:
        return Finding(
            "gpu_driver", "fail",
            Text(ja="nvidia-smi が応答しません。", en="nvidia-smi does not come back."),
            Text(ja="カーネルのログで Xid を探してください。GPU が固まっています。", en="Look for Xid in the kernel's log: the GPU hangs."),
            "sudo dmesg | grep -i xid",
        )  # fmt: skip
    gpus = gpus_of(smi)
    if smi.status != 0 or not gpus:
        return _broken_driver(smi.words)
    seen = plain(", ".join(f"{gpu.name} ({gpu.memory_mib:,} MiB, driver {gpu.driver})" for gpu in gpus))
    major = re.match(r"\d+", gpus[0].driver)
    if major is not None and int(major[0]) < LEAST_DRIVER:
        return Finding(
            "gpu_driver", "warn", seen,
            Text(
                ja=f"Ollama には {LEAST_DRIVER} 以降のドライバーが要ります。",
                en=f"Ollama needs driver {LEAST_DRIVER} or newer.",
            ),
            _INSTALL_DRIVER,
        )  # fmt: skip
    return ok("gpu_driver", seen)


def _broken_driver(words: str) -> Finding:
    if "version mismatch" in words:
        hint = Text(
            ja="ドライバーの更新後に再起動していません。再起動してください。",
            en="The driver was updated since the machine started: restart it.",
        )
        command = "sudo reboot"
    elif "couldn't communicate" in words:
        hint = Text(
            ja="カーネル用のモジュールが読み込まれていません。カーネルの更新後なら作り直してください。",
            en="The kernel's module is not loaded; after an update of the kernel it has to be built anew.",
        )
        command = "sudo dkms autoinstall && sudo modprobe nvidia"
    else:
        hint = Text(
            ja="ドライバーを入れ直して再起動してください。", en="Install the driver anew and restart the machine."
        )
        command = _INSTALL_DRIVER
    return Finding("gpu_driver", "fail", plain(words), hint, command)  # fmt: skip


def container_toolkit(info: Ran | None, *, has_gpu: bool) -> Finding:
    """`info` is `docker info --format {{json .}}`."""
    if info is None:
        return unchecked("container_toolkit", Text(ja="Docker がありません。", en="There is no Docker here."))
    told = _json_of(info)
    if not isinstance(told, dict) or told.get("ServerErrors") or not told.get("ServerVersion"):
        return _no_docker(info, told)
    runtimes = sorted(told.get("Runtimes") or {})
    devices = [str(device.get("ID", "")) for device in told.get("DiscoveredDevices") or []]
    if "nvidia" in runtimes or any(device.startswith("nvidia.com/gpu") for device in devices):
        return ok("container_toolkit", plain(f"runtimes: {', '.join(runtimes)}"))
    if not has_gpu:
        return unchecked("container_toolkit", Text(ja="GPU がないので要りません。", en="Not needed: there is no GPU."))
    return Finding(
        "container_toolkit", "fail",
        Text(
            ja=f"Docker は nvidia を知りません(runtimes: {', '.join(runtimes)})。",
            en=f"Docker does not know nvidia (runtimes: {', '.join(runtimes)}).",
        ),
        Text(ja="入れて Docker を再起動してください。", en="Install it and restart Docker."),
        _INSTALL_TOOLKIT,
    )  # fmt: skip


def _no_docker(info: Ran, told: Any) -> Finding:
    words = " ".join(told["ServerErrors"]) if isinstance(told, dict) and told.get("ServerErrors") else info.words
    if "permission denied" in words:
        return unchecked(
            "container_toolkit",
            Text(ja="Docker に尋ねる権限がありません。", en="This user may not ask Docker."),
            Text(ja="root で実行してください。", en="Run it as root."),
            "sudo assistant doctor",
        )
    return unchecked(
        "container_toolkit",
        Text(ja=f"Docker が応答しません: {words[:120]}", en=f"Docker does not answer: {words[:120]}"),
        Text(ja="Docker を使うなら起動してください。", en="If you use Docker, start it."),
        "sudo systemctl start docker",
    )


def gpu_in_container(inspected: Ran | None, smi: Ran | None, *, has_gpu: bool) -> Finding:
    """`inspected` is `docker inspect` of Ollama's container, `smi` what `nvidia-smi -L` says inside; None: no container."""
    told = _json_of(inspected) if inspected is not None else None
    if not isinstance(told, list) or not told:
        return unchecked(
            "gpu_in_container", Text(ja="Ollama のコンテナが見えません。", en="No container of Ollama is to be seen.")
        )
    host = told[0].get("HostConfig", {})
    requests = host.get("DeviceRequests") or []
    has_asked = any(
        request.get("Driver") in ("nvidia", "cdi") or ["gpu"] in (request.get("Capabilities") or [])
        for request in requests
    )
    if not has_asked and host.get("Runtime") != "nvidia":
        if not has_gpu:
            return unchecked("gpu_in_container", Text(ja="GPU がありません。", en="There is no GPU."))
        return Finding(
            "gpu_in_container", "fail",
            Text(ja="コンテナは GPU なしで起動されています。", en="The container was started without a GPU."),
            Text(
                ja="docker-compose.yml の deploy.resources.reservations.devices を戻して作り直してください。",
                en="Restore deploy.resources.reservations.devices in docker-compose.yml and make it anew.",
            ),
            _RECREATE,
        )  # fmt: skip
    if smi is None or smi.status is None:
        return unchecked(
            "gpu_in_container",
            Text(ja="コンテナの中を見られません。", en="It was not possible to look into the container."),
        )
    if smi.status == 0 and "GPU 0" in smi.out:
        return ok("gpu_in_container", plain(smi.out.splitlines()[0].split(" (UUID")[0]))
    lost = "Failed to initialize NVML" in f"{smi.out}{smi.err}"
    return Finding(
        "gpu_in_container", "fail", plain(smi.words),
        Text(
            ja="ホストの systemctl daemon-reload でコンテナが GPU を失いました。作り直してください。"
            if lost
            else "Container Toolkit を確かめ、コンテナを作り直してください。",
            en="The container lost its GPU when the host's systemd was reloaded. Make it anew."
            if lost
            else "See that the container toolkit is well, then make the container anew.",
        ),
        _RECREATE,
    )  # fmt: skip


def model_on_gpu(running: Sequence[dict[str, Any]] | None, *, gpus: int) -> Finding:
    """`running` are the models of `/api/ps`; None: no answer."""
    if running is None:
        return unchecked("model_on_gpu", Text(ja="Ollama が応答しません。", en="Ollama does not answer."))
    if not running:
        return unchecked(
            "model_on_gpu",
            Text(ja="今はどのモデルも読み込まれていません。", en="No model is loaded just now."),
            Text(ja="質問を一つしてからもう一度。", en="Ask one question, then look again."),
        )
    shares = {str(row["name"]): (int(row.get("size_vram") or 0), int(row.get("size") or 0)) for row in running}
    shown = ", ".join(f"{name} {_percent(*share)} % on the GPU" for name, share in shares.items())
    seen = Text(ja=shown.replace("on the GPU", "が GPU 上"), en=shown)
    if all(size and vram >= size for vram, size in shares.values()):
        return ok("model_on_gpu", seen)
    if not gpus and not any(vram for vram, _ in shares.values()):
        return unchecked(
            "model_on_gpu", Text(ja=f"GPU が見えません。{seen.ja}", en=f"No GPU is to be seen; {seen.en}.")
        )
    return Finding(
        "model_on_gpu", "fail", seen,
        Text(
            ja="num_ctx か OLLAMA_NUM_PARALLEL を下げる、小さいモデルにする、GPU を使うほかのプログラムを止める、のどれかです。",
            en="Lower num_ctx or OLLAMA_NUM_PARALLEL, take a smaller model, or stop what else uses the GPU.",
        ),
        "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv",
    )  # fmt: skip


def _percent(part: int, whole: int) -> int:
    return 100 * part // whole if whole else 0


def _json_of(ran: Ran) -> Any:
    try:
        return json.loads(ran.out)
    except ValueError:
        return None
