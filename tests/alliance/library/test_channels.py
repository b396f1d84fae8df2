from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from consilium.alliance.library.channels import approve, current_of, retire, roll_back
from consilium.alliance.library.keys import revoke_key
from consilium.alliance.library.notices import acknowledge, notices, subscribe
from consilium.alliance.library.publish import publish
from consilium.alliance.library.pull import pull, ready_to_run, verify_copy
from consilium.alliance.library.reference import Reference, Version, reference_of
from consilium.alliance.library.search import as_document, search, versions
from consilium.alliance.library.use import usage
from consilium.alliance.permissions import Person
from consilium.errors import ConsiliumError, InputError, NotAllowed, NotTrusted
from tests.alliance.library.conftest import LI, TERMS, WANG, ZHANG, ZHAO, Place, beside, place_in
from tests.alliance.library.small_bundle import small_bundle

OPERATOR = Person(name="op", hospital="centre", roles=frozenset({"operator"}))
CHEN = Person(name="chen", hospital="hospital_b", roles=frozenset({"member", "approver"}))
WU = Person(name="wu", hospital="hospital_c", roles=frozenset({"member"}))


def put(place: Place, tmp_path: Path, *names: str) -> None:
    """Publish versions of "small"."""
    for name in names:
        version = reference_of(f"small@{name}").version
        assert version is not None
        seed = version.major * 100 + version.minor * 10 + version.patch
        bundle = small_bundle(tmp_path / f"bundle-{name}", seed=seed)
        publish(place.library, ZHANG, bundle, name="small", key=place.key, version=version, terms=TERMS)


def let_in(place: Place, *names: str, person: Person = LI) -> None:
    for name in names:
        approve(place.library, person, reference_of(f"small@{name}"))


def stands(place: Place) -> dict[str, str]:
    return {
        str(one.version): one.channel + ("*" if one.current else "") for one in versions(place.library, LI, "small")
    }


