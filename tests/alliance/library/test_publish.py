from __future__ import annotations

import json
import multiprocessing
import shutil
from pathlib import Path

import pytest

from consilium.alliance.library.keys import accept_key, keys, revoke_key, trust_key
from consilium.alliance.library.pack import Terms
from consilium.alliance.library.publish import publish
from consilium.alliance.library.pull import pull, ready_to_run, verify_copy, verify_folder
from consilium.alliance.library.reference import Reference, Version
from consilium.alliance.library.search import search, versions
from consilium.alliance.library.trust import make_key, public_key_of
from consilium.artefact.bundle import MANIFEST, write_bundle
from consilium.artefact.card import read_card
from consilium.artefact.signature import sign
from consilium.errors import InputError, ModelError, NotAllowed, NotTrusted
from tests.alliance.library.conftest import LI, TERMS, WANG, ZHANG, ZHAO, Place, beside, place_in
from tests.alliance.library.small_bundle import files, small_bundle

SMALL = Reference(name="small", version=Version(1, 0, 0))


def published(place: Place, bundle: Path, **more: object) -> object:
    return publish(place.library, ZHANG, bundle, **{"name": "small", "key": place.key, "terms": TERMS, **more})  # type: ignore[arg-type]


def nothing_there(place: Place) -> bool:
    return (
        search(place.library, ZHANG) == ()
        and place.acts == []
        and not (place.home / "library" / "files" / "sha256").exists()
    )


def test_what_was_published_is_a_candidate_with_its_terms_on_it(place: Place, bundle: Path) -> None:
    release = publish(place.library, ZHANG, bundle, name="breast", key=place.key, version=Version(2, 1, 0), terms=TERMS)
    assert (release.title, release.channel, release.current) == ("breast 2.1.0", "candidate", False)
    assert release.licence == "Apache-2.0 AND CC-BY-4.0" and release.hospital == "hospital_a"
    pulled = pull(place.library, WANG, Reference(name="breast", version=Version(2, 1, 0)))
    folder = pulled.contents.bundle.folder
    card = read_card(folder / "models" / "model.json")
    assert (card.name, card.version, card.licence) == ("breast", "2.1.0", "Apache-2.0 AND CC-BY-4.0")
    assert card.trained_on[0].licence == "CC0-1.0"
    assert "SPDX-License-Identifier: CC-BY-4.0" in (folder / "LICENSE").read_text()
    assert json.loads((folder / "configs" / "metadata.json").read_text()) == {"name": "breast", "version": "2.1.0"}
    assert json.loads((folder / "package.json").read_text())["publisher"] == "hospital_a"
    assert (bundle / "LICENSE").read_text() != (folder / "LICENSE").read_text()
    assert [act for act, _, _ in place.acts] == ["library.publish", "library.pull"]


def test_publishing_the_same_again_changes_nothing_and_other_content_is_refused(place: Place, tmp_path: Path) -> None:
    first = published(place, small_bundle(tmp_path / "1"))
    assert published(place, small_bundle(tmp_path / "again")) == first
    with pytest.raises(InputError, match="never changes"):
        published(place, small_bundle(tmp_path / "2", seed=1))
    with pytest.raises(InputError, match="never changes"):
        published(place, small_bundle(tmp_path / "3"), terms=Terms(licence="MIT", data={"": "CC0-1.0"}))
    assert [str(one.version) for one in versions(place.library, ZHANG, "small")] == ["1.0.0"]
    assert [act for act, _, _ in place.acts] == ["library.publish"]
    published(place, small_bundle(tmp_path / "4", seed=1), version=Version(1, 0, 1))
    assert [str(one.version) for one in versions(place.library, ZHANG, "small")] == ["1.0.1", "1.0.0"]


def test_a_name_belongs_to_a_hospital(place: Place, bundle: Path, tmp_path: Path) -> None:
    published(place, bundle)
    key = tmp_path / "zhao.pem"
    trust_key(place.library, ZHANG, make_key(key), hospital="hospital_c")
    with pytest.raises(InputError, match="another hospital's"):
        publish(place.library, ZHAO, bundle, name="small", key=key, version=Version(9, 0, 0), terms=TERMS)
    assert publish(place.library, ZHAO, bundle, name="other", key=key, terms=TERMS).hospital == "hospital_c"


