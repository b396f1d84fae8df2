"""One data set through the rules: what is kept is copied, so that what no rule thought of is left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.uid import UID

from consilium.imaging.deidentify import unlisted
from consilium.imaging.deidentify.dates import capped_age, moved_date, moved_date_time, plain_time
from consilium.imaging.deidentify.identity import MAX_DEPTH, Identity
from consilium.imaging.deidentify.policy import Policy, Retain
from consilium.imaging.deidentify.pseudonyms import Patient, Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, refused
from consilium.imaging.deidentify.rules import Action, attribute_name, rule_of
from consilium.imaging.deidentify.vocabulary import only_imaging_words

REMOVED_TEXT = "REMOVED"
_CHARACTER_SET = 0x00080005
_DUMMIES: dict[str, Any] = {
    "DA": "19000101", "DT": "19000101000000", "TM": "000000", "AS": "000Y", "CS": REMOVED_TEXT, "AE": REMOVED_TEXT,
    "LO": REMOVED_TEXT, "SH": REMOVED_TEXT, "PN": REMOVED_TEXT, "ST": REMOVED_TEXT,
    "LT": REMOVED_TEXT, "UT": REMOVED_TEXT, "UC": REMOVED_TEXT, "UR": "urn:removed", "IS": "0", "DS": "0",
    "OB": b"\0\0", "OW": b"\0\0", "UN": b"\0\0",
    "OF": b"\0" * 4, "OL": b"\0" * 4, "OD": b"\0" * 8, "OV": b"\0" * 8,
}  # fmt: skip
"""VR -> a value of the right form that says nothing."""

_LENGTHS = {"LO": 64, "SH": 16, "UC": 64, "ST": 64, "LT": 64, "UT": 64, "CS": 16, "AE": 16, "UR": 64}
_BOTH_WAYS = {
    "US or SS": {"US", "SS"},
    "OB or OW": {"OB", "OW"},
    "US or OW": {"US", "OW"},
    "US or SS or OW": {"US", "SS", "OW"},
}


@dataclass(kw_only=True)
class Tally:
    """What was done, counted: (attribute, what) and what alone; names of attributes, never values."""

    by_action: Counter[str] = field(default_factory=Counter)
    by_attribute: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, tag: int, what: str) -> None:
        """Counts one element."""
        self.by_action[what] += 1
        if what != "kept":
            self.by_attribute[attribute_name(tag), what] += 1


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """All that cleaning one file depends on."""

    policy: Policy
    pseudonyms: Pseudonyms
    patient: Patient
    patient_id: str
    identity: Identity
    sop_class: str
    tally: Tally = field(default_factory=Tally)


def cleaned(source: Dataset, how: Cleaning, *, within: str = "", depth: int = 0) -> Dataset:
    """A data set of what may be kept of another.

    Args:
        source: as it was read; it is not changed.
        how: the choices, the pseudonyms and what must not come through.
        within: keyword of the sequence it is an item of; "" at the top.
        depth: how many sequences are around it.

    Raises:
        Refused: sequences are nested deeper than any that means something.
    """
    if depth > MAX_DEPTH:
        raise refused(Reason.NESTED_TOO_DEEP)
    result = Dataset()
    for tag in list(source.keys()):
        # The lengths of groups are written anew, and all text is written as UTF-8.
        if tag.element == 0 or tag == _CHARACTER_SET:
            continue
        try:
            element = source[tag]
            made = _treated(element, how, within=within, depth=depth)
        except (RecursionError, MemoryError):
            raise refused(Reason.NESTED_TOO_DEEP) from None
        except _UNREADABLE:
            made = None
            how.tally.count(tag, "unreadable")
        if made is not None:
            result.add(made)
    return result


_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    NotImplementedError,
    OverflowError,
    LookupError,
)
"""What pydicom raises on a value that is not what its VR says."""


def _treated(element: DataElement, how: Cleaning, *, within: str, depth: int) -> DataElement | None:
    tag = int(element.tag)
    rule = rule_of(tag)
    if rule is not None:
        action, option = how.policy.action(rule, tag, sop_class=how.sop_class, within=within)
    else:
        action, option = Action.KEEP, None
    if action is Action.REMOVE or not dictionary_has_tag(tag) or element.tag.is_private:
        how.tally.count(tag, "removed")
        return None
    vr = _agreed_vr(tag, element.VR)
    if vr is None:
        how.tally.count(tag, "unreadable")
        return None
    if vr == "SQ" and action in (Action.KEEP, Action.CLEAN):
        return _sequence(element, how, depth=depth)
    if tag in _SPECIAL and action in (Action.EMPTY, Action.DUMMY):
        how.tally.count(tag, "pseudonym")
        return DataElement(tag, vr, _SPECIAL[tag](element, how))
    if action is Action.UID or (vr == "UI" and action in (Action.EMPTY, Action.DUMMY)):
        return _replaced_uids(element, how)
    if action in (Action.KEEP, Action.CLEAN):
        kept = _kept(element, vr, how, action=action, option=option, listed=rule is not None)
        if kept is not None:
            return kept
        if rule is None:
            how.tally.count(tag, "removed")
            return None
        # What an option would keep and may not goes by the basic profile.
        action = Policy().action(rule, tag, sop_class=how.sop_class, within=within)[0]
    if action is Action.DUMMY and not _is_empty(element):
        how.tally.count(tag, "dummy")
        return _dummy(tag, vr)
    if action in (Action.EMPTY, Action.DUMMY):
        how.tally.count(tag, "emptied")
        return _empty(tag, vr)
    how.tally.count(tag, "removed")
    return None


def _agreed_vr(tag: int, stated: str) -> str | None:
    """The VR of an element where the file says what the dictionary says; otherwise its value cannot be trusted."""
    known = dictionary_VR(tag)
    if known == stated:
        return stated
    return stated if stated in _BOTH_WAYS.get(known, set()) or {stated, known} <= {"OB", "OW"} else None


def _sequence(element: DataElement, how: Cleaning, *, depth: int) -> DataElement:
    keyword = element.keyword
    items = [cleaned(item, how, within=keyword, depth=depth + 1) for item in element.value]
    coded = [_published_code(item, how) for item in items]
    how.tally.count(int(element.tag), "kept")
    return DataElement(element.tag, "SQ", Sequence(coded))


def _published_code(item: Dataset, how: Cleaning) -> Dataset:
    """A coded term stays where its scheme is published; a term of a hospital's own scheme gets a pseudonym."""
    scheme = str(item.get("CodingSchemeDesignator") or "")
    if "CodeMeaning" not in item and not scheme:
        return item
    value = str(item.get("CodeValue") or "")
    told = " ".join(str(item.get(keyword) or "") for keyword in ("CodeMeaning", "CodeValue"))
    if scheme.upper() in unlisted.PUBLIC_SCHEMES and not how.identity.told_by(told, strict=False):
        return item
    how.tally.count(0x00080100, "pseudonym")
    item.CodeValue = how.pseudonyms.number("code", f"{scheme}\0{value}")
    item.CodingSchemeDesignator = "99PSEUDONYM"
    item.CodeMeaning = REMOVED_TEXT
    for keyword in ("CodingSchemeVersion", "LongCodeValue", "URNCodeValue"):
        if keyword in item:
            delattr(item, keyword)
    return item


