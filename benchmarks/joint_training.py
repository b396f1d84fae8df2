"""What hospitals gain by training together: `python -m benchmarks.joint_training` (CONSILIUM_DATA, extra `joint`).

Real sets are split into hospitals that see different mixes of patients (Dirichlet), several times. On the test cases of
all hospitals, of which none was trained on or chosen on, these are compared by mean AUC: a head of each hospital's own
cases; the head of a study; the same under encryption and with differential privacy; a head of all cases in one place.
The encoder has seen none of these sets; on one of them (`DEVELOPED_ON`) choices of this room were made, which the table
says. Under differential privacy the features are scaled by figures of public sets, the one in question left out.

The repetitions call the functions that hospitals and server call, in one process. One study of each kind goes through
NVIDIA FLARE in real processes, must agree with that, and gives the seconds and bytes.

The attack asks of each case whether it was trained on (LiRA: Carlini et al. 2022, IEEE S&P, "Membership inference
attacks from first principles", offline and online scores by Gaussians), with heads of random halves of the cases as
its shadows; it is given the scaling, the features and the labels. Beside it stands what no attack can exceed under the
privacy that was promised.

The figures go to `benchmarks/results/joint_training.json`, a table and a plot beside it.
"""

from __future__ import annotations

import csv
import json
import platform
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from benchmarks.results import machine
from consilium.alliance.joint_training.differential_privacy import ROUNDS, mu_of
from consilium.alliance.joint_training.encryption import Cipher, new_context
from consilium.alliance.joint_training.public_scaling import scaling_of
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import SiteCases
from consilium.alliance.joint_training.study import Contract, Privacy, Study
from consilium.alliance.joint_training.training import Scaling, Training
from consilium.generalist.cache import FeatureCache
from consilium.generalist.looks import Looks, looking
from consilium.generalist.shipped import shipped_encoder
from consilium.settings import DATA_VARIABLE, data_folder
from consilium.specialist.case_features import CaseFeatures, case_features
from consilium.specialist.dataset import read_dataset
from consilium.specialist.duplicates import merged, same_features
from consilium.specialist.head import Head, fit_head
from consilium.specialist.penalised import Loss, basis_of, losses, path
from consilium.specialist.splits import codes_of
from training.public_scaling import MOST, pooled

RESULTS = Path(__file__).parent / "results" / "joint_training.json"
SETS: Mapping[str, str] = {
    "us_busi_breast": "us",
    "sm_oral_scc": "sm",
    "cyto_lbc_pap": "cyto",
    "op_odir_cataract": "op",
}
DEVELOPED_ON = "us_busi_breast"
PUBLIC: Mapping[str, str] = {
    "xr_kermany_pneumonia": "xr",
    "us_busi_breast": "us",
    "dms_isic2017_melanoma": "dms",
    "sm_oral_scc": "sm",
    "cyto_lbc_pap": "cyto",
    "ct_head_hemorrhage": "ct",
    "smear_aml15": "smear",
}
HOSPITALS = 4
CONCENTRATION = 0.5
"""Of the Dirichlet distribution of each label over the hospitals; small is uneven."""
TESTED, CHOSEN_ON = 0.3, 0.2
FEWEST = 8
"""Cases of a hospital, to train on and to test on."""
STRENGTHS = (0.1, 1.0, 10.0)
EPSILONS = (8.0, 3.0, 1.0)
DELTA = 1e-3
AIM = 0.9
SHADOWS, TARGETS = 64, 16

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Cases:
    """A set: features (n, d), classes (n,), patients (n,), names of the labels."""

    features: NDArray[np.float32]
    classes: NDArray[np.intp]
    patients: NDArray[np.intp]
    labels: tuple[str, ...]


