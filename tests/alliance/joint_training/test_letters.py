"""The files that lead and hospital hand to each other are hostile until they are proven sound."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.alliance.joint_training import authority as keys
from consilium.alliance.joint_training.admitting import admit, invite
from consilium.alliance.joint_training.authority import authority_in, new_key, public_key_of
from consilium.alliance.joint_training.invited import read_invited, write_invited
from consilium.alliance.joint_training.letter_contents import (
    admission_from,
    invitation_from,
    request_from,
    written,
)
from consilium.alliance.joint_training.letters import Letter, letter_from, read_letter
from consilium.alliance.joint_training.membership import Membership
from consilium.alliance.joint_training.register import Register
from consilium.alliance.joint_training.server_place import ServerPlace
from consilium.alliance.joint_training.site_cases import counts_of, write_cases
from consilium.alliance.joint_training.taking_part import request, take_admission, take_invitation
from consilium.errors import ConsiliumError, InputError, NotAllowed, NotTrusted
from tests.alliance.joint_training.places import hospital_cases, study

pytest.importorskip("nvflare", reason="NVIDIA FLARE is not installed: pip install 'consilium[joint]'")

OF = study(hospitals=2)
FIRST, SECOND = OF.hospitals


def agree(*_shown: object) -> None:
    """Whoever is asked says yes."""


class Alliance:
    """A lead and two hospitals on installations of their own, with the letters of the first."""

    def __init__(self, root: Path) -> None:
        self.lead = Register(root / "lead")
        self.lead.create(OF)
        self.places = {hospital: Register(root / hospital) for hospital in OF.hospitals}
        self.invitation = self.invited(FIRST)
        self.request = self.asked(FIRST)
        self.admission = admit(self.lead, letter_from(self.request), agree)

    def invited(self, hospital: str) -> bytes:
        content = invite(self.lead, OF, hospital, days=3)
        take_invitation(self.places[hospital], letter_from(content), hospital, agree)
        return content

    def asked(self, hospital: str, seed: int = 0) -> bytes:
        place, site = self.places[hospital], OF.pseudonyms[hospital]
        cases = hospital_cases(seed, sizes=(60, 80))[site]
        folder = place.site_folder(hospital, OF.id)
        folder.mkdir(parents=True, exist_ok=True)
        digest = write_cases(cases, folder / "cases.npz")
        counts = json.loads(json.dumps(asdict(counts_of(cases, 3))))
        place.join(
            OF, Membership(
                study=OF.as_document(), site=site, hospital=hospital, counts=counts, cases=digest,
                policy=str(place.policy(hospital)), kit="",
            ),
        )  # fmt: skip
        place.approve(OF, hospital, who="officer")
        return request(place, OF, hospital)[0]


@pytest.fixture(scope="module")
def alliance(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    return Alliance(tmp_path_factory.mktemp("alliance"))


def read(letter: Letter) -> object:
    return {"invitation": invitation_from, "request": request_from, "admission": admission_from}[letter.kind](letter)


def proven(content: bytes, alliance: Alliance) -> Letter:
    """A letter whose form, content and signature are sound."""
    letter = letter_from(content)
    read(letter)
    authority = authority_in(alliance.lead.folder(OF.id)).certificate
    signer = str(letter.body["key"]) if letter.kind == "request" else authority
    keys.refuse_forged(signer, letter.signed, letter.signature, what="it")
    if letter.kind == "request" and not letter.is_of_token(read_invited(alliance.lead.folder(OF.id))[FIRST].token):
        raise NotAllowed("of another token")
    return letter


@pytest.mark.parametrize("name", ["invitation", "request", "admission"])
@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_a_letter_with_a_changed_byte_says_the_same_or_is_refused(
    name: str, data: st.DataObject, alliance: Alliance
) -> None:
    content: bytes = getattr(alliance, name)
    whole = proven(content, alliance)
    at = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[at] = data.draw(st.integers(0, 255))
    cut = content[: data.draw(st.integers(0, len(content) - 3))]
    for other in (bytes(changed), cut, content + bytes([changed[at]])):
        try:
            assert proven(other, alliance) == whole
        except (InputError, NotTrusted, NotAllowed):
            continue


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(content=st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_no_letter_is_refused_with_a_way_out(content: bytes) -> None:
    with pytest.raises(InputError) as refused:
        letter_from(content)
    assert refused.value.way_out


@pytest.mark.parametrize("name", ["invitation", "request", "admission"])
@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_a_body_with_anything_in_it_is_read_or_refused(name: str, data: st.DataObject, alliance: Alliance) -> None:
    document = json.loads(getattr(alliance, name))
    body: dict[str, Any] = document["body"]
    inner = data.draw(st.sampled_from([body, *(one for one in body.values() if isinstance(one, dict))]))
    inner[data.draw(st.sampled_from([*inner, "more"]))] = data.draw(VALUES)
    content = json.dumps(document).encode()
    try:
        proven(content, alliance)
    except ConsiliumError:
        return
    assert json.loads(content) == json.loads(getattr(alliance, name))


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"format": "consilium study", "format": "x"}', b"\xff\xfe", b"0" * 300_000, b"9" * 5000, b""],
    ids=["deep", "twice", "no text", "long", "long number", "empty"],
)
def test_traps_of_json_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "letter").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_letter(tmp_path / "letter")
    assert refused.value.where == str(tmp_path / "letter")
    with pytest.raises(InputError):
        read_letter(tmp_path)


def forged(alliance: Alliance, sign: Callable[[bytes], bytes], **changes: Any) -> Letter:
    """An admission with other contents, signed by somebody."""
    return letter_from(written(replace(admission_from(letter_from(alliance.admission)), **changes), sign))


def test_a_certificate_of_another_authority_hospital_or_key_makes_no_kit(alliance: Alliance, tmp_path: Path) -> None:
    own = authority_in(alliance.lead.folder(OF.id))
    (tmp_path / "other").mkdir()
    other = authority_in(tmp_path / "other")
    place = alliance.places[FIRST]
    folder = place.site_folder(FIRST, OF.id)
    public = public_key_of((folder / "client.key").read_text())

    def of(key: str) -> Callable[[bytes], bytes]:
        return lambda content: keys.sign(key, content)

    wrong = {
        "was changed": forged(alliance, of(other.key), certificate=other.certify("site-1", public)),
        "another authority": forged(alliance, of(own.key), certificate=other.certify("site-1", public)),
        "another hospital": forged(alliance, of(own.key), certificate=own.certify("site-2", public)),
        "another key": forged(alliance, of(own.key), certificate=own.certify("site-1", public_key_of(new_key()))),
        "other cases": forged(alliance, of(own.key), cases="0" * 64),
        "of another study": forged(alliance, of(own.key), study="0" * 64),
    }
    for why, letter in wrong.items():
        with pytest.raises((NotTrusted, NotAllowed), match=why):
            take_admission(place, letter, FIRST)
        assert not (folder / "kit").exists()
    with pytest.raises(NotAllowed, match=f"is for {FIRST}"):
        take_admission(place, letter_from(alliance.admission), SECOND)
    take_admission(place, letter_from(alliance.admission), FIRST)
    assert (folder / "kit" / "startup" / "client.key").read_text() == (folder / "client.key").read_text()
    assert (folder / "kit" / "startup" / "rootCA.pem").read_text() == own.certificate


def test_an_invitation_is_over_when_it_says_so(tmp_path: Path) -> None:
    lead, place = Register(tmp_path / "lead"), Register(tmp_path / "place")
    lead.create(OF)
    own = authority_in(lead.folder(OF.id))
    found = invitation_from(letter_from(invite(lead, OF, FIRST, days=3)))
    over = written(replace(found, expires="2020-01-01T00:00:00+00:00"), lambda content: keys.sign(own.key, content))
    with pytest.raises(NotAllowed, match="out of date since 2020"):
        take_invitation(place, letter_from(over), FIRST, agree)
    assert not (tmp_path / "place").exists()


def test_a_request_after_the_invitation_is_over_is_refused(tmp_path: Path) -> None:
    alliance = Alliance(tmp_path)
    alliance.invited(SECOND)
    asked = letter_from(alliance.asked(SECOND))
    folder = alliance.lead.folder(OF.id)
    known = read_invited(folder)
    write_invited({**known, SECOND: replace(known[SECOND], expires="2020-01-01T00:00:00+00:00")}, folder)
    with pytest.raises(NotAllowed, match="out of date"):
        admit(alliance.lead, asked, agree)
    assert alliance.lead.standing(OF.id).joined == (FIRST,)
    # A second one of the same study by another authority is not taken for the first.
    (tmp_path / "stranger").mkdir()
    stranger = Register(tmp_path / "stranger")
    stranger.create(OF)
    with pytest.raises(InputError, match="another authority"):
        take_invitation(alliance.places[SECOND], letter_from(invite(stranger, OF, SECOND, days=3)), SECOND, agree)
    other = replace(OF, disease="something else")
    again = Register(tmp_path / "again")
    again.create(other)
    with pytest.raises(InputError, match="another study"):
        take_invitation(alliance.places[SECOND], letter_from(invite(again, other, SECOND, days=3)), SECOND, agree)


def test_whose_hospital_joined_on_the_leads_installation_is_not_invited_and_the_other_way_round(
    tmp_path: Path,
) -> None:
    alliance = Alliance(tmp_path)
    membership = Membership(
        study=OF.as_document(), site="site-1", hospital=FIRST, counts={}, cases="", policy="", kit=""
    )
    with pytest.raises(InputError, match="installation of its own"):
        alliance.lead.join(OF, membership)
    alliance.lead.join(OF, replace(membership, hospital=SECOND, site="site-2"))
    with pytest.raises(InputError, match="joined on this installation"):
        invite(alliance.lead, OF, SECOND, days=3)


def test_keys_of_another_kind_are_not_certified(alliance: Alliance) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    own = authority_in(alliance.lead.folder(OF.id))
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)):
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        with pytest.raises(InputError, match="no public key of FLARE's kind"):
            own.certify("site-1", pem)


@pytest.mark.parametrize("host", ["", "LAB", "a b", "-a", "a..b", "127.0.0.2", "::1", "a" * 65, "x;rm", "é.org", None])
def test_hosts_that_cannot_be_are_refused(host: Any) -> None:
    with pytest.raises(InputError):
        ServerPlace(host=host, port=8002)


@pytest.mark.parametrize("port", [0, 80, 65536, True, "8002", 8002.0])
def test_ports_that_cannot_be_are_refused(port: Any) -> None:
    with pytest.raises(InputError):
        ServerPlace(port=port)


def test_on_the_installation_that_leads_it_nobody_takes_an_invitation(alliance: Alliance) -> None:
    letter = letter_from(alliance.invitation)
    with pytest.raises(InputError, match="is led on this installation"):
        take_invitation(alliance.lead, letter, FIRST, agree)
