"""Random ISCN trees for property tests: well formed, not necessarily right."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from consilium.cytogenetics.iscn.tree import (
    Breakpoint,
    Cells,
    ChromosomeName,
    Counted,
    Doubled,
    Incomplete,
    Item,
    Landmark,
    Line,
    Piece,
    Point,
    Range,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Strand,
    Technique,
    Variant,
    Whole,
)

names = st.sampled_from([*(str(number) for number in range(1, 23)), "X", "Y"])
ranges = st.builds(Range, st.integers(1, 99), st.none() | st.integers(1, 99))
digits = st.sampled_from(["1", "11", "11.2", "21.31", "36.3", "q"])
bands = st.sampled_from(["10", "11", "11.2", "13", "21.31", "22.1", "36.3", "?3", "2?4", "?", "3?2.1"])
plain_points = st.builds(lambda arm, band: Point(arm + band), st.sampled_from(["p", "q", "?q"]), bands)
ends = st.sampled_from([Point("pter"), Point("qter"), Point("cen"), Point("?"), Point("p"), Point("q")])
settled = st.builds(
    lambda arm, band: Point(arm + band), st.sampled_from("pq"), st.sampled_from(["11", "13.2", "21.31", "36"])
)
breakpoints = st.one_of(
    st.builds(lambda p: Breakpoint((p,)), plain_points),
    st.builds(lambda a, b, sign: Breakpoint((a, b), sign), settled, settled, st.sampled_from("~-")),
    st.builds(lambda a, b: Breakpoint((a, b), "or"), settled, settled),
)
lone = st.builds(lambda p: Breakpoint((p,)), plain_points | ends)
on_one = st.one_of(st.tuples(lone), st.tuples(breakpoints), st.tuples(breakpoints, breakpoints))
chromosomes = st.one_of(
    st.builds(ChromosomeName, names, st.booleans()),
    st.builds(lambda a, b: ChromosomeName(a, False, (b,)), names, names),
    st.builds(lambda name, arm: ChromosomeName(name, arm=arm), names, st.sampled_from(["p", "q"])),
    st.just(ChromosomeName("?")),
)
landmarks = st.builds(Landmark, plain_points | st.sampled_from([Point("pter"), Point("qter"), Point("cen")]), names)
pieces = st.builds(Piece, landmarks, landmarks, st.lists(landmarks, max_size=1).map(tuple))


@st.composite
def strands(draw: st.DrawFn) -> Strand:
    inner = tuple(draw(st.lists(pieces, min_size=1, max_size=3)))
    between = ("::",) * (len(inner) - 1)
    return Strand(inner, (draw(st.sampled_from(["", ":", "::"])), *between, draw(st.sampled_from(["", ":", "::"]))))


KINDS = [
    "add", "del", "dup", "ins", "inv", "idic", "dic", "i", "t", "der", "ider", "rec", "tas", "trc", "trp", "qdp",
    "hsr", "fra", "r", "neo", "psu dic", "dic r", "rob", "inv dup", "dir ins",
]  # fmt: skip


@st.composite
def rearrangements(draw: st.DrawFn, *, longest: int = 2) -> Rearrangement:
    doubtful = draw(st.booleans()) and not longest
    told = tuple(draw(st.lists(chromosomes, min_size=1, max_size=3)))
    then = tuple(draw(st.lists(rearrangements(longest=0), max_size=longest))) if longest else ()
    how = draw(st.sampled_from(["none", "short", "detailed"]))
    places = tuple(draw(on_one) for _ in told) if how == "short" else ()
    built = tuple(draw(st.lists(strands(), min_size=1, max_size=2))) if how == "detailed" else ()
    if built and all(len(s.pieces) == 1 and s.breaks == ("", "") for s in built):
        built = (Strand(built[0].pieces, (":", "")), *built[1:])
    origin = draw(st.sampled_from(["", "", "c", "dmat"])) if then else ""
    then = (*(replace(one, origin=draw(st.sampled_from(["", "c"]))) for one in then[:-1]), *then[-1:])
    return Rearrangement(draw(st.sampled_from(KINDS)), told, places, built, then, doubtful, origin)


signs = st.sampled_from(["", "+", "-"])
origins = st.lists(st.sampled_from(["c", "?c", "mat", "pat", "inh", "dn", "dmat", "dpat", "dinh"]), max_size=1).map(
    tuple
)
cells = st.none() | st.builds(Cells, st.integers(1, 200), st.booleans())
copies = st.none() | ranges

items = st.one_of(
    st.builds(Item, st.builds(Whole, names), st.sampled_from("+-"), st.booleans(), copies, origins, cells),
    st.builds(Item, rearrangements(), signs, st.booleans(), copies, origins, cells),
    st.builds(
        Item,
        st.builds(Variant, names, st.sampled_from(["ps", "qh", "pstk", "cenh", "ph"]), st.sampled_from(["+", "-", ""])),
        st.just(""), st.just(False), st.none(), origins, st.none(),
    ),
    st.builds(
        Item,
        st.builds(
            Counted, st.sampled_from(["mar", "r"]), st.none() | ranges, st.none() | st.integers(1, 9), st.just("")
        ),
        signs, st.booleans(), copies, origins, cells,
    ),
    st.builds(
        Item,
        st.one_of(
            st.builds(Counted, st.just("dmin"), st.none() | ranges, st.none(), st.just("")),
            st.builds(
                Counted, st.just("dmin"), st.builds(Range, st.integers(1, 99)), st.none(), st.sampled_from([">", "~"])
            ),
            st.builds(
                Counted, st.just("dmin"), st.builds(Range, st.integers(1, 9), st.integers(10, 99)), st.none(),
                st.just("~>"),
            ),
        ),
        st.just(""), st.booleans(), st.none(), origins, cells,
    ),
    st.builds(Item, st.just(Incomplete())),
)  # fmt: skip
entries = st.lists(
    st.one_of(st.tuples(items), st.tuples(items, items)).filter(
        lambda several: all(item.cells is None for item in several[:-1])
    ),
    max_size=4,
).map(tuple)
bases = st.one_of(
    st.builds(Sex, st.sampled_from(["XX", "XY", "X", "Y", "XXY", "XYY", "U"]), st.just(False), st.booleans()),
    st.builds(Reference, st.just("idem"), st.none(), copies),
    st.builds(Reference, st.sampled_from(["sl", "sdl"]), st.none() | st.integers(1, 9), copies),
)
ploidies = st.tuples(st.none() | st.integers(1, 8), st.sampled_from(["", "+", "-"])).map(
    lambda pair: pair if pair[0] is not None else (None, "")
)


def uncounted(entry: tuple[tuple[Item, ...], ...]) -> tuple[tuple[Item, ...], ...]:
    """The same without a number after the last entry, which would be read as the line's."""
    if not entry:
        return entry
    *others, last = entry[-1]
    return (*entry[:-1], (*others, replace(last, cells=None)))


