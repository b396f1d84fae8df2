"""The library in pages and interface, with the karyotyping models that come with Consilium in a real folder store."""

from __future__ import annotations

from pathlib import Path

import pytest

from consilium.alliance.ledger import entries
from consilium.alliance.library.publish import publish
from consilium.alliance.library.reference import Version
from consilium.alliance.library.trust import own_key_file
from consilium.database import database
from tests.web.an_alliance import ALONE_ALL, STATED, TANG, home, put_models, put_people
from tests.web.conftest import Client

__all__ = ["home"]
API = "/api/v1"


@pytest.fixture(autouse=True)
def extras(shipped_models: None) -> None:
    for module in ("packaging", "cryptography", "model_signing"):
        pytest.importorskip(module, reason=f"the library needs {module} (extra library)")


@pytest.fixture
def library(home: Path) -> None:
    """Version 1.0.0 as a candidate that Tang published for hospital_a."""
    put_people(home)
    put_models(home).catalogue.close()


def test_an_empty_library_says_what_to_do_first(home: Path, client: Client) -> None:
    asked = client("tang")
    shown = asked.get("/models")
    assert shown.status_code == 200
    assert "The library is empty" in shown.text and 'href="/specialists"' in shown.text
    assert "consilium library publish" in shown.text
    asked.cookies.set("consilium_lang", "zh")
    assert "模型库中还没有模型" in asked.get("/models").text
    assert asked.get(f"{API}/models").json() == []


def test_a_card_tells_figures_with_intervals_data_licence_hash_and_signature(library: None, client: Client) -> None:
    asked = client("dai")
    told = asked.get(f"{API}/models/karyotype").json()
    assert [(one["version"], one["channel"]) for one in told] == [("1.0.0", "candidate")]
    assert told[0]["publisher"] is None, "names of people are for their own hospital"
    assert client("ren").get(f"{API}/models/karyotype").json()[0]["publisher"] == "tang"
    shown = asked.get("/models/karyotype").text
    cards = told[0]["cards"]
    assert {one["name"] for one in cards} == {"amodal", "classifier", "detector", "rescorer", "structure"}
    for card in cards:
        for metric in card["metrics"]:
            if metric["high"] <= 1:
                assert f"{metric['value']:.3f} ({metric['low']:.3f} - {metric['high']:.3f})" in shown
        assert card["sha256"] in shown
    for word in (told[0]["digest"], told[0]["key"][:32], "Apache-2.0", "hospital_a", "Known failures", "Learnt from"):
        assert word in shown
    assert "<svg" in shown and "Approve 1.0.0" not in shown


def test_models_are_searched_by_words_modality_and_standing(library: None, client: Client) -> None:
    asked = client("dai")
    for query, found in (
        ("", 1), ("?words=metaphase", 1), ("?words=tseng2023", 0), ("?words=metaphase+hospital_a", 1),
        ("?words=retina", 0),
        ("?channel=approved", 0), ("?channel=candidate", 1), ("?modality=us", 0),
    ):  # fmt: skip
        assert len(asked.get(f"{API}/models{query}").json()) == found, query
        assert ('href="/models/karyotype"' in asked.get(f"/models{query}").text) == bool(found), query
    assert "No model fits" in asked.get("/models?words=retina").text
    assert asked.get(f"{API}/models?channel=wrong").status_code == 422
    assert asked.get(f"{API}/models/nothing").json()["error"]["kind"] == "InputError"


def test_a_second_person_approves_and_only_then(library: None, home: Path, client: Client) -> None:
    publisher, second, elsewhere = client("tang"), client("ren"), client("dai")
    assert publisher.post(f"{API}/models/karyotype/1.0.0/approve").status_code == 403
    assert elsewhere.post(f"{API}/models/karyotype/1.0.0/approve").status_code == 403
    refused = elsewhere.post("/models/karyotype/approve", data={"version": "1.0.0"})
    assert refused.status_code == 403 and "may not do this" in refused.text
    assert "Approve 1.0.0" in second.get("/models/karyotype").text
    done = second.post("/models/karyotype/approve", data={"version": "1.0.0"})
    assert (done.status_code, done.headers["location"]) == (303, "/models/karyotype?version=1.0.0")
    told = second.get(f"{API}/models/karyotype").json()[0]
    assert (told["channel"], told["current"], told["approver"]) == ("approved", True, "ren")
    again = second.post("/models/karyotype/approve", data={"version": "1.0.0"})
    assert again.status_code == 422 and "is approved already" in again.text
    assert [(one.who, one.what) for one in entries(home / "ledger.jsonl")][-1] == ("ren", "library.approve")


def test_whoever_published_reads_why_he_cannot_approve(home: Path, client: Client) -> None:
    """Alone, everybody has every role; the second person is needed all the same."""
    put_models(home, publisher=ALONE_ALL).catalogue.close()
    asked = client("tang")
    shown = asked.get("/models/karyotype").text
    assert "A second person" in shown and "Approve 1.0.0" not in shown
    refused = asked.post("/models/karyotype/approve", data={"version": "1.0.0"})
    assert refused.status_code == 403 and "a second person approves it" in refused.text
    assert client("ren").post("/models/karyotype/approve", data={"version": "1.0.0"}).status_code == 303


