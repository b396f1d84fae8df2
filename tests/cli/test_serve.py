"""`consilium serve` as it is called: where it listens, the demo laboratory, its end; and its settings."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the workstation needs fastapi (extra web)")
pytest.importorskip("uvicorn", reason="the workstation needs uvicorn (extra web)")
pytest.importorskip("argon2", reason="the workstation needs argon2 (extra web)")

import httpx
from click.testing import CliRunner

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import cli, run
from consilium.errors import InputError
from consilium.web.security.policy import SignInPolicy
from consilium.web.security.single_sign_on import SingleSignOn
from consilium.web.settings_file import ENTRIES, PREFIX, read_settings

ROOT = Path(__file__).parents[2]


@contextmanager
def served(home: Path, *options: str) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """A workstation of its own: (what it said, its address, its process)."""
    environ = os.environ | {"CONSILIUM_HOME": str(home), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    environ.pop("CONSILIUM_LABORATORY", None)
    environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-m", "consilium", "serve", "--port", "0", *options], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=environ,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            found = re.search(r"Consilium is at (\S+)", line)
            if found is not None:
                yield said, found[1], process
                return
        pytest.fail(f"it did not start: {said}")
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()


def answered(address: str, **more: object) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(retries=8, **more), trust_env=False, timeout=30) as client:  # type: ignore[arg-type]
        return client.get(address)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_laboratory_is_founded_with_passwords_that_are_shown_once(tmp_path: Path, told: signal.Signals) -> None:
    with served(tmp_path) as (said, address, process):
        passwords = dict(re.findall(r"^  (\w+)\s+(\S{23})$", said, re.MULTILINE))
        assert sorted(passwords) == ["administrator", "director", "reviewer", "technologist"]
        assert answered(f"{address}/api/v1/health").json()["status"] == "ok"
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as browser:
            for person, password in passwords.items():
                begun = browser.post("/api/v1/session", json={"person": person, "password": password})
                assert begun.status_code == 201 and begun.json()["must_change"] is True
            assert browser.get("/api/v1/worklist").status_code == 403
        process.send_signal(told)
        assert process.wait(30) == 0
        assert process.stdout is not None and process.stdout.read().endswith("stopped\n")
    with served(tmp_path) as (said, address, _):
        assert "password" not in said.replace("Consilium is at", "")
        assert answered(f"{address}/api/v1/health").status_code == 200
    for one in tmp_path.rglob("*"):
        if one.is_file():
            content = one.read_bytes()
            assert not any(password.encode() in content for password in passwords.values()), one


def test_a_founded_laboratory_gets_passwords_for_its_administrators_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path))
    monkeypatch.setenv("CONSILIUM_PERSON", "wang")
    monkeypatch.delenv("CONSILIUM_LABORATORY", raising=False)
    assert run(["laboratory", "init", "Cytogenetics, Hospital A"]) == ExitCode.DONE
    assert run(["laboratory", "staff", "tang", "--role", "technologist"]) == ExitCode.DONE
    with served(tmp_path) as (said, _, _):
        assert re.findall(r"^  (\w+)\s+\S{23}$", said, re.MULTILINE) == ["wang"]
        assert "Demo" not in said
    answer = CliRunner().invoke(cli, ["laboratory", "account", "tang"])
    assert re.fullmatch(r"tang: \S{23}\n", answer.output)
    assert run(["laboratory", "account", "tang", "--disable"]) == ExitCode.DONE
    assert run(["laboratory", "account", "nobody"]) == ExitCode.NOT_ALLOWED


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine and its key."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    x509 = pytest.importorskip("cryptography.x509", reason="a certificate for the test needs cryptography")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    first, second = folder / "chain.pem", folder / "key.pem"
    first.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    second.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    second.chmod(0o600)
    return first, second


def test_other_machines_are_served_by_tls_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import ssl

    for host in ("0.0.0.0", "::", "lab.hospital.example", "192.0.2.1"):
        assert run(["serve", "--host", host]) == ExitCode.UNUSABLE_INPUT
        assert "reads along" in capsys.readouterr().err
    chain, key = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(chain))
    with served(tmp_path / "home", "--tls-certificate", str(chain), "--tls-key", str(key)) as (_, address, _):
        assert address.startswith("https://127.0.0.1:")
        answer = answered(f"{address}/sign-in", verify=trust)
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert "secure" in answer.headers["set-cookie"].lower()
        assert "server" not in answer.headers
        with pytest.raises(httpx.TransportError):
            httpx.get(address.replace("https", "http") + "/api/v1/health", trust_env=False)


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["serve", "--port", str(taken.getsockname()[1])]) == ExitCode.MODEL_OR_OUTPUT
    assert "another --port" in capsys.readouterr().err


# Settings


def read(text: str, tmp_path: Path, environ: dict[str, str] | None = None, **said: object):  # type: ignore[no-untyped-def]
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(said, file=path, environ=environ or {})


def test_what_is_said_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    text = 'laboratory = "sqlite:///a.db"\n[serve]\nport = 1\n[sign_in]\nidle_minutes = 7\n'
    assert read(text, tmp_path).port == 1
    assert read(text, tmp_path, {PREFIX + "SERVE_PORT": "2"}).port == 2
    assert read(text, tmp_path, {PREFIX + "SERVE_PORT": "2"}, **{"serve.port": 3}).port == 3
    made = read(text, tmp_path, {"CONSILIUM_LABORATORY": "sqlite:///b.db"})
    assert made.settings.database == "sqlite:///b.db"
    assert made.settings.sign_in.idle_minutes == 7
    assert read_settings({}, environ={"CONSILIUM_SETTINGS": str(tmp_path / "settings.toml")}).port == 1


@pytest.mark.parametrize(
    "wrong",
    ["[serve]\nprot = 1", "nonsense", "[serve]\nport = '1'", "[serve]\nport = true", "[serve]\nport = 70000",
     "[serve]\nnames = [1]", "[sign_in]\nidle_minutes = 0", "[single_sign_on]\nissuer = 'http://x.example'",
     "[serve]\ntls_key = '/nothing'", "[uploads]\nlargest_picture_megabytes = 0", "serve = 1",
     "[serve]\nhost = '0.0.0.0'\nbehind_proxy = true"],
)  # fmt: skip
def test_a_wrong_setting_is_refused_with_its_name(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read(wrong, tmp_path)


def test_behind_a_proxy_it_listens_for_the_proxy(tmp_path: Path) -> None:
    text = "[serve]\nhost = '10.0.0.2'\nbehind_proxy = true\nnames = ['lab.hospital.example']\nproxies = ['10.0.0.1']"
    made = read(text, tmp_path)
    assert made.settings.secure and made.proxies == ("10.0.0.1",)
    assert "lab.hospital.example" in made.settings.hosts
    assert read("", tmp_path).proxies == ()


def test_a_key_that_everybody_reads_is_refused(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    key.chmod(0o644)
    with pytest.raises(InputError, match="everybody"):
        read(f"[serve]\ntls_certificate = '{chain}'\ntls_key = '{key}'", tmp_path)


def test_every_setting_stands_in_the_reference_with_its_default() -> None:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    listed = {row[0].strip("`"): row for row in rows}
    assert set(listed) == set(ENTRIES)
    kinds = {str: "text", int: "number", bool: "yes or no", list: "list"}
    for name, (kind, default) in ENTRIES.items():
        shown = ",".join(default) if isinstance(default, list) else str(default)
        told = shown.lower() if kind is bool else shown
        assert listed[name][1] == kinds[kind]
        assert listed[name][2].strip("`") == told
    for section, made in (("sign_in", SignInPolicy), ("single_sign_on", SingleSignOn)):
        assert {f"{section}.{one.name}" for one in fields(made)} <= set(ENTRIES)
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    import tomllib

    assert tomllib.loads(example)["serve"]["port"] == 8443