def test_who_may_not_publish_does_not(place: Place, bundle: Path) -> None:
    for person in (LI, WANG):
        with pytest.raises(NotAllowed):
            publish(place.library, person, bundle, name="small", key=place.key, terms=TERMS)
    assert nothing_there(place)


def test_without_a_key_that_counts_nothing_is_published(place: Place, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no key to sign with"):
        published(place, bundle, key=tmp_path / "none.pem")
    unknown = tmp_path / "unknown.pem"
    made = make_key(unknown)
    with pytest.raises(InputError, match="does not know the key"):
        published(place, bundle, key=unknown)
    trust_key(place.library, ZHANG, made, hospital="hospital_c")
    with pytest.raises(NotTrusted, match="of another hospital"):
        published(place, bundle, key=unknown)
    revoke_key(place.library, ZHANG, public_key_of(place.key.read_bytes()).fingerprint, reason="laptop lost")
    with pytest.raises(NotTrusted, match="revoked"):
        published(place, bundle)
    assert search(place.library, ZHANG) == ()


@pytest.mark.parametrize(
    ("changed", "terms", "why"),
    [
        ({}, Terms(data={"": "CC0-1.0"}), "states no (terms|licence)"),
        ({}, Terms(licence="CC-BY-4.0"), "nobody said under which licence it learnt"),
        ({}, Terms(licence="GPL-3.0-only", data={"": "CC0-1.0"}), "GPL-3.0-only is not let in"),
        ({}, Terms(licence="CC-BY-NC-4.0", data={"": "CC0-1.0"}), "not let in"),
        ({}, Terms(licence="CC-BY-4.0", data={"": "GPL-3.0-only"}), "not let in"),
        ({"licence": "GPL-3.0-only"}, Terms(licence="GPL-3.0-only", data={"": "CC0-1.0"}), "not let in"),
        (
            {"trained_on": [{"name": "x", "licence": "evaluate only", "part": "all", "use": "head"}]},
            Terms(licence="MIT", data={"": "CC0-1.0"}), "forbids",
        ),
        (
            {"trained_on": [{"name": "x", "licence": "CC-BY-NC-4.0", "part": "all", "use": "head"}]},
            Terms(licence="MIT", data={"x": "CC0-1.0"}), "forbids",
        ),
        ({"sha256": "0" * 64}, TERMS, "not the file that its card describes"),
        ({"intended_use": ""}, TERMS, "card cannot be used"),
        ({"outputs": [{"name": "z", "shape": [1], "dtype": "float32", "meaning": "m"}]}, TERMS, "outputs"),
    ],
)  # fmt: skip
def test_what_would_not_run_is_not_published(
    place: Place, tmp_path: Path, changed: dict[str, object], terms: Terms, why: str
) -> None:
    bundle = small_bundle(tmp_path / "bundle", changed=changed)
    with pytest.raises(ModelError, match=why) as refused:
        published(place, bundle, terms=terms)
    assert "half" not in refused.value.where
    assert nothing_there(place)


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (Terms(licence="mine", data={"": "CC0-1.0"}), "no licence expression"),
        (Terms(licence="CC-BY-4.0 (mine)", data={"": "CC0-1.0"}), "no licence expression"),
        (Terms(licence="MIT", data={"": "free"}), "no licence expression"),
        (Terms(licence="LicenseRef-alliance", data={"": "CC0-1.0"}), "nobody knows the terms"),
    ],
)
def test_terms_that_say_nothing_are_refused(place: Place, bundle: Path, terms: Terms, why: str) -> None:
    with pytest.raises(InputError, match=why):
        published(place, bundle, terms=terms)
    assert nothing_there(place)


def test_terms_of_ones_own_stand_in_the_licence(place: Place, bundle: Path) -> None:
    terms = Terms(
        licence="LicenseRef-alliance", text="Any hospital of the alliance.", data={"": "LicenseRef-owner-consents"}
    )
    published(place, bundle, terms=terms)
    folder = pull(place.library, LI, SMALL).contents.bundle.folder
    assert (folder / "LICENSE").read_text().endswith("LicenseRef-alliance\n\nAny hospital of the alliance.\n")


def test_a_card_that_states_other_terms_is_not_overruled(place: Place, tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "b", changed={"licence": "Apache-2.0"})
    with pytest.raises(InputError, match=r"its card says Apache-2\.0, not MIT"):
        published(place, bundle, terms=Terms(licence="MIT", data={"": "CC0-1.0"}))