def _replaced_uids(element: DataElement, how: Cleaning) -> DataElement | None:
    if element.VR != "UI":
        how.tally.count(int(element.tag), "removed")
        return None
    uids = [uid if _is_registered(uid) else how.pseudonyms.uid(uid) for uid in _strings(element) if uid]
    how.tally.count(int(element.tag), "uid" if uids else "kept")
    return DataElement(element.tag, "UI", uids if len(uids) != 1 else uids[0])


def _is_registered(uid: str) -> bool:
    """Whether the standard gives a UID, such as a SOP class, a name (PS3.6, annex A)."""
    return UID(uid).name != uid


def _kept(
    element: DataElement, vr: str, how: Cleaning, *, action: Action, option: Retain | None, listed: bool
) -> DataElement | None:
    """The element with a value that may be kept, or None."""
    tag = int(element.tag)
    if vr == "UI":
        return _replaced_uids(element, how) if option is None else _as_is(element, vr, how)
    if vr in unlisted.NUMBERS:
        return _as_is(element, vr, how)
    if vr in unlisted.BYTES:
        return _as_is(element, vr, how) if _plain_bytes(element, how) else None
    texts = _strings(element)
    if vr in unlisted.TIMES:
        if how.policy.retain.isdisjoint({Retain.DATES}) or (listed and option is not Retain.DATES):
            return None
        moved = [_moved(vr, text, how.patient.days) for text in texts]
        how.tally.count(tag, "moved")
        return _of_texts(tag, vr, moved)
    if vr == "AS":
        capped = [capped_age(text) for text in texts]
        how.tally.count(tag, "kept" if capped == texts else "capped")
        return _of_texts(tag, vr, capped)
    if vr == "PN" or option is Retain.DATES:
        return None
    if all(not text.strip(" \0") for text in texts):
        return _as_is(_empty(tag, vr), vr, how)
    if vr in unlisted.NUMBER_STRINGS:
        return (
            _of_kept_texts(tag, vr, texts, how)
            if all(unlisted.plain_number(text) or not text for text in texts)
            else None
        )
    if vr == "CS":
        fine = all(unlisted.plain_code(text) for text in texts) and not any(
            _told(text, how, strict=False) for text in texts
        )
        return _of_kept_texts(tag, vr, texts, how) if fine else None
    if vr in unlisted.TEXTS:
        return _kept_text(tag, vr, texts, how, action=action, option=option, listed=listed)
    return None