def test_a_version_is_rolled_back_and_retired_and_those_who_hear_of_it_read_why(home: Path, client: Client) -> None:
    put_people(home)
    library = put_models(home)
    publish(
        library,
        TANG,
        home / "shipped",
        name="karyotype",
        key=own_key_file(home),
        version=Version(1, 1, 0),
        terms=STATED,
    )
    library.catalogue.close()
    second, reader = client("ren"), client("dai")
    assert reader.put(f"{API}/models/karyotype/subscription").json() == {"changed": 1}
    for version in ("1.0.0", "1.1.0"):
        assert second.post(f"{API}/models/karyotype/{version}/approve").status_code == 200
    assert "Go back to the version before" in second.get("/models/karyotype").text
    assert second.post(f"{API}/models/karyotype/rollback", json={"reason": ""}).status_code == 422
    without = second.post("/models/karyotype/rollback", data={"reason": " "})
    assert without.status_code == 422 and "a reason is needed" in without.text
    assert second.post("/models/karyotype/rollback", data={"reason": "worse on blurred cells"}).status_code == 303
    assert second.get(f"{API}/models?channel=approved").json()[0]["version"] == "1.0.0"
    assert reader.post("/models/karyotype/retire", data={"version": "1.0.0", "reason": "x"}).status_code == 403
    assert second.post("/models/karyotype/retire", data={"version": "1.0.0", "reason": "labels <b>"}).status_code == 303
    shown = reader.get("/models/karyotype?version=1.0.0").text
    assert "labels &lt;b&gt;" in shown and "labels <b>" not in shown

    notices = reader.get(f"{API}/model-notices").json()
    assert [(one["version"], one["what"]) for one in notices] == [
        ("1.0.0", "approved"), ("1.1.0", "approved"), ("1.1.0", "rolled back"), ("1.0.0", "retired"),
    ]  # fmt: skip
    page = reader.get("/models").text
    assert "worse on blurred cells" in page and "was taken back for good" in page
    assert second.get(f"{API}/model-notices").json() == []
    assert second.post("/models/notices", data={"number": notices[0]["number"]}).status_code == 422
    numbers = [one["number"] for one in notices]
    assert reader.post("/models/notices", data={"number": numbers}).status_code == 303
    assert reader.get(f"{API}/model-notices").json() == []
    assert len(reader.get(f"{API}/model-notices?every=true").json()) == 4
    assert "worse on blurred cells" not in reader.get("/models").text
    assert reader.delete(f"{API}/models/karyotype/subscription").json() == {"changed": 1}


def test_signature_and_files_are_verified_when_asked(library: None, home: Path, client: Client) -> None:
    asked = client("dai")
    shown = asked.post("/models/karyotype/verify", data={"version": "1.0.0"})
    assert shown.status_code == 200 and "the signature is that of hospital_a" in shown.text
    blobs = [one for one in (home / "library" / "files").rglob("*") if one.is_file() and one.stat().st_size > 100_000]
    assert blobs
    content = bytearray(blobs[0].read_bytes())
    content[1000] ^= 1
    blobs[0].chmod(0o600)
    blobs[0].write_bytes(content)
    altered = asked.post("/models/karyotype/verify", data={"version": "1.0.0"})
    assert altered.status_code >= 422 and 'role="alert"' in altered.text


def test_who_uses_a_model_is_shown_as_far_as_one_may_know(library: None, home: Path, client: Client) -> None:
    from consilium.alliance.library.library import open_library
    from consilium.alliance.library.pull import pull
    from consilium.alliance.library.reference import reference_of
    from tests.web.an_alliance import DAI, REN

    opened = open_library(home, note=lambda *told, **more: None)
    for person in (DAI, REN):
        pull(opened, person, reference_of("karyotype@1.0.0"))
    opened.catalogue.close()
    assert {one["hospital"] for one in client("dai").get(f"{API}/model-usage").json()} == {"hospital_b"}
    assert {one["hospital"] for one in client("ada").get(f"{API}/model-usage").json()} == {"hospital_a", "hospital_b"}
    page = client("dai").get("/models/karyotype").text
    assert "1.0.0 · hospital_b" in page and "1.0.0 · hospital_a" not in page
    assert "2 hospitals in all" in client("tang").get("/models/karyotype").text


def test_without_the_extra_the_page_says_what_to_install(
    home: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = client("tang")
    monkeypatch.setattr(database, "find_spec", lambda _name: None)
    shown = asked.get("/models")
    assert shown.status_code == 503
    assert "The library is not installed here" in shown.text and "consilium[library]" in shown.text
    assert asked.get(f"{API}/models").json()["error"]["kind"] == "MissingExtra"


@pytest.mark.parametrize(
    "path", ["/models", "/models/x", "/model-notices", "/model-usage", "/specialists", "/specialists/x", "/studies",
             "/studies/x", "/compute/capacity", "/compute/jobs", "/compute/health", "/compute/usage", "/datasets"],
)  # fmt: skip
def test_nobody_is_let_in_without_a_login_or_from_outside_the_alliance(home: Path, client: Client, path: str) -> None:
    assert client().get(f"{API}{path}").status_code == 401
    put_people(home)
    stranger = client("both").get(f"{API}{path}")
    assert stranger.status_code == 403
    assert "nobody called 'both'" in stranger.json()["error"]["what"]


@pytest.mark.parametrize("page", ["/models", "/specialists", "/studies", "/alliance"])
def test_pages_ask_who_it_is_and_tell_a_stranger_the_way(home: Path, client: Client, page: str) -> None:
    asked = client().get(page)
    assert asked.status_code == 303 and asked.headers["location"].startswith("/sign-in")
    put_people(home)
    refused = client("both").get(page)
    assert refused.status_code == 403 and "consilium alliance person" in refused.text