def test_features_of_cases_leave_only_where_a_data_officer_says_so(place: Place, tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "b", cases=17)
    with pytest.raises(InputError, match="features of 17 training cases"):
        published(place, bundle)
    assert nothing_there(place)
    may = Terms(licence="MIT", data={"": "CC0-1.0"}, cases_may_leave=True)
    with pytest.raises(NotAllowed):
        publish(place.library, ZHAO, bundle, name="small", key=place.key, terms=may)
    published(place, bundle, terms=may)
    folder = pull(place.library, LI, SMALL).contents.bundle.folder
    assert json.loads((folder / "package.json").read_text())["case_features"] == 17


def test_a_damaged_bundle_is_not_published(place: Place, bundle: Path, tmp_path: Path) -> None:
    for damage in ("altered", "missing", "extra", "link", "manifest"):
        copy = tmp_path / damage
        shutil.copytree(bundle, copy)
        if damage == "altered":
            (copy / "models" / "model.onnx").write_bytes(b"x")
        elif damage == "missing":
            (copy / "docs" / "README.md").unlink()
        elif damage == "extra":
            (copy / "models" / "extra.onnx").write_bytes(b"x")
        elif damage == "link":
            (copy / "link").symlink_to("/etc")
        else:
            (copy / MANIFEST).write_text("{}")
        with pytest.raises(NotTrusted):
            published(place, copy)
    assert nothing_there(place)


def test_a_bundle_without_card_network_or_licence_is_not_published(place: Place, tmp_path: Path) -> None:
    whole = files()
    for missing, why in (
        (("models/model.json",), "no model card"),
        (("models/model.onnx",), "no network"),
        (("specialist.json",), "neither a specialist"),
        (("LICENSE",), "LICENSE"),
    ):
        folder = tmp_path / missing[0].replace("/", "-")
        write_bundle({name: content for name, content in whole.items() if name not in missing}, folder)
        terms = Terms(data={"": "CC0-1.0"}) if missing == ("LICENSE",) else TERMS
        with pytest.raises(NotTrusted, match=why):
            published(place, folder, terms=terms)
    second = tmp_path / "second"
    write_bundle({**whole, "models/other.onnx": b"x"}, second)
    with pytest.raises(NotTrusted, match=r"no card describes models/other\.onnx"):
        published(place, second)
    assert nothing_there(place)


def test_a_signed_bundle_has_to_hold_against_the_key_that_is_named(place: Place, tmp_path: Path) -> None:
    first, second = tmp_path / "1.pem", tmp_path / "2.pem"
    public = tmp_path / "public.pem"
    public.write_text(make_key(first).pem)
    make_key(second)
    bundle = tmp_path / "signed"
    write_bundle(files(), bundle, seal=lambda folder: sign(folder, second))
    with pytest.raises(NotTrusted, match="signature does not hold"):
        published(place, bundle, signed_by=public)
    shutil.rmtree(bundle)
    write_bundle(files(), bundle, seal=lambda folder: sign(folder, first))
    published(place, bundle, signed_by=public)


def test_a_new_key_of_a_known_publisher_is_taken_when_a_person_says_so(
    place: Place, bundle: Path, tmp_path: Path
) -> None:
    published(place, bundle)
    other = beside(place, tmp_path / "other")
    assert pull(other.library, WANG, SMALL).first_key is True
    assert pull(other.library, WANG, SMALL).first_key is False
    new = tmp_path / "new.pem"
    made = make_key(new)
    trust_key(place.library, ZHANG, made, hospital="hospital_a")
    published(place, bundle, key=new, version=Version(1, 1, 0))
    newer = Reference(name="small", version=Version(1, 1, 0))
    with pytest.raises(NotTrusted, match="has not met"):
        pull(other.library, WANG, newer)
    with pytest.raises(NotAllowed):
        accept_key(other.library, WANG, made.fingerprint[:16])
    chief = type(WANG)(name="sun", hospital="hospital_b", roles=frozenset({"approver"}))
    accept_key(other.library, chief, made.fingerprint[:16])
    assert pull(other.library, WANG, newer).release.version == Version(1, 1, 0)
    revoke_key(place.library, ZHANG, made.fingerprint[:16], reason="laptop lost")
    for act in (pull, ready_to_run, verify_copy):
        with pytest.raises(NotTrusted, match="revoked: laptop lost"):
            act(other.library, WANG, newer)
    assert {one.reason for one in keys(other.library)} >= {"laptop lost", ""}
    with pytest.raises(NotTrusted, match="revoked"):
        accept_key(other.library, chief, made.fingerprint[:16])


