"""Node devices of this folder, with the SDK installed once a machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "node"
_INSTALL_SECONDS = 120


def modules() -> Path:
    """Return a folder with the SDK's packages in node_modules; installs them on first use, else skips the test.

    PREFLIGHT_NODE_SDK names a folder that has them already.
    """
    given = os.environ.get("PREFLIGHT_NODE_SDK")
    if given:
        return Path(given)
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    wanted = (SOURCES / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pnp-preflight"
    folder = cache / f"node-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not folder.exists():
        _install(npm, wanted, folder)
    return folder


def _install(npm: str, wanted: bytes, folder: Path) -> None:
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        (draft / "package.json").write_bytes(wanted)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        try:
            done = subprocess.run(
                command, cwd=draft, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not install the SDK within {_INSTALL_SECONDS} s")
        if done.returncode:
            pytest.skip(f"npm could not install the SDK: {done.stderr.strip()[-300:]}")
        try:
            draft.rename(folder)
        except OSError:  # another run was faster
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def device(sdk: Path, ca: Path, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run device.js. On leaving, its input ends and it has ten seconds to go."""
    environment = {
        **os.environ,
        **settings,
        "NODE_PATH": str(sdk / "node_modules"),
        "NODE_EXTRA_CA_CERTS": str(ca),
    }
    with subprocess.Popen(
        ["node", str(SOURCES / "device.js")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            try:
                _, errors = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                _, errors = process.communicate()
            if errors:
                print(errors)