@st.composite
def lines(draw: st.DrawFn) -> Line:
    level, sign = draw(ploidies)
    doubled = None
    entry, closing = draw(entries), draw(cells)
    if draw(st.integers(0, 9)) == 0:
        outer, outer_sign = draw(ploidies)
        later = draw(entries)
        doubled = Doubled(
            draw(ranges), draw(ranges), outer, outer_sign, uncounted(later) if closing is None else later
        )  # fmt: skip
    elif closing is None:
        entry = uncounted(entry)
    base = draw(bases) if not entry or draw(st.integers(0, 9)) else None
    return Line(draw(ranges), base, entry, closing, level, sign, doubled)


techniques = st.lists(
    st.builds(
        Technique, st.sampled_from(["ish", "nuc ish", "arr"]),
        st.sampled_from([" del(22)(q11.2q11.2)(TBX1-)", "(1-22)x2"]),
    ),
    max_size=2,
).map(tuple)  # fmt: skip


@st.composite
def readings(draw: st.DrawFn, *, least: int = 1) -> Result:
    """A karyotype without techniques, whose first number is at least `least`."""
    persons = [tuple(draw(st.lists(lines(), min_size=1, max_size=3))) for _ in range(draw(st.integers(1, 2)))]
    first, *rest = persons[0]
    outer = first.count if first.doubled is None else first.doubled.count
    outer = replace(outer, low=max(outer.low, least))
    doubled = first.doubled and replace(first.doubled, count=outer)
    persons[0] = (replace(first, count=first.count if doubled else outer, doubled=doubled), *rest)
    seen = draw(st.sampled_from(["as drawn", "recipient unseen", "donor unseen"]))
    if seen != "as drawn":
        persons = [(), persons[0]] if seen == "recipient unseen" else [persons[0], ()]
    prefix = draw(st.sampled_from(["", "mos", "chi"])) if persons[0] else ""
    return Result(tuple(persons), prefix)


@st.composite
def results(draw: st.DrawFn) -> Result:
    # Another reading starts with a number that no chromosome has; that tells it from another item.
    others = draw(st.lists(readings(least=23), max_size=1)) if draw(st.integers(0, 4)) == 0 else []
    return replace(draw(readings()), techniques=draw(techniques), others=tuple(others))