def test_a_key_has_one_hospital_and_a_revoked_one_stays_so(place: Place, tmp_path: Path) -> None:
    made = make_key(tmp_path / "k.pem")
    with pytest.raises(NotAllowed):
        trust_key(place.library, LI, made, hospital="hospital_a")
    trust_key(place.library, ZHANG, made, hospital="hospital_b")
    trust_key(place.library, ZHANG, made, hospital="hospital_b")
    with pytest.raises(InputError, match="another hospital"):
        trust_key(place.library, ZHANG, made, hospital="hospital_c")
    revoke_key(place.library, ZHANG, made.fingerprint, reason="lost")
    with pytest.raises(InputError, match="was revoked"):
        trust_key(place.library, ZHANG, made, hospital="hospital_b")
    for wrong in ("", "abc", "zz" * 16, made.fingerprint[:7]):
        with pytest.raises(InputError, match="names"):
            revoke_key(place.library, ZHANG, wrong, reason="x")
    assert [act for act, _, _ in place.acts] == ["library.trust", "library.revoke"]


def _publish_in_process(home: Path, seed: int, queue: object) -> None:
    place = place_in(home)
    try:
        release = publish(
            place.library, ZHANG, small_bundle(home.parent / f"bundle-{seed}", seed=seed), name="small", key=place.key,
            terms=TERMS,
        )  # fmt: skip
        queue.put(("published", release.digest))  # type: ignore[attr-defined]
    except InputError as problem:
        queue.put(("refused", problem.what))  # type: ignore[attr-defined]


def test_of_several_that_publish_one_version_at_once_one_wins(tmp_path: Path) -> None:
    home = tmp_path / "home"
    place_in(home).library.catalogue.close()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    several = [context.Process(target=_publish_in_process, args=(home, seed, queue)) for seed in range(4)]
    for one in several:
        one.start()
    told = [queue.get(timeout=90) for _ in several]
    for one in several:
        one.join(30)
    assert sorted(what for what, _ in told) == ["published", "refused", "refused", "refused"]
    assert all("never changes" in words for what, words in told if what == "refused")
    place = place_in(home)
    (release,) = versions(place.library, ZHANG, "small")
    assert ("published", release.digest) in told
    assert pull(place.library, ZHANG, SMALL).contents.digest == release.digest


def test_a_folder_is_verified_too(place: Place, bundle: Path, tmp_path: Path) -> None:
    published(place, bundle)
    pulled = pull(place.library, LI, SMALL)
    copy = tmp_path / "elsewhere"
    shutil.copytree(pulled.contents.bundle.folder, copy)
    assert verify_folder(place.library, LI, copy).release.title == "small 1.0.0"
    with pytest.raises(NotTrusted, match="was not published"):
        verify_folder(place.library, LI, bundle)


def test_a_known_model_that_is_said_to_be_anothers_is_not_taken(place: Place, bundle: Path, tmp_path: Path) -> None:
    """Whoever can write to the catalogue gives a known model to a hospital of his own, with a key that counts."""
    from sqlalchemy import update

    from consilium.alliance.library.tables import ModelRow

    published(place, bundle)
    other = beside(place, tmp_path / "other")
    pull(other.library, WANG, SMALL)
    key = tmp_path / "forger.pem"
    trust_key(place.library, ZHANG, make_key(key), hospital="hospital_c")
    with place.library.catalogue.writing() as session:
        session.execute(update(ModelRow).values(hospital="hospital_c"))
    publish(place.library, ZHAO, bundle, name="small", key=key, version=Version(1, 0, 1), terms=TERMS)
    for version in (Version(1, 0, 0), Version(1, 0, 1)):
        for act in (pull, ready_to_run, verify_copy):
            with pytest.raises(NotTrusted, match="of hospital_a as this hospital knows it"):
                act(other.library, WANG, Reference(name="small", version=version))