def test_a_second_person_lets_a_candidate_in(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0")
    with pytest.raises(NotTrusted, match="no version of small is approved"):
        ready_to_run(place.library, LI, Reference(name="small"))
    with pytest.raises(NotAllowed, match="a second person"):
        approve(place.library, ZHANG, reference_of("small@1.0.0"))
    with pytest.raises(NotAllowed):
        approve(place.library, WANG, reference_of("small@1.0.0"))
    with pytest.raises(InputError, match="has to be named"):
        approve(place.library, LI, reference_of("small@candidate"))
    assert stands(place) == {"1.0.0": "candidate"}
    assert ready_to_run(place.library, LI, reference_of("small@candidate")).release.channel == "candidate"
    found = approve(place.library, CHEN, reference_of("small@1.0.0"))
    assert (found.channel, found.current, found.approver, found.approver_hospital) == (
        "approved",
        True,
        "chen",
        "hospital_b",
    )
    assert ready_to_run(place.library, LI, Reference(name="small")).release.title == "small 1.0.0"
    with pytest.raises(InputError, match="approved already"):
        approve(place.library, LI, reference_of("small@1.0.0"))
    with pytest.raises(InputError, match="waits for approval"):
        pull(place.library, LI, reference_of("small@candidate"))


def test_rolling_back_gives_the_version_before(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0", "1.1.0", "2.0.0")
    with pytest.raises(InputError, match="no version of small is approved"):
        roll_back(place.library, LI, "small", reason="worse")
    let_in(place, "1.0.0", "1.1.0", "2.0.0")
    assert stands(place) == {"2.0.0": "approved*", "1.1.0": "approved", "1.0.0": "approved"}
    with pytest.raises(NotAllowed):
        roll_back(place.library, WANG, "small", reason="worse")
    with pytest.raises(InputError, match="reason"):
        roll_back(place.library, LI, "small", reason=" ")
    assert roll_back(place.library, LI, "small", reason="worse").title == "small 1.1.0"
    assert stands(place) == {"2.0.0": "candidate", "1.1.0": "approved*", "1.0.0": "approved"}
    assert roll_back(place.library, LI, "small", reason="worse still").title == "small 1.0.0"
    with pytest.raises(InputError, match="before"):
        roll_back(place.library, LI, "small", reason="and again")
    assert stands(place) == {"2.0.0": "candidate", "1.1.0": "candidate", "1.0.0": "approved*"}
    let_in(place, "2.0.0")
    assert roll_back(place.library, LI, "small", reason="no").title == "small 1.0.0"


def test_a_retired_version_runs_nowhere_and_the_one_before_stands_in(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0", "1.1.0")
    let_in(place, "1.0.0", "1.1.0")
    ready_to_run(place.library, WANG, Reference(name="small"))
    with pytest.raises(NotAllowed):
        retire(place.library, ZHAO, reference_of("small@1.1.0"), reason="x")
    retire(place.library, ZHANG, reference_of("small@1.1.0"), reason="wrong labels")
    assert stands(place) == {"1.1.0": "retired", "1.0.0": "approved*"}
    for act in (ready_to_run, pull, verify_copy):
        with pytest.raises(NotTrusted, match="was retired: wrong labels"):
            act(place.library, WANG, reference_of("small@1.1.0"))
    assert ready_to_run(place.library, WANG, Reference(name="small")).release.title == "small 1.0.0"
    with pytest.raises(InputError, match="retired already"):
        retire(place.library, LI, reference_of("small@1.1.0"), reason="again")
    with pytest.raises(InputError, match="retired already"):
        let_in(place, "1.1.0")
    retire(place.library, LI, reference_of("small@1.0.0"), reason="too")
    assert current_of(place.library, "small") is None
    with pytest.raises(NotTrusted, match="no version"):
        ready_to_run(place.library, WANG, Reference(name="small"))
    put(place, tmp_path, "1.2.0")
    assert stands(place) == {"1.2.0": "candidate", "1.1.0": "retired", "1.0.0": "retired"}


def test_what_a_revoked_key_signed_is_not_let_in(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0")
    (release,) = search(place.library, LI)
    revoke_key(place.library, ZHANG, release.key.fingerprint, reason="lost")
    with pytest.raises(NotTrusted, match="revoked"):
        let_in(place, "1.0.0")
    assert stands(place) == {"1.0.0": "candidate"}


def test_subscribers_and_users_are_told_until_they_acknowledge(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0", "1.1.0")
    assert subscribe(place.library, WANG, "small") and not subscribe(place.library, WANG, "small")
    assert notices(place.library, WANG) == ()
    let_in(place, "1.0.0", "1.1.0")
    told = notices(place.library, WANG)
    assert [(one.version, one.what, one.used) for one in told] == [
        ("1.0.0", "approved", False),
        ("1.1.0", "approved", False),
    ]
    assert notices(place.library, WANG) == told
    assert acknowledge(place.library, WANG, (told[0].number,)) == 1
    assert [one.version for one in notices(place.library, WANG)] == ["1.1.0"]
    assert [one.version for one in notices(place.library, WANG, every=True)] == ["1.0.0", "1.1.0"]
    assert acknowledge(place.library, WANG, tuple(one.number for one in told)) == 1
    assert notices(place.library, WANG) == () and notices(place.library, WU) == ()

    # Another hospital only runs it, and hears when that version is taken back; whoever looks first acknowledges.
    ready_to_run(place.library, WU, Reference(name="small"))
    roll_back(place.library, LI, "small", reason="worse on children")
    (one,) = notices(place.library, WU)
    assert (one.version, one.what, one.reason, one.instead, one.used) == (
        "1.1.0",
        "rolled back",
        "worse on children",
        "1.0.0",
        True,
    )
    assert [seen.what for seen in notices(place.library, WANG)] == ["rolled back"]
    with pytest.raises(InputError, match="no notice 999"):
        acknowledge(place.library, WU, (999, one.number))
    colleague = Person(name="xu", hospital="hospital_c", roles=frozenset({"member"}))
    assert acknowledge(place.library, colleague, (one.number,)) == 1
    assert notices(place.library, WU) == ()
    assert [seen.what for seen in notices(place.library, WANG)] == ["rolled back"]

    # The version that stands in is another: who never used it is not told when it goes.
    retire(place.library, LI, reference_of("small@1.0.0"), reason="old")
    assert notices(place.library, WU) == ()
    assert subscribe(place.library, WANG, "small", wanted=False)
    assert not subscribe(place.library, WANG, "small", wanted=False)
    let_in(place, "1.1.0")
    assert "approved" not in [seen.what for seen in notices(place.library, WANG)]


def test_notices_of_others_cannot_be_acknowledged(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0")
    subscribe(place.library, WANG, "small")
    let_in(place, "1.0.0")
    (one,) = notices(place.library, WANG)
    for stranger in (WU, CHEN):
        with pytest.raises(InputError, match="no notice"):
            acknowledge(place.library, stranger, (one.number,))
    assert notices(place.library, WANG) == (one,)
    with pytest.raises(NotAllowed):
        notices(place.library, OPERATOR)


def test_a_hospital_does_not_see_who_else_uses_what(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0")
    let_in(place, "1.0.0")
    for person, times in ((WANG, 2), (WU, 1)):
        other = beside(place, tmp_path / person.hospital)
        for _ in range(times):
            ready_to_run(other.library, person, Reference(name="small"))
    mine = usage(place.library, WANG)
    assert [(one.hospital, one.pulls, one.runs) for one in mine] == [("hospital_b", 1, 2)]
    assert [one.hospital for one in usage(place.library, WU)] == ["hospital_c"]
    (sums,) = usage(place.library, Person(name="z", hospital="hospital_a", roles=frozenset({"member", "publisher"})))
    assert (sums.hospital, sums.hospitals, sums.pulls, sums.runs, sums.last) == ("", 2, 2, 3, "")
    assert usage(place.library, Person(name="y", hospital="hospital_a", roles=frozenset({"member"}))) == ()
    assert [one.hospital for one in usage(place.library, OPERATOR)] == ["hospital_b", "hospital_c"]
    with pytest.raises(NotAllowed):
        usage(place.library, Person(name="x", hospital="hospital_b", roles=frozenset()))


def test_names_of_people_are_for_their_own_hospital(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0")
    let_in(place, "1.0.0", person=CHEN)
    (release,) = versions(place.library, WU, "small")
    told = as_document(release, WU)
    assert (told["publisher"], told["approver"]) == (None, None)
    assert "zhang" not in str(told) and "chen" not in str(told)
    assert (told["hospital"], told["approver_hospital"]) == ("hospital_a", "hospital_b")
    assert as_document(release, ZHANG)["publisher"] == "zhang"
    assert as_document(release, CHEN)["approver"] == "chen"
    assert (as_document(release, OPERATOR)["publisher"], as_document(release, OPERATOR)["approver"]) == (
        "zhang",
        "chen",
    )


def test_models_are_found_by_words_modality_and_channel(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0", "1.1.0")
    bundle = small_bundle(tmp_path / "lung", changed={"task": "binary: nodule", "modalities": ["ct"]})
    publish(place.library, ZHANG, bundle, name="lung", key=place.key, terms=TERMS)
    let_in(place, "1.0.0")

    def found(*words: str, **more: str) -> list[str]:
        return [one.title for one in search(place.library, WANG, *words, **more)]  # type: ignore[arg-type]

    assert found() == ["lung 1.0.0", "small 1.0.0"]
    assert (
        found("TUMOUR") == ["small 1.0.0"]
        and found("nodule", "lung") == ["lung 1.0.0"]
        and found("nodule", "small") == []
    )
    assert found(modality="ct") == ["lung 1.0.0"] and found(modality="mr") == []
    assert found(channel="candidate") == ["lung 1.0.0", "small 1.1.0"] and found(channel="retired") == []
    retire(place.library, LI, reference_of("lung@1.0.0"), reason="x")
    assert found(channel="retired") == ["lung 1.0.0"] and found() == ["lung 1.0.0", "small 1.0.0"]
    with pytest.raises(InputError, match="no model"):
        versions(place.library, WANG, "liver")
    with pytest.raises(NotAllowed):
        search(place.library, Person(name="x", hospital="hospital_b"))


def test_every_change_leaves_an_entry_and_nothing_else_does(place: Place, tmp_path: Path) -> None:
    put(place, tmp_path, "1.0.0", "1.1.0")
    let_in(place, "1.0.0", "1.1.0")
    subscribe(place.library, WANG, "small")
    ready_to_run(place.library, WANG, Reference(name="small"))
    roll_back(place.library, LI, "small", reason="worse")
    acknowledge(place.library, WANG, tuple(one.number for one in notices(place.library, WANG)))
    retire(place.library, LI, reference_of("small@1.1.0"), reason="bad")
    subscribe(place.library, WANG, "small", wanted=False)
    acts = [what.removeprefix("library.") for what, _, _ in place.acts]
    assert acts == [
        "publish",
        "publish",
        "approve",
        "approve",
        "subscribe",
        "pull",
        "run",
        "rollback",
        "acknowledge",
        "retire",
        "unsubscribe",
    ]
    before = list(place.acts)
    search(place.library, WANG)
    versions(place.library, WANG, "small")
    usage(place.library, WANG)
    verify_copy(place.library, WANG, Reference(name="small"))
    for act in (lambda: let_in(place, "1.1.0"), lambda: roll_back(place.library, LI, "small", reason="x")):
        with pytest.raises(ConsiliumError):
            act()
    assert place.acts == before
    assert all(str(details.get("hospital", "")).startswith("hospital_") for _, _, details in place.acts)


def test_where_no_entry_can_be_left_nothing_is_changed(place: Place, tmp_path: Path) -> None:
    from dataclasses import replace

    from consilium.errors import OutputError

    put(place, tmp_path, "1.0.0", "1.1.0")
    let_in(place, "1.0.0")
    before = stands(place)

    def full(*_: object, **__: object) -> None:
        raise OutputError("the ledger cannot be written (No space left on device)")

    broken = replace(place.library, note=full)
    for act in (
        lambda: approve(broken, LI, reference_of("small@1.1.0")),
        lambda: retire(broken, LI, reference_of("small@1.0.0"), reason="x"),
        lambda: subscribe(broken, WANG, "small"),
        lambda: ready_to_run(broken, WANG, Reference(name="small")),
        lambda: publish(broken, ZHANG, small_bundle(tmp_path / "n", seed=9), name="new", key=place.key, terms=TERMS),
    ):
        with pytest.raises(OutputError):
            act()
    assert stands(place) == before and usage(place.library, OPERATOR) == ()
    assert [one.name for one in search(place.library, LI)] == ["small"]
    assert subscribe(place.library, WANG, "small")


class Channels(RuleBasedStateMachine):
    """Whatever is done in whatever order: one current version at most, approved; nothing retired comes back."""

    folder: Path
    number = 0

    @initialize()
    def begin(self) -> None:
        type(self).number += 1
        self.place = place_in(self.folder / str(type(self).number))
        self.count, self.retired = 0, set[str]()
        self.add()

    @rule()
    def add(self) -> None:
        self.count += 1
        bundle = small_bundle(self.place.home / f"b{self.count}", seed=self.count)
        publish(
            self.place.library,
            ZHANG,
            bundle,
            name="small",
            key=self.place.key,
            version=Version(1, self.count, 0),
            terms=TERMS,
        )

    @rule(data=st.data(), what=st.sampled_from(["approve", "retire", "rollback"]))
    def change(self, data: st.DataObject, what: str) -> None:
        version = Version(1, data.draw(st.integers(1, self.count)), 0)
        reference = Reference(name="small", version=version)
        before = stands(self.place)
        try:
            if what == "approve":
                approve(self.place.library, LI, reference)
                assert before[str(version)] == "candidate" and stands(self.place)[str(version)] == "approved*"
            elif what == "retire":
                retire(self.place.library, LI, reference, reason="x")
                self.retired.add(str(version))
            else:
                current = current_of(self.place.library, "small")
                back = roll_back(self.place.library, LI, "small", reason="x")
                assert current is not None and before[str(back.version)] == "approved"
                assert stands(self.place)[str(current.version)] == "candidate"
        except InputError:
            assert stands(self.place) == before

    @invariant()
    def holds(self) -> None:
        now = stands(self.place)
        assert sum(one.endswith("*") for one in now.values()) == (
            1 if any("approved" in one for one in now.values()) else 0
        )
        assert all(one in ("candidate", "approved", "approved*", "retired") for one in now.values())
        assert {version for version, one in now.items() if one == "retired"} == self.retired

    def teardown(self) -> None:
        self.place.library.catalogue.close()


def test_channels_hold_whatever_is_done(tmp_path: Path) -> None:
    Channels.folder = tmp_path
    run_state_machine_as_test(
        Channels,
        settings=settings(max_examples=5, stateful_step_count=12, suppress_health_check=list(HealthCheck)),
    )
