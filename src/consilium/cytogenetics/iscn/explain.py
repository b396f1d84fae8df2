"""What an ISCN string says, in plain sentences, Chinese or English."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from consilium.cytogenetics.iscn.balance import Imbalance, balanced, imbalances
from consilium.cytogenetics.iscn.complexity import abnormality_count, ploidy_classes
from consilium.cytogenetics.iscn.mean import CellLine, NoMeaning, mean
from consilium.cytogenetics.iscn.rules import Language
from consilium.cytogenetics.iscn.tree import (
    Breakpoint,
    Counted,
    Incomplete,
    Item,
    Line,
    Range,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Variant,
    Whole,
)
from consilium.cytogenetics.iscn.write import item as write_item

_ACROCENTRIC = frozenset({"13", "14", "15", "21", "22"})
_MEGABASE = 1_000_000

_ORIGINS = {
    "c": ("constitutional", "体质性"), "?c": ("perhaps constitutional", "可能为体质性"),
    "mat": ("inherited from the mother", "遗传自母亲"),
    "pat": ("inherited from the father", "遗传自父亲"), "inh": ("inherited", "遗传性"),
    "dn": ("new: the parents do not have it", "新发：父母均无"),
    "dmat": ("from a change of the mother", "来自母亲的结构异常"),
    "dpat": ("from a change of the father", "来自父亲的结构异常"),
    "dinh": ("from a change of a parent", "来自亲代的结构异常"),
}  # fmt: skip

_PLOIDY = {
    "haploid": "单倍体", "diploid": "二倍体", "triploid": "三倍体", "tetraploid": "四倍体", "pentaploid": "五倍体",
    "hexaploid": "六倍体", "heptaploid": "七倍体", "octaploid": "八倍体",
}  # fmt: skip


def explain(result: Result, language: Language = "en") -> tuple[str, ...]:
    """Put a karyotype into sentences: each line, each abnormality, what is gained and lost in sum.

    Args:
        result: the tree of a string; it need not be right, only well formed.
        language: "en" or "zh".

    Returns:
        One sentence a line of text, in the order of the string.
    """
    say = _Speech(language)
    out = _reading(result, say)
    for other in result.others:
        out.append(say.pick("Or, read in another way:", "或另一种解读："))
        out += _reading(other, say)
    for technique in result.techniques:
        out.append(say.pick("Another technique", "其他技术") + f" ({technique.kind}): {technique.text.strip()}")
    return tuple(out)


def _reading(result: Result, say: _Speech) -> list[str]:
    out: list[str] = []
    try:
        meaning = mean(result)
    except NoMeaning as problem:
        meaning = None
        out.append(say.pick(f"What it means in bands cannot be told: {problem.what}.", "无法推算其区带含义。"))
    number = 0
    lines = [line for person in result.persons for line in person]
    for at, person in enumerate(result.persons):
        if len(result.persons) > 1:
            out.append(say.pick("Donor:" if at else "Recipient:", "供者：" if at else "受者："))
            if not person:
                out.append(say.pick("No cell was seen.", "未见细胞。"))
        for line in person:
            cell = meaning.lines[number] if meaning is not None else None
            number += 1
            out += say.line(line, number, len(lines), cell)
    count = abnormality_count(result) if meaning is not None else 0
    if count > 1:
        out.append(
            say.pick(
                f"Abnormalities counted over all clones: {count} (ISCN 2024, 6.5).",
                f"全部克隆的异常合计：{count} 项（ISCN 2024，6.5）。",
            )
        )
    return out


class _Speech:
    """Sentences in one language."""

    def __init__(self, language: Language) -> None:
        self.zh = language == "zh"

    def pick(self, en: str, zh: str) -> str:
        return zh if self.zh else en

    def line(self, line: Line, number: int, lines: int, cell: CellLine | None) -> list[str]:
        head = self.pick(f"Cell line {number}: ", f"细胞系 {number}：") if lines > 1 else ""
        count = line.doubled.count if line.doubled is not None else line.count
        parts = [self.pick(f"{self.number(count)} chromosomes", f"{self.number(count)} 条染色体"), self.base(line)]
        if line.doubled is not None:
            parts.append(
                self.pick(f"a set of {self.number(line.count)} doubled", f"{self.number(line.count)} 条染色体加倍")
            )
        if line.cells is not None:
            parts.append(
                self.pick(f"together in {line.cells.number} cells", f"共 {line.cells.number} 个细胞合成")
                if line.cells.composite
                else self.pick(
                    f"in {line.cells.number} cell{'' if line.cells.number == 1 else 's'}", f"{line.cells.number} 个细胞"
                )
            )
        comma, stop = self.pick(", ", "，"), self.pick(".", "。")
        told = [head + comma.join(part for part in parts if part) + stop]
        for several in (*line.items, *(line.doubled.items if line.doubled else ())):
            texts = self.pick(" or ", " 或 ").join(write_item(one) for one in several)
            said = self.pick("; or ", "；或").join(self.item(one) for one in several)
            told.append(f"  {texts}: {said}" if not self.zh else f"  {texts}：{said}")
        if not line.items and isinstance(line.base, Sex) and line.count.low == 46 and len(line.base.chromosomes) == 2:
            told.append("  " + self.pick("No abnormality is told.", "未见异常。"))
        if cell is not None:
            told += [f"  {one}" for one in self.sum(cell)]
        return told

    def number(self, number: Range) -> str:
        return (
            str(number.low)
            if number.high is None
            else self.pick(f"{number.low} to {number.high}", f"{number.low}～{number.high}")
        )

    def base(self, line: Line) -> str:
        base = line.base
        if isinstance(base, Reference):
            name = {
                "idem": ("the first clone", "第一个克隆"),
                "sl": ("the stemline", "干系"),
                "sdl": ("sideline", "旁系"),
            }
            index = "" if base.index is None else f" {base.index}"
            times = "" if base.copies is None else f" x{self.number(base.copies)}"
            return self.pick("with all of ", "含有") + self.pick(*name[base.kind]) + index + times
        if base is None:
            return self.pick("no normal sex chromosome", "无正常性染色体")
        if base.chromosomes == "U":
            return self.pick("sex not disclosed", "性别未披露")
        sign = self.pick("sex chromosomes ", "性染色体 ") + base.chromosomes + ("?" if base.doubtful else "")
        return sign + (self.pick(" (constitutional)", "（体质性）") if base.constitutional else "")

    def item(self, item: Item) -> str:
        said = self.abnormality(item)
        if item.copies is not None:
            said += self.pick(f", {self.number(item.copies)} copies", f"，{self.number(item.copies)} 个拷贝")
        if item.doubtful:
            said += self.pick(" (uncertain)", "（不确定）")
        for origin in item.origins:
            said += self.pick(", ", "，") + self.pick(*_ORIGINS[origin])
        if item.cells is not None:
            said += self.pick(f", in {item.cells.number} of them", f"，见于其中 {item.cells.number} 个")
        return said

    def abnormality(self, item: Item) -> str:
        what = item.abnormality
        if isinstance(what, Whole):
            if item.sign == "-":
                return self.pick(f"one chromosome {what.chromosome} is missing", f"缺少一条 {what.chromosome} 号染色体")
            return self.pick(f"an extra chromosome {what.chromosome}", f"多一条 {what.chromosome} 号染色体")
        if isinstance(what, Variant):
            return self.pick("a variant without known effect", "无已知影响的多态")
        if isinstance(what, Incomplete):
            return self.pick("other changes could not be identified", "另有无法鉴定的改变")
        if isinstance(what, Counted):
            return self.counted(what, item.sign)
        extra = {"+": self.pick("additional: ", "额外的："), "-": self.pick("no longer there: ", "不再存在："), "": ""}
        return extra[item.sign] + self.change(what)

    def counted(self, what: Counted, sign: str) -> str:
        number = "" if what.number is None else self.number(what.number) + " "
        bound = {
            "": "",
            ">": self.pick("more than ", "超过 "),
            "~": self.pick("about ", "约 "),
            "~>": self.pick("from ", "自 "),
        }
        names = {
            "mar": ("marker chromosome of unknown origin", "来源不明的标记染色体"),
            "r": ("ring chromosome of unknown origin", "来源不明的环状染色体"),
            "dmin": ("double minutes: many copies of a gene region", "双微体：某基因区域的扩增"),
            "ace": ("acentric fragment", "无着丝粒断片"), "min": ("minute fragment", "微小断片"),
        }  # fmt: skip
        lost = self.pick("no longer there: ", "不再存在：") if sign == "-" else ""
        return lost + bound[what.bound] + number + self.pick(*names[what.kind])

    def change(self, what: Rearrangement) -> str:
        if what.kind in ("der", "ider", "rec") and (what.then or what.strands or not what.breakpoints):
            return self.derivative(what)
        said = self.one(what)
        return self.pick("; ", "；").join([said, *map(self.part, what.then)])

    def part(self, what: Rearrangement) -> str:
        """One of several changes of a chromosome, with its origin where the whole has another."""
        return self.one(what) + (self.pick(", ", "，") + self.pick(*_ORIGINS[what.origin]) if what.origin else "")

    def derivative(self, what: Rearrangement) -> str:
        names = self.pick(" and ", "和").join(one.name for one in what.chromosomes)
        kind = {
            "der": self.pick(f"derivative chromosome {names}", f"{names} 号衍生染色体"),
            "ider": self.pick(f"isochromosome of a derivative {names}", f"{names} 号衍生染色体的等臂染色体"),
            "rec": self.pick(f"recombinant chromosome {names}", f"{names} 号重组染色体"),
        }[what.kind]
        if what.strands:
            return kind + self.pick(", built as written", "，构成如所写")
        if not what.then:
            return kind
        own = [replace(what, then=())] if what.kind == "der" and what.breakpoints else []
        parts = self.pick("; ", "；").join(map(self.part, [*own, *what.then]))
        return kind + self.pick(", made by ", "，由以下改变形成：") + parts

    def one(self, what: Rearrangement) -> str:
        names = [one.name for one in what.chromosomes]
        if what.strands:
            return _KINDS.get(what.kind, (what.kind, what.kind))[self.zh] + self.pick(
                f" of chromosome {' and '.join(names)}, built as written",
                f"（{'、'.join(names)} 号染色体，构成如所写）",
            )
        if not what.breakpoints:
            return _KINDS.get(what.kind, (what.kind, what.kind))[self.zh] + self.pick(
                f" of chromosome {' and '.join(names)}", f"（{'、'.join(names)} 号染色体）"
            )
        make: Callable[[Rearrangement], str] | None = {
            "t": self.translocation, "der": self.whole_arm, "rob": self.whole_arm, "del": self.deletion,
            "dup": self.duplication, "trp": self.duplication, "qdp": self.duplication, "inv": self.inversion,
            "ins": self.insertion, "add": self.addition, "i": self.isochromosome,
        }.get(what.kind)  # fmt: skip
        if make is not None and len(what.breakpoints) == len(what.chromosomes):
            return make(what)
        places = self.pick(" and ", "与").join(self.places(what))
        return _KINDS.get(what.kind, (what.kind, what.kind))[self.zh] + self.pick(f" at {places}", f"，断点 {places}")

    def places(self, what: Rearrangement) -> list[str]:
        return [
            _place(name.name, one)
            for name, on_it in zip(what.chromosomes, what.breakpoints, strict=False)
            for one in on_it
        ]

    def translocation(self, what: Rearrangement) -> str:
        places = self.places(what)
        if len(places) == 2:
            whole = all(place.endswith(("p10", "q10")) for place in places)
            kind = self.pick("exchange of whole arms" if whole else "translocation", "整臂易位" if whole else "易位")
            return self.pick(f"{kind} between {places[0]} and {places[1]}", f"{places[0]} 与 {places[1]} 之间的{kind}")
        chain = self.pick(" to ", " → ").join([*places, places[0]])
        return self.pick(
            f"translocation of {len(places)} chromosomes, ends going from {chain}",
            f"{len(places)} 条染色体的易位：{chain}",
        )

    def whole_arm(self, what: Rearrangement) -> str:
        places = self.places(what)
        acrocentric = {one.name for one in what.chromosomes} <= _ACROCENTRIC
        kind = self.pick("Robertsonian translocation: ", "罗伯逊易位：") if acrocentric else ""
        arms = self.pick(" and ", "与").join(place.removesuffix("10") for place in places)
        return kind + self.pick(f"{arms} joined at the centromere", f"{arms} 在着丝粒处连接")

    def deletion(self, what: Rearrangement) -> str:
        places = self.places(what)
        name = what.chromosomes[0].name
        if len(places) == 2:
            return self.pick(f"loss of {places[0]} to {places[1]}", f"{places[0]} 至 {places[1]} 缺失")
        arm = what.breakpoints[0][0].points[0].arm
        band = what.breakpoints[0][0].points[0].text
        if band in ("?", f"{arm}?", f"?{arm}"):
            return self.pick(f"loss within chromosome {name}{arm}, extent unknown", f"{name}{arm} 部分缺失，范围不明")
        return self.pick(
            f"loss of the end of {name}{arm} from {places[0]} on", f"自 {places[0]} 起的 {name}{arm} 末端缺失"
        )

    def duplication(self, what: Rearrangement) -> str:
        places = self.places(what)
        times = {"dup": ("twice", "重复"), "trp": ("three times", "三倍重复"), "qdp": ("four times", "四倍重复")}[
            what.kind
        ]
        if len(places) != 2:
            return self.pick(f"{places[0]} is there {times[0]}", f"{places[0]} {times[1]}")
        return self.pick(
            f"{places[0]} to {places[1]} is there {times[0]} in a row", f"{places[0]} 至 {places[1]} 串联{times[1]}"
        )

    def inversion(self, what: Rearrangement) -> str:
        places = self.places(what)
        arms = {one.points[0].arm for one in what.breakpoints[0]}
        around = self.pick("around the centromere", "臂间") if len(arms) == 2 else self.pick("within one arm", "臂内")
        stretch = self.pick(" to ", " 至 ").join(places)
        return self.pick(f"inversion of {stretch}, {around}", f"{stretch} {around}倒位")

    def insertion(self, what: Rearrangement) -> str:
        shape = [len(on_it) for on_it in what.breakpoints]
        if shape in ([3], [1, 2]):
            target, first, last = self.places(what)
        else:
            places = self.pick(", ", "、").join(self.places(what))
            return self.pick(f"insertion with breaks at {places}", f"插入，断点 {places}")
        return self.pick(f"{first} to {last} inserted at {target}", f"{first} 至 {last} 插入 {target}")

    def addition(self, what: Rearrangement) -> str:
        place = self.places(what)[0]
        arm = what.breakpoints[0][0].points[0].arm
        name = what.chromosomes[0].name
        return self.pick(
            f"material of unknown origin in place of {name}{arm} from {place} on",
            f"来源不明的片段取代 {place} 起的 {name}{arm} 末端",
        )

    def isochromosome(self, what: Rearrangement) -> str:
        arm = what.breakpoints[0][0].points[0].arm
        name = what.chromosomes[0].name
        other = "q" if arm == "p" else "p"
        return self.pick(
            f"isochromosome: {name}{arm} twice, no {name}{other}", f"等臂染色体：两个 {name}{arm}，无 {name}{other}"
        )

    def sum(self, cell: CellLine) -> list[str]:
        changes = imbalances(cell)
        out: list[str] = []
        for sign, en, zh in ((1, "Gained", "增加"), (-1, "Lost", "丢失")):
            stretches = [one for one in changes if (one.change > 0) == (sign > 0)]
            if stretches:
                listed = self.pick(", ", "、").join(self.stretch(one) for one in stretches)
                out.append(self.pick(f"{en} in sum: ", f"合计{zh}：") + listed + self.pick(".", "。"))
        if changes and balanced(cell):
            out.append(
                self.pick(
                    "Balanced: short arms of acrocentric chromosomes are lost without known effect.",
                    "平衡性：近端着丝粒染色体短臂的丢失无已知影响。",
                )
            )
        if not changes and cell.abnormal and balanced(cell):
            out.append(self.pick("Balanced as far as bands show.", "在条带水平上为平衡性。"))
        for unread in cell.unread:
            out.append(
                self.pick(f"Not read in bands: {unread.text} ({unread.why}).", f"未能按条带解读：{unread.text}。")
            )
        classes = ploidy_classes(cell.number)
        if classes and not (len(classes) == 1 and classes[0] == "diploid"):
            named = self.pick(", ", "、").join(self.ploidy(one) for one in classes)
            if any("diploid" not in one for one in classes) or len(out) > 0:
                out.append(self.pick(f"Ploidy: {named}.", f"倍性：{named}。"))
        return out

    def ploidy(self, name: str) -> str:
        if not self.zh:
            return name
        for prefix, said in (("near-", "近"), ("hypo", "亚"), ("hyper", "超"), ("", "")):
            if name.startswith(prefix) and name[len(prefix) :] in _PLOIDY:
                return said + _PLOIDY[name[len(prefix) :]]
        return name

    def stretch(self, one: Imbalance) -> str:
        copies = self.pick(
            f"{one.copies} cop{'y' if one.copies == 1 else 'ies'} for {one.expected}",
            f"{one.copies}/{one.expected} 拷贝",
        )
        if one.whole:
            return self.pick(f"chromosome {one.chromosome}", f"{one.chromosome} 号染色体") + f" ({copies})"
        size = (one.bp_stop - one.bp_start + 1) / _MEGABASE
        return f"{one} ({copies}, " + self.pick(f"about {size:.1f} Mb)", f"约 {size:.1f} Mb)")


_KINDS = {
    "t": ("translocation", "易位"),
    "del": ("deletion", "缺失"),
    "dup": ("duplication", "重复"),
    "inv": ("inversion", "倒位"),
    "ins": ("insertion", "插入"),
    "add": ("added unknown material", "附加不明片段"),
    "i": ("isochromosome", "等臂染色体"),
    "idic": ("isochromosome with two centromeres", "等臂双着丝粒染色体"),
    "psu idic": ("isochromosome with two centromeres, one active", "假等臂双着丝粒染色体"),
    "dic": ("chromosome with two centromeres, joined", "双着丝粒染色体"),
    "psu dic": ("chromosome with two centromeres, one active, joined", "假双着丝粒染色体"),
    "trc": ("chromosome with three centromeres, joined", "三着丝粒染色体"),
    "r": ("ring, joined", "环状染色体"),
    "dic r": ("ring with two centromeres, joined", "双着丝粒环状染色体"),
    "hsr": ("homogeneously staining region", "均匀染色区"),
    "fra": ("fragile site", "脆性位点"),
    "fis": ("split at the centromere", "着丝粒分裂"),
    "trp": ("triplication", "三倍重复"),
    "qdp": ("quadruplication", "四倍重复"),
    "tas": ("ends associated", "端粒联合"),
    "neo": ("new centromere", "新着丝粒"),
    "der": ("derivative chromosome", "衍生染色体"),
    "rec": ("recombinant chromosome", "重组染色体"),
    "ider": ("isochromosome of a derivative", "衍生等臂染色体"),
    "rob": ("Robertsonian translocation", "罗伯逊易位"),
}


def _place(chromosome: str, one: Breakpoint) -> str:
    joint = {"or": " or ", "~": "~", "-": "-"}.get(one.relation, "")
    return chromosome + joint.join(point.text for point in one.points)
