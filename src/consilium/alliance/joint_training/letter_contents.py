"""What the three files say that lead and hospital hand to each other (`letters.py`), held against what it must be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from consilium.alliance.joint_training.letters import Kind, Letter, sealed, unfit
from consilium.alliance.joint_training.server_place import ServerPlace, place_from
from consilium.alliance.joint_training.study import Study, study_of
from consilium.errors import InputError

_DIGEST = re.compile(r"[0-9a-f]{64}")
_HOSPITAL = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_PEM = re.compile(r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY)-----\n[A-Za-z0-9+/=\n]{1,8000}-----END [A-Z ]{1,20}-----\n?")


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What a hospital is asked to take part in.

    Attributes:
        study: what was agreed.
        hospital: who is asked.
        server: where to connect.
        authority: certificate of the study's authority, PEM.
        token: 64 hex digits that this hospital alone was given.
        expires: ISO 8601, with zone.
    """

    study: Study
    hospital: str
    server: ServerPlace
    authority: str
    token: str
    expires: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """That a hospital takes part, and lets its cases be used.

    Attributes:
        id, study: name and digest of the study.
        hospital: who asks.
        key: public, PEM.
        counts: of cases by label, as the first question of the training asks for them.
        cases: SHA-256 of the cases that may be used.
        who, when: data officer, and when he approved.
    """

    id: str
    study: str
    hospital: str
    key: str
    counts: Mapping[str, Any]
    cases: str
    who: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Admission:
    """That a hospital may connect.

    Attributes:
        id, study: name and digest of the study.
        hospital: who was admitted.
        cases: SHA-256 of the cases of the request.
        server: where to connect.
        certificate: for the key of the request, PEM.
    """

    id: str
    study: str
    hospital: str
    cases: str
    server: ServerPlace
    certificate: str


def written(what: Invitation | Request | Admission, sign: Callable[[bytes], bytes], *, token: str = "") -> bytes:
    """A file to hand over.

    Args:
        what: it says.
        sign: the key's signature of some bytes.
        token: of the invitation; for a request.
    """
    kind: Kind = (
        "invitation" if isinstance(what, Invitation) else "request" if isinstance(what, Request) else "admission"
    )
    return sealed(kind, json.loads(json.dumps(asdict(what))), sign, token=token)


def invitation_from(letter: Letter) -> Invitation:
    """What an invitation says.

    Raises:
        InputError: it is none, or the study in it is unfit.
    """
    told = _fields(letter, "invitation", hospital=_HOSPITAL, authority=_PEM, token=_DIGEST, expires=_NAME)
    if not isinstance(told["study"], dict):
        raise unfit("there is no study in it")
    try:
        study = study_of(told["study"])
    except RecursionError as problem:
        raise unfit("there is no study in it") from problem
    _refuse_odd(study)
    if told["hospital"] not in study.hospitals:
        raise unfit("the study in it does not ask the hospital")
    _moment(told["expires"])
    return Invitation(**{**told, "study": study, "server": place_from(told["server"])})


def request_from(letter: Letter) -> Request:
    """What a request says.

    Raises:
        InputError: it is none.
    """
    told = _fields(
        letter, "request", id=_HOSPITAL, study=_DIGEST, hospital=_HOSPITAL, key=_PEM, cases=_DIGEST, who=_NAME,
        when=_NAME,
    )  # fmt: skip
    _moment(told["when"])
    return Request(**told)


def admission_from(letter: Letter) -> Admission:
    """What an admission says.

    Raises:
        InputError: it is none.
    """
    told = _fields(
        letter, "admission", id=_HOSPITAL, study=_DIGEST, hospital=_HOSPITAL, cases=_DIGEST, certificate=_PEM
    )
    return Admission(**{**told, "server": place_from(told["server"])})


def is_over(expires: str) -> bool:
    """Whether the time that an invitation names has come."""
    return _moment(expires) <= datetime.now(UTC)


def _fields(letter: Letter, kind: Kind, **forms: re.Pattern[str]) -> dict[str, Any]:
    contents: dict[Kind, type[Any]] = {"invitation": Invitation, "request": Request, "admission": Admission}
    names = {one.name for one in fields(contents[kind])}
    if letter.kind != kind:
        raise InputError(
            f"it is the {letter.kind} of a study, not its {kind}", way_out="Lead: invite, admit. Hospital: take."
        )
    if set(letter.body) != names:
        raise unfit(f"its parts are not those of the {kind} of a study")
    for name, form in forms.items():
        if not isinstance(letter.body[name], str) or not form.fullmatch(letter.body[name]):
            raise unfit(f"{name} in it is not what it must be")
    return dict(letter.body)


def _refuse_odd(study: Study) -> None:
    """See that a study's values are of the kinds that they are said to be, since they come to paths and screens."""
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "bool": (bool,), "float": (int, float), "str": (str,)}
    for part in (study, study.contract, study.privacy):
        for one in fields(part):
            if one.type in kinds and type(getattr(part, one.name)) not in kinds[str(one.type)]:
                raise unfit(f"{one.name} of the study in it is not what it must be")
    contract = study.contract
    names = [study.disease, *contract.labels, *([] if contract.modality is None else [contract.modality])]
    if not all(isinstance(one, str) and _HOSPITAL.fullmatch(one) for one in (study.lead, *study.hospitals)):
        raise unfit("a hospital of the study in it has no fit id")
    if not all(isinstance(one, str) and _NAME.fullmatch(one) for one in names):
        raise unfit("a name in the study in it is none")
    if not all(type(one) is int and 0 < one < 10_000 for one in contract.sides):
        raise unfit("a size in the study in it is none")


def _moment(told: str) -> datetime:
    try:
        found = datetime.fromisoformat(told)
    except ValueError as problem:
        raise unfit("a date in it is none") from problem
    if found.tzinfo is None:
        raise unfit("a date in it names no zone")
    return found
