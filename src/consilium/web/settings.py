"""How a workstation is run; `consilium serve` fills this in from its options, a file and the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from consilium.settings import dataset_folders, home_folder
from consilium.web.security.policy import SignInPolicy
from consilium.web.security.single_sign_on import SingleSignOn


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a workstation is run.

    Attributes:
        database: URL of the laboratory's records, as `consilium.database.database.Database` takes it.
        files: folder of pictures and readings that the records name.
        hosts: names by which browsers may ask; a request for another one is refused.
        secure: browsers reach it by TLS (its own, or that of a proxy before it): cookies travel no other way.
        largest_upload: bytes of one picture.
        datasets: folders with cases that people may point to when they build a specialist; none other of the disk.
        largest_dataset: bytes of all files of a dataset that is handed in, unpacked.
        largest_request: bytes of a request with pictures.
        sign_in: how long sessions last, how often somebody may try.
        single_sign_on: the hospital's own service that says who somebody is; None: passwords alone.
    """

    database: str = field(default_factory=lambda: f"sqlite:///{home_folder() / 'laboratory' / 'records.db'}")
    files: Path = field(default_factory=lambda: home_folder() / "laboratory" / "files")
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    secure: bool = False
    largest_upload: int = 64 * 1024 * 1024
    datasets: tuple[Path, ...] = field(default_factory=dataset_folders)
    largest_dataset: int = 8 * 1024 * 1024 * 1024
    largest_request: int = 512 * 1024 * 1024
    sign_in: SignInPolicy = field(default_factory=SignInPolicy)
    single_sign_on: SingleSignOn | None = None