def read_set(
    data: Path,
    name: str,
    modality: str,
    *,
    most: int | None = None,
    also: Callable[[CaseFeatures], None] = lambda _read: None,
) -> Cases:
    """Features of a set, in the looks of `specialist fit`; copies count as of one patient.

    `also` gets the cases while their files are there.
    """
    encoder = shipped_encoder()
    looks = looking(encoder, Looks(sides=(encoder.side, encoder.side * 7 // 4), mirrored=True))
    with TemporaryDirectory(prefix="consilium-joint-") as folder:
        with zipfile.ZipFile(data / "medical" / f"{name}.zip") as files:
            files.extractall(folder)
        found = next(Path(folder).rglob("manifest.csv"))
        with found.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        if most is not None:
            rows = [rows[at] for at in np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]
        table = found.parent / "cases.csv"
        columns = [one for one in ("file", "label", "group") if one in rows[0]]
        with table.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        read = case_features(read_dataset(table, task="classify"), looks, modality=modality, cache=FeatureCache())
        also(read)
    patients = merged(codes_of(read.dataset.groups), [*read.duplicates, *same_features(read.features)])
    return Cases(
        features=read.features,
        classes=read.dataset.targets().astype(np.intp),
        patients=patients,
        labels=read.dataset.labels,
    )


def split(cases: Cases, seed: int) -> dict[str, SiteCases]:
    """Hospitals with different mixes of labels; every patient is at one, and in training or test."""
    rng = np.random.default_rng(seed)
    while True:
        mixes = rng.dirichlet(np.full(HOSPITALS, CONCENTRATION), len(cases.labels))
        patients, first = np.unique(cases.patients, return_index=True)
        where = np.array([rng.choice(HOSPITALS, p=mixes[cases.classes[at]]) for at in first])
        lot, other = rng.random(len(patients)), rng.random(len(patients))
        place = np.searchsorted(patients, cases.patients)
        site, tested = where[place], lot[place] < TESTED
        chosen_on = ~tested & (other[place] < CHOSEN_ON)
        # A hospital that has next to nothing would not be asked.
        if all(min(((site == one) & part).sum() for part in (tested, ~tested)) >= FEWEST for one in range(HOSPITALS)):
            break
    return {
        f"site-{one + 1}": SiteCases(
            features=cases.features[site == one], classes=cases.classes[site == one],
            patients=cases.patients[site == one], tested=tested[site == one], chosen_on=chosen_on[site == one],
        )
        for one in range(HOSPITALS)
    }  # fmt: skip


def study_of(cases: Cases, **more: Any) -> Study:
    """A study of a set."""
    contract = Contract(
        labels=cases.labels, modality=None, encoder="benchmark", dimensions=cases.features.shape[1], sides=(128, 224),
        least_cases=8, least_tested=1,
    )  # fmt: skip
    hospitals = tuple(f"hospital_{number}" for number in range(1, HOSPITALS + 1))
    told = {"strengths": STRENGTHS, "contribution": "none", **more}
    return Study(id="benchmark", disease="benchmark", hospitals=hospitals, contract=contract, lead=hospitals[0], **told)


def private(study: Study, epsilon: float) -> Study:
    """The same with differential privacy, as `study create` makes it."""
    return replace(study, privacy=Privacy(epsilon=epsilon, delta=DELTA), strengths=(1.0,), rounds=ROUNDS)


def targets(classes: NDArray[np.intp], labels: int) -> tuple[Array, Loss]:
    """What a head learns, (n, 1, columns)."""
    one_hot = np.eye(labels)[classes]
    return (one_hot[:, None, 1:], "logistic") if labels == 2 else (one_hot[:, None], "softmax")


def one_place(features: NDArray[np.float32], classes: NDArray[np.intp], labels: int, seed: int) -> Head:
    """A head of cases in one place, its penalty chosen by five-fold cross-validation among those of the study."""
    truth, loss = targets(classes, labels)
    fold = np.random.default_rng(seed).permutation(np.arange(len(classes)) % 5)
    worth = np.zeros(len(STRENGTHS))
    for part in range(5):
        seen = fold != part
        basis = basis_of(features[seen])
        components = basis.project(features[~seen])
        for number, (intercept, weights) in enumerate(path(basis, truth[seen], loss, STRENGTHS)):
            logits = (components @ weights[:, 0] + intercept[0])[:, None]
            worth[number] += losses(logits, truth[~seen], loss).sum()
    return fit_head(features, truth, loss, np.array([worth.argmin()]), STRENGTHS)


def area(head: Head, features: NDArray[np.float32], classes: NDArray[np.intp]) -> float:
    """Mean AUC of the labels."""
    told = head.predict(features)
    if told.shape[1] == 1:
        return auc(told[:, 0], classes == 1)
    return float(np.mean([auc(told[:, label], classes == label) for label in range(told.shape[1])]))


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Area under the curve."""
    ranks = rankdata(scores)
    own, other = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - own * (own + 1) / 2) / (own * other))


def in_one(sites: Mapping[str, SiteCases], *, tested: bool) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """The cases of all hospitals, trained on or tested."""
    chosen = [(one.features[one.tested == tested], one.classes[one.tested == tested]) for one in sites.values()]
    return np.concatenate([one for one, _ in chosen]), np.concatenate([one for _, one in chosen])


def one_split(cases: Cases, public: Scaling, seed: int, cipher: Cipher) -> dict[str, Any]:
    """Every way on one split."""
    sites, labels = split(cases, seed), len(cases.labels)
    test = in_one(sites, tested=True)
    found: dict[str, Any] = {}
    alone = []
    for one in sites.values():
        own = ~one.tested
        # One kind of patient alone teaches nothing: such a hospital's own head is chance.
        known = len(np.unique(one.classes[own])) > 1
        alone.append(area(one_place(one.features[own], one.classes[own], labels, seed), *test) if known else 0.5)
    found["alone"], found["alone_each"] = float(np.mean(alone)), alone
    found["pooled"] = area(one_place(*in_one(sites, tested=False), labels, seed), *test)
    study = study_of(cases)
    training = train(study, sites)
    found["federated"] = area(training.head(), *test)
    found["rounds"], found["strength"] = training.taken, training.strength
    found["encrypted"] = area(train(study, sites, add=_added_by(cipher)).head(), *test)
    for epsilon in EPSILONS:
        head = train(private(study, epsilon), sites, public=public, seed=seed).head()
        found[f"epsilon {epsilon:g}"] = area(head, *test)
    found["sizes"] = {name: np.bincount(one.classes, minlength=labels).tolist() for name, one in sites.items()}
    return found


def _added_by(cipher: Cipher) -> Any:
    def add(vectors: list[Array]) -> Array:
        return cipher.decrypt(cipher.add([cipher.encrypt(one) for one in vectors]), len(vectors[0]))

    return add


def attack(cases: Cases, public: Scaling, epsilon: float | None, *, seed: int = 0) -> dict[str, float]:
    """How well membership is found out, of cases of one hospital among four; all test cases left out.

    Each shadow is a head of a random half of the patients, split over hospitals; the targets are further ones.
    """
    rng = np.random.default_rng(seed)
    labels = len(cases.labels)
    study = study_of(cases, strengths=(10.0,)) if epsilon is None else private(study_of(cases), epsilon)
    patients = np.unique(cases.patients)
    scores, inside = [], []
    for number in range(SHADOWS + TARGETS):
        chosen = rng.permutation(len(patients)) < len(patients) // 2
        member = chosen[np.searchsorted(patients, cases.patients)]
        if epsilon is None:
            # The head of the study is that of all cases in one place, as the tests hold; this is quicker.
            truth, loss = targets(cases.classes[member], labels)
            head = fit_head(cases.features[member], truth, loss, np.array([0]), (10.0,))
        else:
            head = train(study, _dealt(cases, member, rng), public=public, seed=number).head()
        scores.append(_confidence(head, cases))
        inside.append(member)
    shadow, known = np.stack(scores[:SHADOWS]), np.stack(inside[:SHADOWS])
    told = []
    for score in scores[SHADOWS:]:
        ratio = []
        for state in (known, ~known):
            middle = np.nanmean(np.where(state, shadow, np.nan), 0)
            spread = np.nanstd(np.where(state, shadow, np.nan), 0) + 1e-6
            ratio.append(-0.5 * np.square((score - middle) / spread) - np.log(spread))
        told.append(ratio[0] - ratio[1])
    areas = [auc(one, member) for one, member in zip(told, inside[SHADOWS:], strict=True)]
    caught = [
        float((one[member] > np.quantile(one[~member], 0.99)).mean())
        for one, member in zip(told, inside[SHADOWS:], strict=True)
    ]
    mu = np.inf if epsilon is None else mu_of(epsilon, DELTA)
    return {
        "auc": float(np.mean(areas)), "auc_error": float(np.std(areas, ddof=1) / np.sqrt(TARGETS)),
        "caught_at_1_percent": float(np.mean(caught)),
        "caught_error": float(np.std(caught, ddof=1) / np.sqrt(TARGETS)),
        "most_auc": float(ndtr(mu / np.sqrt(2))),
    }  # fmt: skip


def _dealt(cases: Cases, member: NDArray[np.bool_], rng: np.random.Generator) -> dict[str, SiteCases]:
    """Members over hospitals by lot; one case each is kept for the test, since a contract asks for it."""
    rows = np.flatnonzero(member)
    # A patient's pictures stay together: what is promised is promised for all of them.
    dealt = rng.integers(HOSPITALS, size=int(cases.patients.max()) + 1)[cases.patients[rows]]
    found = {}
    for one in range(HOSPITALS):
        own = rows[dealt == one]
        # A stranger of the test that no figure here is made of.
        index = np.append(own, np.flatnonzero(~member)[one])
        found[f"site-{one + 1}"] = SiteCases(
            features=cases.features[index], classes=cases.classes[index], patients=cases.patients[index],
            tested=np.arange(len(index)) == len(index) - 1, chosen_on=np.zeros(len(index), np.bool_),
        )  # fmt: skip
    return found


def _confidence(head: Head, cases: Cases) -> Array:
    """(n,) log odds of each case's own label."""
    told = head.predict(cases.features)
    told = np.column_stack([1 - told[:, 0], told[:, 0]]) if told.shape[1] == 1 else told
    own = np.clip(told[np.arange(len(told)), cases.classes], 1e-9, 1 - 1e-9)
    return np.asarray(np.log(own / (1 - own)), np.float64)


def in_processes(cases: Cases, public: Scaling, folder: Path) -> dict[str, Any]:
    """One study of each kind through NVIDIA FLARE."""
    from consilium.alliance.joint_training.progress import read_counts
    from consilium.alliance.joint_training.results import read_result
    from consilium.alliance.joint_training.shares import shares
    from tests.alliance.joint_training.places import running

    sites = split(cases, 0)
    test = in_one(sites, tested=True)
    plain = study_of(cases, contribution="shapley")
    kinds = {
        "in the clear": study_of(cases),
        "in the clear, Shapley values": plain,
        "encrypted": study_of(cases, privacy=Privacy(encrypted=True)),
    }
    found = {}
    for name, study in kinds.items():
        conductor = running(study, sites, folder / name.replace(" ", "_").replace(",", ""))
        began = time.monotonic()
        try:
            conductor.up()
            progress = conductor.wait(conductor.submit(), lambda _progress: None, seconds=900)
        finally:
            conductor.stop()
        seconds = time.monotonic() - began
        result = read_result(conductor.places.folder / "result.npz")
        here = train(study, sites)
        expected = here.head().weights
        rounds = np.array(progress.round_seconds)
        first = next(iter(progress.sites.values()))
        found[name] = {
            "questions": len(rounds), "seconds": seconds, "seconds_a_question": float(np.median(rounds)),
            "seconds_least": float(rounds.min()), "seconds_most": float(rounds.max()),
            "sent_mb": np.mean([one.sent for one in progress.sites.values()]) / 1e6,
            "received_mb": first.received / 1e6,
            "processor_seconds": [one.seconds for one in progress.sites.values()],
            "largest_difference": float(np.abs(result["weights"] - expected).max() / np.abs(expected).max()),
            "auc": area(_head(result, here), *test),
        }  # fmt: skip
        if study.contribution == "shapley":
            told = shares(study, result, progress, read_counts(conductor.places.folder))
            found[name]["shares"] = [
                {"site": one.site, "cases": one.cases, "contribution": one.contribution, "alone": one.alone,
                 "cost": one.cost}
                for one in told
            ]  # fmt: skip
        click.echo(f"{name}: {json.dumps(found[name])[:300]}")
    return found


def _head(result: Mapping[str, Any], like: Training) -> Head:
    return replace(
        like.head(), mean=result["mean"], scale=result["scale"], weights=result["weights"],
        intercepts=result["intercepts"],
    )  # fmt: skip


def gap_closed(runs: list[dict[str, Any]], way: str, *, draws: int = 2000) -> dict[str, float]:
    """Share of the way from alone to one place that a way goes; interval by bootstrap of the splits."""
    table = np.array([[run["alone"], run[way], run["pooled"]] for run in runs])

    def closed(rows: Array) -> float:
        alone, together, pooled_ = rows.mean(0)
        return float((together - alone) / (pooled_ - alone))

    rng = np.random.default_rng(0)
    drawn = [closed(table[rng.integers(len(table), size=len(table))]) for _ in range(draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": closed(table), "low": float(low), "high": float(high)}


def ways() -> list[str]:
    """In the order of the table."""
    return ["alone", "federated", "encrypted", *(f"epsilon {one:g}" for one in EPSILONS), "pooled"]


@click.command(help=__doc__)
@click.option("--splits", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--only", type=click.Choice(("splits", "attack", "processes")), help="Measure one part again.")
def main(splits: int, only: str | None) -> None:
    """Measure and write."""
    data = data_folder()
    if data is None or not (data / "medical").is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    public = {name: read_set(data, name, modality, most=MOST).features for name, modality in PUBLIC.items()}

    def without(name: str) -> Scaling:
        return scaling_of(*pooled([one for other, one in public.items() if other != name]))

    cases = {name: read_set(data, name, modality) for name, modality in SETS.items()}
    document = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    document |= {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "hospitals": HOSPITALS,
        "concentration": CONCENTRATION, "delta": DELTA, "rounds_private": ROUNDS, "developed_on": DEVELOPED_ON,
        "versions": {"python": platform.python_version()}
        | {one: version(one) for one in ("consilium", "numpy", "scipy", "nvflare", "tenseal")},
    }  # fmt: skip
    document["sets"] = {
        name: {"cases": len(one.classes), "patients": len(np.unique(one.patients)), "labels": len(one.labels)}
        for name, one in cases.items()
    }
    if only in (None, "processes"):
        with TemporaryDirectory(prefix="consilium-joint-") as folder:
            document["processes"] = in_processes(cases[DEVELOPED_ON], without(DEVELOPED_ON), Path(folder))
        _write(document)
    if only in (None, "splits"):
        cipher = Cipher(new_context()[0])
        document["splits"] = {}
        for name, one in cases.items():
            document["splits"][name] = []
            for seed in range(splits):
                run = one_split(one, without(name), seed, cipher)
                document["splits"][name].append(run)
                click.echo(f"{name} {seed}: " + ", ".join(f"{way} {run[way]:.3f}" for way in ways()))
                _write(document)
    if only in (None, "attack"):
        document["attack"] = {}
        for name in ("us_busi_breast", "op_odir_cataract"):
            document["attack"][name] = {
                "none" if epsilon is None else f"{epsilon:g}": attack(cases[name], without(name), epsilon)
                for epsilon in (None, *EPSILONS)
            }
            click.echo(f"{name}: {document['attack'][name]}")
            _write(document)


def _write(document: dict[str, Any]) -> None:
    from benchmarks.joint_training_table import plot, table

    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")
    if document.get("splits") and all(document["splits"].values()):
        plot(document, RESULTS.with_suffix(".png"))


if __name__ == "__main__":
    main()