def _plain_bytes(element: DataElement, how: Cleaning) -> bool:
    """Pixels, which are looked at elsewhere, and tables in which nobody's name stands."""
    if element.keyword in unlisted.PIXELS:
        return True
    return element.keyword in unlisted.PLAIN_BYTES and not how.identity.in_bytes(element.value or b"")


def _kept_text(
    tag: int, vr: str, texts: list[str], how: Cleaning, *, action: Action, option: Retain | None, listed: bool
) -> DataElement | None:
    keyword = keyword_for_tag(tag)
    if all(unlisted.small_number(text) for text in texts) and not listed:
        return _of_kept_texts(tag, vr, texts, how)
    if any(_told(text, how, strict=True) for text in texts):
        plain = False
    elif option in (Retain.DEVICE, Retain.PATIENT) and action is Action.KEEP:
        plain = True
    elif option is None and not listed and keyword in unlisted.TECHNICAL:
        plain = all(len(text) <= _LENGTHS.get(vr, 64) for text in texts)
    else:
        # Words of imaging are what the option for descriptors keeps, and no more than that is known of the rest.
        allowed = option in (Retain.DESCRIPTORS, Retain.DEVICE, Retain.PATIENT) or not listed
        plain = allowed and all(only_imaging_words(text) for text in texts)
    if plain:
        return _of_kept_texts(tag, vr, texts, how)
    if keyword in unlisted.NEEDED and not listed:
        how.tally.count(tag, "pseudonym")
        return _of_texts(tag, vr, [how.pseudonyms.number("text", text) for text in texts])
    return None


def _told(text: str, how: Cleaning, *, strict: bool) -> bool:
    return how.identity.told_by(text, strict=strict)


def _moved(vr: str, text: str, days: int) -> str:
    if vr == "DA":
        return moved_date(text, days)
    return moved_date_time(text, days) if vr == "DT" else plain_time(text)


def _as_is(element: DataElement, vr: str, how: Cleaning) -> DataElement:
    how.tally.count(int(element.tag), "kept")
    return DataElement(element.tag, vr, element.value)


def _of_kept_texts(tag: int, vr: str, texts: list[str], how: Cleaning) -> DataElement:
    how.tally.count(tag, "kept")
    return _of_texts(tag, vr, texts)


def _of_texts(tag: int, vr: str, texts: list[str]) -> DataElement:
    trimmed = [text.strip(" \0") if vr in ("CS", "IS", "DS", "LO", "SH") else text for text in texts]
    value: Any = trimmed if len(trimmed) > 1 else (trimmed[0] if trimmed else "")
    return DataElement(tag, vr, value, already_converted=False)


def _strings(element: DataElement) -> list[str]:
    value = element.value
    if value is None or value == "":
        return []
    if isinstance(value, (MultiValue, list, tuple)):
        return [_written(one) for one in value]
    if isinstance(value, (bytes, bytearray)):
        raise TypeError("bytes where text is asked for")
    return [_written(value)]


def _written(value: Any) -> str:
    # A decimal string keeps how it was written, a number made of it may not.
    return str(getattr(value, "original_string", value))


def _is_empty(element: DataElement) -> bool:
    return element.is_empty


def _empty(tag: int, vr: str) -> DataElement:
    return DataElement(tag, vr, Sequence() if vr == "SQ" else (b"" if vr in unlisted.BYTES else ""))


def _dummy(tag: int, vr: str) -> DataElement:
    if vr == "SQ":
        if not keyword_for_tag(tag).endswith("CodeSequence"):
            return _empty(tag, vr)
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "0", "99PSEUDONYM", REMOVED_TEXT
        return DataElement(tag, vr, Sequence([item]))
    if vr in unlisted.NUMBERS:
        return DataElement(tag, vr, 0)
    return DataElement(tag, vr, _DUMMIES[vr])


def _patient_pseudonym(element: DataElement, how: Cleaning) -> str:
    own = " ".join(_strings(element)).strip(" \0")
    same = element.keyword == "PatientName" or own == how.patient_id
    return how.patient.pseudonym if same or not own else how.pseudonyms.patient(own).pseudonym


def _accession_pseudonym(element: DataElement, how: Cleaning) -> str:
    own = " ".join(_strings(element)).strip(" \0")
    return how.pseudonyms.number("accession", own) if own else ""


_SPECIAL: dict[int, Callable[[DataElement, Cleaning], str]] = {
    0x00100010: _patient_pseudonym,
    0x00100020: _patient_pseudonym,
    0x00080050: _accession_pseudonym,
}
"""Attributes that the profile would empty and that get a keyed pseudonym, so that files of a patient stay together."""
