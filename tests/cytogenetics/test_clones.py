"""Clones and their ISCN strings, judged case by case as a cytogeneticist would."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from consilium.cytogenetics.clones.cell import Cell, cell_from_counts, cell_from_iscn, ploidy_of
from consilium.cytogenetics.clones.karyotype import ClonalKaryotype, clonal_karyotype
from consilium.cytogenetics.clones.setting import Setting
from consilium.cytogenetics.clones.wording import LANGUAGES, NOTES, REASONS, ROLES, RULES, describe
from consilium.errors import InputError, NothingToDo


class Case(NamedTuple):
    """Cells by what they show, what is known of the case, and the string expected."""

    name: str
    cells: dict[str, int]
    expected: str
    setting: dict[str, Any] = {}  # noqa: RUF012
    style: str = "sl"


def cells_of(spec: dict[str, int]) -> list[Cell]:
    return [
        cell_from_iscn(f"{k:02d}.{n:02d}", text) for k, (text, number) in enumerate(spec.items()) for n in range(number)
    ]


def karyotype(case: Case, *, neoplastic: bool) -> ClonalKaryotype:
    setting = Setting(neoplastic=neoplastic, **case.setting)
    return clonal_karyotype(cells_of(case.cells), setting, style=case.style)  # type: ignore[arg-type]


PH = "t(9;22)(q34;q11.2)"
RUNX = "t(8;21)(q22;q22)"
MALE, FEMALE = {"sex": "XY"}, {"sex": "XX"}

CONSTITUTIONAL = [
    Case("normal female", {"46,XX": 20}, "46,XX"),
    Case("normal male", {"46,XY": 20}, "46,XY"),
    Case("trisomy 21", {"47,XY,+21": 20}, "47,XY,+21"),
    Case("Klinefelter syndrome has no signs", {"47,XXY": 20}, "47,XXY"),
    Case("Turner syndrome", {"45,X": 30}, "45,X"),
    Case("triple X", {"47,XXX": 15}, "47,XXX"),
    Case("two Y", {"47,XYY": 15}, "47,XYY"),
    Case("XXYY with trisomy 18", {"49,XXYY,+18": 15}, "49,XXYY,+18"),
    Case("sex chromosome mosaic", {"45,X": 8, "46,XX": 22}, "45,X[8]/46,XX[22]"),
    Case("sex chromosome mosaic, smaller line normal", {"45,X": 22, "46,XX": 8}, "45,X[22]/46,XX[8]"),
    Case("X lost in two cells is chance", {"45,X": 2, "46,XX": 28}, "46,XX"),
    Case("X lost in three cells is a line", {"45,X": 3, "46,XX": 27}, "45,X[3]/46,XX[27]"),
    Case("X gained in two cells is a line", {"47,XXX": 2, "46,XX": 28}, "47,XXX[2]/46,XX[28]"),
    Case("three lines, the larger abnormal one first", {"47,XXX": 6, "45,X": 11, "46,XX": 13},
         "45,X[11]/47,XXX[6]/46,XX[13]"),
    Case("equal lines: gain before loss", {"47,XXX": 9, "45,X": 9, "46,XX": 12}, "47,XXX[9]/45,X[9]/46,XX[12]"),
    Case("Turner with Y", {"45,X": 12, "46,XY": 18}, "45,X[12]/46,XY[18]"),
    Case("XXY mosaic", {"47,XXY": 7, "46,XY": 23}, "47,XXY[7]/46,XY[23]"),
    Case("XXY with X0, equal", {"47,XXY": 10, "45,X": 10}, "47,XXY[10]/45,X[10]", MALE),
    Case("isochromosome Xq", {"46,X,i(X)(q10)": 20}, "46,X,i(X)(q10)"),
    Case("isochromosome Xq mosaic", {"45,X": 10, "46,X,i(X)(q10)": 10}, "45,X[10]/46,X,i(X)(q10)[10]"),
    Case("deletion before isochromosome, equal lines", {"46,X,i(X)(q10)": 9, "46,X,del(X)(q21)": 9, "46,XX": 12},
         "46,X,del(X)(q21)[9]/46,X,i(X)(q10)[9]/46,XX[12]"),
    Case("ring X beside a marker-free X0 line", {"46,X,r(X)(p22q25)": 12, "45,X": 18},
         "45,X[18]/46,X,r(X)(p22q25)[12]"),
    Case("trisomy 21 mosaic", {"47,XX,+21": 9, "46,XX": 21}, "47,XX,+21[9]/46,XX[21]"),
    Case("one cell with trisomy 8 is not a mosaic", {"47,XX,+8": 1, "46,XX": 29}, "46,XX"),
    Case("one normal cell in trisomy 21 has lost one by chance", {"47,XY,+21": 19, "46,XY": 1}, "47,XY,+21"),
    Case("two normal cells in trisomy 21 are still chance", {"47,XY,+21": 18, "46,XY": 2}, "47,XY,+21"),
    Case("of five cells two normal ones are not chance", {"47,XXX": 3, "46,XX": 2}, "47,XXX[3]/46,XX[2]"),
    Case("three normal cells make a mosaic", {"47,XY,+21": 17, "46,XY": 3}, "47,XY,+21[17]/46,XY[3]"),
    Case("chance losses in trisomy 21", {"47,XY,+21": 17, "46,XY,+21,-4": 1, "46,XY,-17,+21": 1, "45,XY,-9,-11,+21": 1},
         "47,XY,+21"),
    Case("chance losses in a normal person", {"46,XX": 17, "45,XX,-22": 2, "45,XX,-3": 1}, "46,XX"),
    Case("monosomy 22 in three cells", {"45,XX,-22": 3, "46,XX": 27}, "45,XX,-22[3]/46,XX[27]"),
    Case("double aneuploidy in chromosome order", {"48,XXY,+21": 15}, "48,XXY,+21"),
    Case("balanced translocation", {"46,XX,t(2;11)(q33;p14)": 15}, "46,XX,t(2;11)(q33;p14)"),
    Case("translocation of the X in a male", {"46,Y,t(X;7)(p11.4;q32)": 15}, "46,Y,t(X;7)(p11.4;q32)"),
    Case("translocation mosaic of one normal cell is none", {"46,XX,t(2;11)(q33;p14)": 19, "46,XX": 1},
         "46,XX,t(2;11)(q33;p14)"),
    Case("translocation mosaic", {"46,XX,t(2;11)(q33;p14)": 11, "46,XX": 9}, "46,XX,t(2;11)(q33;p14)[11]/46,XX[9]"),
    Case("breakpoints stand once", {"47,XXX,t(2;11)(q33;p14)": 11, "46,XX,t(2;11)(q33;p14)": 9},
         "47,XXX,t(2;11)(q33;p14)[11]/46,XX,t(2;11)[9]"),
    Case("Robertsonian translocation from the mother", {"45,XX,der(13;14)(q10;q10)": 15},
         "45,XX,der(13;14)(q10;q10)mat", {"constitutional": ("der(13;14)(q10;q10)mat",)}),
    Case("Robertsonian Down syndrome from the father", {"46,XY,der(14;21)(q10;q10),+21": 15},
         "46,XY,der(14;21)(q10;q10)pat,+21", {"constitutional": ("der(14;21)(q10;q10)pat",)}),
    Case("Robertsonian Patau syndrome, numerical first", {"46,XX,+13,der(13;14)(q10;q10)": 15},
         "46,XX,+13,der(13;14)(q10;q10)"),
    Case("21q with 21q", {"46,XX,+21,der(21;21)(q10;q10)": 15}, "46,XX,+21,der(21;21)(q10;q10)"),
    Case("unbalanced from a parent", {"46,XX,der(5)t(5;10)(p14;q25)": 15}, "46,XX,der(5)t(5;10)(p14;q25)dmat",
         {"constitutional": ("der(5)t(5;10)(p14;q25)dmat",)}),
    Case("marker, new", {"47,XY,+mar": 15}, "47,XY,+mar dn", {"constitutional": ("+mar dn",)}),
    Case("marker mosaic", {"47,XX,+mar": 12, "46,XX": 18}, "47,XX,+mar[12]/46,XX[18]"),
    Case("two markers in one line, one in another", {"48,XX,+2mar": 5, "47,XX,+mar": 10, "46,XX": 15},
         "47,XX,+mar[10]/48,XX,+2mar[5]/46,XX[15]"),
    Case("equal lines in chromosome order", {"47,XX,+21": 8, "47,XX,+8": 8, "46,XX": 8},
         "47,XX,+8[8]/47,XX,+21[8]/46,XX[8]"),
    Case("equal lines: sex chromosomes first", {"47,XX,+21": 8, "47,XXX": 8, "46,XX": 8},
         "47,XXX[8]/47,XX,+21[8]/46,XX[8]"),
    Case("prefix where the laboratory writes it", {"45,X": 8, "46,XX": 22}, "mos 45,X[8]/46,XX[22]", {"prefix": "mos"}),
    Case("no prefix without a mosaic", {"46,XX": 22}, "46,XX", {"prefix": "mos"}),
    Case("XX before XY in a chimera of equal lines", {"46,XY": 10, "46,XX": 10}, "chi 46,XX[10]/46,XY[10]",
         {"prefix": "chi"}),
    Case("the larger line first in a chimera", {"46,XY": 14, "46,XX": 6}, "46,XY[14]/46,XX[6]"),
    Case("triploid", {"69,XXY": 15}, "69,XXY"),
    Case("diploid and triploid", {"69,XXX": 6, "46,XX": 14}, "69,XXX[6]/46,XX[14]"),
    Case("one tetraploid cell is no line", {"92,XXYY": 1, "46,XY": 19}, "46,XY"),
    Case("two cells in all, both with trisomy 18", {"47,XX,+18": 2}, "47,XX,+18"),
    Case("one cell in all", {"45,X": 1}, "45,X"),
    Case("heteromorphisms stay out", {"46,XX,9qh+": 15}, "46,XX"),
    Case("heteromorphisms make no line", {"46,XX,9qh+": 5, "46,XX": 15}, "46,XX"),
    Case("mosaic known before, one cell", {"47,XX,+8": 1, "46,XX": 29}, "47,XX,+8[1]/46,XX[29]", {"previous": ("+8",)}),
    Case("mosaic that another technique confirmed", {"45,X": 1, "46,XX": 29}, "45,X[1]/46,XX[29]",
         {"confirmed": ("-X",)}),
    Case("deletions of one chromosome, pter to qter", {"46,XY,del(5)(p13)": 5, "46,XY,del(5)(p15.1)": 5, "46,XY": 9},
         "46,XY,del(5)(p15.1)[5]/46,XY,del(5)(p13)[5]/46,XY[9]"),
]  # fmt: skip

NEOPLASTIC = [
    Case("normal is numbered", {"46,XX": 20}, "46,XX[20]"),
    Case("all cells abnormal", {f"46,XY,{PH}": 20}, f"46,XY,{PH}[20]"),
    Case("clone and normal", {f"46,XY,{PH}": 12, "46,XY": 8}, f"46,XY,{PH}[12]/46,XY[8]"),
    Case("gain in two cells", {"47,XX,+8": 2, "46,XX": 18}, "47,XX,+8[2]/46,XX[18]"),
    Case("gain in one cell is not counted as normal", {"47,XX,+8": 1, "46,XX": 19}, "46,XX[19]"),
    Case("loss in two cells is chance", {"45,XX,-7": 2, "46,XX": 18}, "46,XX[20]"),
    Case("loss in three cells", {"45,XX,-7": 3, "46,XX": 17}, "45,XX,-7[3]/46,XX[17]"),
    Case("loss in two cells with the same deletion", {"45,XY,del(5)(q22q33),-7": 2, "46,XY": 18},
         "45,XY,del(5)(q22q33),-7[2]/46,XY[18]"),
    Case("loss in two of many cells of a clone is chance", {f"46,XX,{PH}": 14, f"45,XX,{PH},-20": 2, "46,XX": 4},
         f"46,XX,{PH}[16]/46,XX[4]"),
    Case("loss in three of many cells is a sideline", {f"46,XX,{PH}": 14, f"45,XX,{PH},-20": 3, "46,XX": 3},
         f"46,XX,{PH}[14]/45,sl,-20[3]/46,XX[3]"),
    Case("a loss scattered over clone and normal cells is chance",
         {f"46,XX,{PH}": 10, f"45,XX,{PH},-20": 2, "46,XX": 7, "45,XX,-20": 1}, f"46,XX,{PH}[12]/46,XX[8]"),
    Case("loss of Y", {"45,X,-Y": 6, "46,XY": 14}, "45,X,-Y[6]/46,XY[14]"),
    Case("loss of Y in all cells", {"45,X,-Y": 20}, "45,X,-Y[20]", MALE),
    Case("loss of X in a female", {"45,X,-X": 4, "46,XX": 16}, "45,X,-X[4]/46,XX[16]"),
    Case("nobody tells why there is one X", {"45,X": 20}, "45,X?c[20]"),
    Case("gain of X", {"47,XY,+X": 6, "46,XY": 14}, "47,XY,+X[6]/46,XY[14]"),
    Case("the X lost, the Y kept", {"45,Y,-X": 10, "46,XY": 4}, "45,Y,-X[10]/46,XY[4]"),
    Case("X and Y gained", {"48,XXYY": 10}, "48,XY,+X,+Y[10]", MALE),
    Case("loss of Y first, then the autosomes", {f"45,X,-Y,{RUNX}": 20}, f"45,X,-Y,{RUNX}[20]", MALE),
    Case("translocation of the X in a male", {"46,Y,t(X;17)(p11.2;q25)": 20}, "46,Y,t(X;17)(p11.2;q25)[20]", MALE),
    Case("stemline and sideline", {f"46,XY,{PH}": 4, f"47,XY,+8,{PH}": 16}, f"46,XY,{PH}[4]/47,sl,+8[16]"),
    Case("the same with idem", {f"46,XY,{PH}": 4, f"47,XY,+8,{PH}": 16}, f"46,XY,{PH}[4]/47,idem,+8[16]", {}, "idem"),
    Case("a chain of sidelines", {f"46,XX,{PH}": 3, f"47,XX,+8,{PH}": 9, f"48,XX,+8,{PH},+19": 8},
         f"46,XX,{PH}[3]/47,sl,+8[9]/48,sdl1,+19[8]"),
    Case("a chain with idem", {f"46,XX,{PH}": 3, f"47,XX,+8,{PH}": 9, f"48,XX,+8,{PH},+19": 8},
         f"46,XX,{PH}[3]/47,idem,+8[9]/48,idem,+8,+19[8]", {}, "idem"),
    Case("branching sidelines", {f"46,XX,{PH}": 5, f"47,XX,+8,{PH}": 6, f"46,XX,{PH},i(17)(q10)": 7, "46,XX": 2},
         f"46,XX,{PH}[5]/47,sl,+8[6]/46,sl,i(17)(q10)[7]/46,XX[2]"),
    Case("a second Philadelphia chromosome", {f"46,XX,{PH}": 5, f"47,XX,{PH},+der(22){PH}": 15},
         f"46,XX,{PH}[5]/47,sl,+der(22)t(9;22)[15]"),
    Case("its breakpoints left out on the bench", {f"46,XX,{PH}": 5, f"47,XX,{PH},+der(22)t(9;22)": 15},
         f"46,XX,{PH}[5]/47,sl,+der(22)t(9;22)[15]"),
    Case("related without a stemline are written in full",
         {"46,XY,del(9)(p13),t(1;19)(q23;p13.3)": 6, "47,XY,t(1;19)(q23;p13.3),+21": 9},
         "46,XY,t(1;19)(q23;p13.3),del(9)(p13)[6]/47,XY,t(1;19),+21[9]"),
    Case("related, equal complexity: gain before loss",
         {f"45,XX,{RUNX},-9": 8, f"47,XX,{RUNX},+9": 5}, f"47,XX,{RUNX},+9[5]/45,XX,t(8;21),-9[8]"),
    Case("unrelated by size", {"47,XX,+21": 4, "46,XX,del(20)(q11.2q13.3)": 9, "46,XX": 7},
         "46,XX,del(20)(q11.2q13.3)[9]/47,XX,+21[4]/46,XX[7]"),
    Case("unrelated of equal size by chromosome", {"47,XX,+21": 5, "47,XX,+8": 5, "46,XX": 10},
         "47,XX,+8[5]/47,XX,+21[5]/46,XX[10]"),
    Case("unrelated of equal size, same chromosome", {"46,XY,del(5)(q22q33)": 6, "47,XY,+5": 6, "46,XY": 8},
         "47,XY,+5[6]/46,XY,del(5)(q22q33)[6]/46,XY[8]"),
    Case("gain and loss of Y, equal", {"45,X,-Y": 10, "47,XY,+Y": 10}, "47,XY,+Y[10]/45,X,-Y[10]", MALE),
    Case("add before t", {"46,XX,t(7;10)(q22;q24)": 5, "46,XX,add(7)(q32)": 5, "46,XX": 10},
         "46,XX,add(7)(q32)[5]/46,XX,t(7;10)(q22;q24)[5]/46,XX[10]"),
    Case("related before unrelated", {"47,XX,+8": 12, f"46,XX,{PH}": 3, f"46,XX,{PH},del(20)(q12)": 5},
         f"46,XX,{PH}[3]/46,sl,del(20)(q12)[5]/47,XX,+8[12]"),
    Case("two stemlines with sidelines",
         {f"46,XY,{RUNX}": 6, f"45,X,-Y,{RUNX}": 4, "47,XY,+13": 5, "48,XY,+13,+19": 5},
         f"46,XY,{RUNX}[6]/45,sl1,-Y[4]/47,XY,+13[5]/48,sl2,+19[5]"),
    Case("two stemlines, idem means the first alone",
         {f"46,XY,{RUNX}": 6, f"45,X,-Y,{RUNX}": 4, "47,XY,+13": 5, "48,XY,+13,+19": 5},
         f"46,XY,{RUNX}[6]/45,idem,-Y[4]/47,XY,+13[5]/48,XY,+13,+19[5]", {}, "idem"),
    Case("single cell known before", {f"46,XX,{PH}": 1, "46,XX": 19}, f"46,XX,{PH}[1]/46,XX[19]", {"previous": (PH,)}),
    Case("single cell that FISH confirmed", {"46,XX,del(20)(q11.2q13.3)": 1, "46,XX": 19},
         "46,XX,del(20)(q11.2q13.3)[1]/46,XX[19]", {"confirmed": ("del(20)(q11.2q13.3)",)}),
    Case("single cell known before, more in it is not listed", {f"47,XX,+8,{PH}": 1, "46,XX": 19},
         f"46,XX,{PH}[1]/46,XX[19]", {"previous": (PH,)}),
    Case("known before goes first", {f"46,XY,{PH}": 2, "46,XY,t(3;5)(q21;q35)": 18},
         f"46,XY,{PH}[2]/46,XY,t(3;5)(q21;q35)[18]", {"previous": (PH,)}),
    Case("known loss in one cell", {"45,XY,-7": 1, "46,XY": 19}, "45,XY,-7[1]/46,XY[19]", {"previous": ("-7",)}),
    Case("one cell of a clone lost what it had gained", {"48,XX,+8,+21": 11, "47,XX,+8": 1, "46,XX": 8},
         "48,XX,+8,+21[12]/46,XX[8]"),
    Case("two cells with less are the stemline", {"48,XX,+8,+21": 11, "47,XX,+8": 2, "46,XX": 7},
         "47,XX,+8[2]/48,sl,+21[11]/46,XX[7]"),
    Case("one cell of a clone lost the abnormal chromosome itself",
         {"47,XX,del(5)(q22q33),+8": 9, "46,XX,-5,+8": 1, "46,XX": 8}, "47,XX,del(5)(q22q33),+8[10]/46,XX[8]"),
    Case("chance losses on top of a clone", {f"46,XY,{PH}": 8, f"45,XY,-4,{PH}": 1, f"44,XY,{PH},-13,-18": 1,
          "46,XY": 5},
         f"46,XY,{PH}[10]/46,XY[5]"),
    Case("one more change in one cell of a clone is not listed", {f"46,XY,{PH}": 9, f"47,XY,{PH},+19": 1},
         f"46,XY,{PH}[10]"),
    Case("hyperdiploid, all alike", {"55,XX,+X,+4,+6,+10,+14,+17,+18,+21,+21": 12, "46,XX": 8},
         "55,XX,+X,+4,+6,+10,+14,+17,+18,+21,+21[12]/46,XX[8]"),
    Case("hyperdiploid with variable gains is composite",
         {"52,XY,+X,+4,+6,+14,+18,+21": 1, "52,XY,+X,+4,+6,+14,+21,+21": 1, "52,XY,+X,+6,+14,+17,+21,+21": 1,
          "53,XY,+X,+4,+6,+14,+17,+18,+21": 1, "51,XY,+X,+4,+14,+21,+21": 1, "46,XY": 5},
         "51~53,XY,+X[5],+4[4],+6[4],+14[5],+17[2],+18[2],+21[5],+21[3][cp5]/46,XY[5]"),
    Case("the same without numbers",
         {"52,XY,+X,+4,+6,+14,+18,+21": 1, "52,XY,+X,+4,+6,+14,+21,+21": 1, "52,XY,+X,+6,+14,+17,+21,+21": 1,
          "53,XY,+X,+4,+6,+14,+17,+18,+21": 1, "51,XY,+X,+4,+14,+21,+21": 1, "46,XY": 5},
         "51~53,XY,+X,+4,+6,+14,+17,+18,+21,+21[cp5]/46,XY[5]", {"composite_numbers": False}),
    Case("five cells, no two alike", {"48,XX,+3,+5": 1, "48,XX,+3,+12": 1, "48,XX,+5,+12": 1, "48,XX,+5,+18": 1,
         "48,XX,+18,+20": 1}, "48,XX,+3[2],+5[3],+12[2],+18[2][cp5]"),
    Case("gain and loss of one chromosome in a composite",
         {"45,XX,-13,del(17)(p12)": 1, "46,XX,+5,-13,del(17)(p12)": 1, "46,XX,+20,-13": 1, "47,XX,+5": 1,
          "47,XX,+13,del(17)(p12)": 1, "48,XX,+13,+20": 1},
         "45~48,XX,+5[2],+13[2],-13[3],del(17)(p12)[3],+20[2][cp6]"),
    Case("stemline with a composite sideline",
         {f"46,XY,{RUNX}": 6, f"48,XY,+4,{RUNX},+13": 1, f"48,XY,+4,{RUNX},+19": 1, f"48,XY,{RUNX},+13,+19": 1},
         f"46,XY,{RUNX}[6]/48,sl,+4[2],+13[2],+19[2][cp3]"),
    Case("abnormal X in part of a composite",
         {"48,X,i(X)(q10),+8,+9": 1, "47,XX,+9,del(17)(p12)": 1, "47,X,i(X)(q10),+12": 1,
          "47,X,i(X)(q10),+9,del(17)(p12)": 1, "47,X,i(X)(q10),+8": 1, "48,XX,+8,+9": 1},
         "47~48,XX,i(X)(q10)[4],+8[3],+9[4],del(17)(p12)[2][cp6]"),
    Case("hypodiploid", {"44,XX,-3,-7": 6, "46,XX": 14}, "44,XX,-3,-7[6]/46,XX[14]"),
    Case("near-haploid and its doubling", {"26,X,+8,+18,+21": 3, "52,XX,+8,+8,+18,+18,+21,+21": 13, "46,XX": 4},
         "26<1n>,X,+8,+18,+21[3]/52,slx2[13]/46,XX[4]"),
    Case("the same with idem", {"26,X,+8,+18,+21": 3, "52,XX,+8,+8,+18,+18,+21,+21": 13, "46,XX": 4},
         "26<1n>,X,+8,+18,+21[3]/52,idemx2[13]/46,XX[4]", {}, "idem"),
    Case("near-haploid of a male kept its X", {"25,X,+14,+21": 4, "50,XX,+14,+14,+21,+21": 6, "46,XY": 10},
         "25<1n>,X,+14,+21[4]/50,slx2[6]/46,XY[10]"),
    Case("tetraploid of a Philadelphia clone", {f"46,XY,{PH}": 5, f"92,XXYY,{PH}x2": 4, "46,XY": 3},
         f"46,XY,{PH}[5]/92,slx2[4]/46,XY[3]"),
    Case("near-tetraploid with one more", {f"46,XY,{PH}": 5, f"92,XXYY,{PH}x2": 4, f"93,XXYY,+8,{PH}x2": 3},
         f"46,XY,{PH}[5]/92,slx2[4]/93,slx2,+8[3]"),
    Case("doubled with loss of Y", {"45,X,-Y": 5, "90,XX,-Y,-Y": 5, "46,XY": 10}, "45,X,-Y[5]/90,slx2[5]/46,XY[10]"),
    Case("near-triploid", {"71,XXX,+8,+10": 5, "46,XX": 15}, "71<3n>,XXX,+8,+10[5]/46,XX[15]"),
    Case("copies of a deletion", {"46,XX,del(6)(q15q23)x2": 8, "46,XX": 12}, "46,XX,del(6)(q15q23)x2[8]/46,XX[12]"),
    Case("dicentric counts for two", {"45,XX,dic(7;12)(p11.2;p12)": 9, "46,XX,dic(7;12)(p11.2;p12),+21": 6},
         "45,XX,dic(7;12)(p11.2;p12)[9]/46,sl,+21[6]"),
    Case("rings, markers, double minutes last",
         {"51,XX,+r,+2mar,+7,+12,8dmin": 2, "51,XX,+r,+2mar,+7,+12,15dmin": 3}, "51,XX,+7,+12,+r,+2mar,8~15dmin[5]"),
    Case("derivative of unknown origin before rings", {"49,XX,+r,+der(?)t(?;6)(?;q16),+mar": 5},
         "49,XX,+der(?)t(?;6)(?;q16),+r,+mar[5]"),
    Case("tetrasomy", {"48,XX,+8,+8": 5, "47,XX,+8": 5, "46,XX": 10}, "47,XX,+8[5]/48,sl,+8[5]/46,XX[10]"),
    Case("incomplete", {"46,XX,del(1)(q21),inc": 4}, "46,XX,del(1)(q21),inc[4]"),
    Case("an incomplete cell with the changes of a clone counts to it", {f"46,XX,{PH}": 5, f"46,XX,{PH},inc": 1},
         f"46,XX,{PH}[6]"),
    Case("an incomplete cell that may be of two lines counts to none",
         {"47,XX,+8,inc": 1, "48,XX,+8,+21": 6, "46,XX": 3}, "48,XX,+8,+21[6]/46,XX[3]"),
    Case("Down syndrome with an acquired gain", {"48,XX,+8,+21": 12, "47,XX,+21": 8},
         "48,XX,+8,+21c[12]/47,XX,+21c[8]", {"constitutional": ("+21",)}),
    Case("Down syndrome with another 21", {"48,XY,+21,+21": 20}, "48,XY,+21c,+21[20]", {"constitutional": ("+21",)}),
    Case("Down syndrome that lost a 21", {"46,XY": 12, "47,XY,+21": 8}, "46,XY,+21c,-21[12]/47,XY,+21c[8]",
         {"constitutional": ("+21",)}),
    Case("mosaic Down syndrome with a clone",
         {"47,XY,t(8;14)(q24.1;q32),+21": 5, "47,XY,+21": 7, "46,XY": 8},
         "47,XY,t(8;14)(q24.1;q32),+21c[5]/47,XY,+21c[7]/46,XY[8]",
         {"constitutional": ("+21",), "constitutional_mosaic": True}),
    Case("mosaic Down syndrome, clone in the normal line", {"45,XY,-21": 5, "47,XY,+21": 9, "46,XY": 6},
         "45,XY,-21[5]/47,XY,+21c[9]/46,XY[6]", {"constitutional": ("+21",), "constitutional_mosaic": True}),
    Case("mosaic Klinefelter syndrome", {"47,XXY": 5, f"46,XY,{PH}": 5, "46,XY": 10},
         f"46,XY,{PH}[5]/47,XXYc[5]/46,XY[10]", {"sex": "XXY", "constitutional_mosaic": True}),
    Case("mosaic Turner syndrome", {"45,X": 8, "46,XX": 12}, "45,Xc[8]/46,XX[12]",
         {"sex": "X", "constitutional_mosaic": True}),
    Case("mosaic of X0 and XY", {"45,X": 8, "46,XY": 12}, "45,Xc[8]/46,XY[12]",
         {"sex": "X", "constitutional_mosaic": True}),
    Case("tetraploid cells of Down syndrome", {"94,XXYY,+21,+21": 3, "47,XY,+21": 12},
         "94<4n>,XXYY,+21c,+21c[3]/47,XY,+21c[12]", {"constitutional": ("+21",)}),
    Case("single near-haploid cell that others show doubled", {"26,X,+8,+14,+21": 1, "52,XX,+8,+8,+14,+14,+21,+21": 9,
         "46,XX": 10}, "26<1n>,X,+8,+14,+21[1]/52,slx2[9]/46,XX[10]"),
    Case("the near-haploid stemline of a doubled clone is gone", {"52,XX,+8,+8,+14,+14,+21,+21": 9,
         "51,XX,+8,+8,-10,+14,+14,+21,+21": 3}, "52,XX,+8,+8,+14,+14,+21,+21[9]/51,idem,-10[3]", {}, "idem"),
    Case("a doubled sideline is told against the stemline",
         {f"46,XY,{PH}": 4, f"47,XY,+8,{PH}": 4, f"94,XXYY,+8,+8,{PH}x2": 4},
         f"46,XY,{PH}[4]/47,sl,+8[4]/94,slx2,+8,+8[4]"),
    Case("known before beside a family of clones", {f"46,XX,{PH}": 1, "47,XX,+8": 10, "48,XX,+8,+9": 5},
         f"46,XX,{PH}[1]/47,XX,+8[10]/48,sl2,+9[5]", {"previous": (PH,)}),
    Case("an uncertain gain is not the certain one", {"47,XX,+?8": 2, "46,XX": 18}, "47,XX,+?8[2]/46,XX[18]"),
    Case("an abnormal X in all cells of a composite",
         {"47,X,i(X)(q10),+8": 1, "47,X,i(X)(q10),+9": 1, "48,X,i(X)(q10),+8,+9": 1, "48,X,i(X)(q10),+9,+21": 1,
          "48,X,i(X)(q10),+8,+21": 1}, "47~48,X,i(X)(q10)[5],+8[3],+9[3],+21[2][cp5]"),
    Case("incomplete cells whose counts differ", {"45,XX,-5,del(7)(q22),inc": 2, "46,XX,del(7)(q22),inc": 2},
         "45~46,XX,del(7)(q22),inc[4]"),
    Case("one cell with the changes of two clones counts to the one whose change is structural",
         {f"46,XX,{PH}": 8, "47,XX,+8": 5, f"47,XX,+8,{PH}": 1}, f"46,XX,{PH}[9]/47,XX,+8[5]"),
    Case("a sideline in two cells beside single ones that differ becomes part of the composite",
         {f"46,XX,del(5)(q13),{PH}": 2, f"46,XX,add(7)(p22),del(5)(q13),{PH}": 1,
          f"46,XX,add(7)(p22),{PH},i(17)(q10)": 1, f"46,XX,{PH},i(17)(q10)": 1},
         f"46,XX,del(5)(q13)[3],add(7)(p22)[2],{PH}[5],i(17)(q10)[2][cp5]"),
    Case("hyperdiploid, more cells alike than not",
         {"54,XX,+X,+4,+6,+10,+14,+17,+18,+21": 6, "53,XX,+X,+4,+6,+10,+14,+17,+18": 1,
          "53,XX,+4,+6,+10,+14,+17,+18,+21": 1, "52,XX,+X,+4,+6,+10,+14,+18": 1},
         "54,XX,+X,+4,+6,+10,+14,+17,+18,+21[9]"),
    Case("two sidelines of evolution and chance losses",
         {"45,XY,del(5)(q22q33),-7": 3, "44,XY,del(5)(q22q33),-7,-18": 4, "43,XY,del(5)(q22q33),-7,-12,-18": 1,
          "46,XY": 3}, "45,XY,del(5)(q22q33),-7[3]/44,sl,-18[5]/46,XY[3]"),
    Case("homogeneously staining region", {"46,XY,hsr(8)(q24)": 3, "46,XY": 5}, "46,XY,hsr(8)(q24)[3]/46,XY[5]"),
    Case("near-triploid of a male without Y", {"68,XX,-Y": 5, "46,XY": 5}, "68<3n>,XX,-Y[5]/46,XY[5]"),
    Case("no sex chromosome is normal", {"46,t(X;4)(q22;q31),t(Y;9)(q11.2;p22)": 8, "46,XY": 5},
         "46,t(X;4)(q22;q31),t(Y;9)(q11.2;p22)[8]/46,XY[5]", MALE),
    Case("both X are lost", {"44,-X,-X": 9, "46,XX": 11}, "44,-X,-X[9]/46,XX[11]", FEMALE),
    Case("masked hypodiploidy, shown otherwise", {"52,XX,+8,+8,+14,+14,+21,+21": 9, "46,XX": 11},
         "52(26,X,+8,+14,+21)x2[9]/46,XX[11]", {**FEMALE, "masked": True}),
    Case("the same, not shown otherwise", {"52,XX,+8,+8,+14,+14,+21,+21": 9, "46,XX": 11},
         "52,XX,+8,+8,+14,+14,+21,+21[9]/46,XX[11]", FEMALE),
    Case("gained after the doubling", {"53,XX,+6,+8,+8,+14,+14,+21,+21": 9}, "53(26,X,+8,+14,+21)x2,+6[9]",
         {**FEMALE, "masked": True}),
    Case("lost after the doubling, the Y before it", {"51,XX,-3,+8,+8,+14,+14,+21,+21": 9, "46,XY": 11},
         "51(26,X,+8,+14,+21)x2,-3[9]/46,XY[11]", {**MALE, "masked": True}),
    Case("the X lost before the doubling", {"52,YY,+8,+8,+14,+14,+21,+21": 9, "46,XY": 11},
         "52(26,-X,+Y,+8,+14,+21)x2[9]/46,XY[11]", {**MALE, "masked": True}),
    Case("structural change before the doubling", {f"54,XX,+8,+8,+14,+14,+18,+18,{RUNX}x2,+21,+21": 9},
         "54(27,X,+8,t(8;21)(q22;q22),+14,+18,+21)x2[9]", {**FEMALE, "masked": True}),
    Case("a sideline of a doubled clone",
         {"52,XX,+8,+8,+14,+14,+21,+21": 9, "53,XX,+5,+8,+8,+14,+14,+21,+21": 4},
         "52(26,X,+8,+14,+21)x2[9]/53,sl,+5[4]", {**FEMALE, "masked": True}),
    Case("its stemline is among the cells", {"26<1n>,X,+8,+14,+21": 3, "52,XX,+8,+8,+14,+14,+21,+21": 9},
         "26<1n>,X,+8,+14,+21[3]/52,slx2[9]", {**FEMALE, "masked": True}),
    Case("a trisomy is no doubled clone", {"47,XX,+8": 9, "46,XX": 11}, "47,XX,+8[9]/46,XX[11]",
         {**FEMALE, "masked": True}),
    Case("one X and one Y are of no doubled clone", {"52,XY,+8,+8,+14,+14,+21,+21": 9},
         "52,XY,+8,+8,+14,+14,+21,+21[9]", {**MALE, "masked": True}),
    Case("doubled twice is written in full",
         {"24,X,+8": 3, "48,XX,+8,+8": 4, "96<4n>,XXXX,+8,+8,+8,+8": 3, "46,XX": 5},
         "24<1n>,X,+8[3]/48,slx2[4]/96<4n>,XXXX,+8,+8,+8,+8[3]/46,XX[5]"),
    Case("a haploid set without a change is nobody's stemline", {"23,X": 3, "47,XX,+8": 5, "46,XX": 5},
         "47,XX,+8[5]/23<1n>,X[3]/46,XX[5]"),
    Case("clones of the normal and of the trisomic line of a mosaic do not refer to each other",
         {f"46,XX,{PH}": 4, f"47,XX,{PH},del(20)(q12),+21": 4, "47,XX,+21": 3, "46,XX": 5},
         f"46,XX,{PH}[4]/47,XX,t(9;22),del(20)(q12),+21c[4]/47,XX,+21c[3]/46,XX[5]",
         {"constitutional": ("+21",), "constitutional_mosaic": True}),
    Case("loss of X in part of a composite",
         {"45,X,-X,+8,-7": 1, "47,XX,+8": 1, "47,X,-X,+8,+9": 1, "46,X,-X,+9": 1, "47,XX,+9": 1, "46,XX": 5},
         "45~47,X,-X[3],+8[3],+9[3][cp5]/46,XX[5]"),
    Case("a cell that lost many chromosomes counts to nothing", {"38,XX,-1,-2,-3,-5,-9,-11,-14,-20": 1, "46,XX": 19},
         "46,XX[19]"),
    Case("a stemline common to all, sidelines in a composite without it",
         {"47,XX,+8,inv(3)(q21q26.2)": 1, "47,XX,inv(3)(q21q26.2),+19": 1, "48,XX,+8,inv(3)(q21q26.2),+21": 1,
          "48,XX,inv(3)(q21q26.2),+19,+21": 1, "47,XX,inv(3)(q21q26.2),+21": 1},
         "47~48,XX,inv(3)(q21q26.2)[5],+8[2],+19[2],+21[3][cp5]"),
    Case("sidelines in Down syndrome", {"48,XY,+8,+21": 3, "49,XY,+8,+9,+21": 5, "47,XY,+21": 12},
         "48,XY,+8,+21c[3]/49,sl,+9[5]/47,XY,+21c[12]", {"constitutional": ("+21",)}),
    Case("Klinefelter syndrome with a clone", {f"47,XXY,{PH}": 20}, f"47,XXYc,{PH}[20]", {"sex": "XXY"}),
    Case("Klinefelter syndrome that lost an X", {"46,XY": 10, "47,XXY": 5},
         "46,XXYc,-X[10]/47,XXYc[5]", {"sex": "XXY"}),
    Case("Klinefelter syndrome with one more X", {"48,XXXY": 10}, "48,XXYc,+X[10]", {"sex": "XXY"}),
    Case("Turner syndrome with a clone", {"46,X,+21": 10, "45,X": 10}, "46,Xc,+21[10]/45,Xc[10]", {"sex": "X"}),
    Case("constitutional marker", {"47,XX,del(5)(q15),+mar": 20}, "47,XX,del(5)(q15),+mar c[20]",
         {"constitutional": ("+mar",)}),
    Case("constitutional Robertsonian translocation",
         {"46,XX,der(13;14)(q10;q10),+8": 7, "45,XX,der(13;14)(q10;q10)": 13},
         "46,XX,+8,der(13;14)(q10;q10)c[7]/45,XX,der(13;14)c[13]", {"constitutional": ("der(13;14)(q10;q10)",)}),
    Case("inheritance stands for c", {"47,XY,+8,inv(10)(p12q22)": 20}, "47,XY,+8,inv(10)(p12q22)mat[20]",
         {"constitutional": ("inv(10)(p12q22)mat",)}),
    Case("the stemline may be smaller than chance losses are many",
         {f"46,XX,{PH}": 2, f"46,XX,{PH},del(7)(q22)": 5, f"45,XX,{PH},del(7)(q22),-18": 1, "46,XX": 2},
         f"46,XX,{PH}[2]/46,sl,del(7)(q22)[6]/46,XX[2]"),
    Case("whole-arm translocation", {"46,XX,+1,der(1;7)(q10;p10)": 9, "45,XX,-7": 4, "46,XX": 7},
         "46,XX,+1,der(1;7)(q10;p10)[9]/45,XX,-7[4]/46,XX[7]"),
]  # fmt: skip


@pytest.mark.parametrize("case", CONSTITUTIONAL, ids=lambda case: case.name)
def test_constitutional(case: Case) -> None:
    assert str(karyotype(case, neoplastic=False)) == case.expected


@pytest.mark.parametrize("case", NEOPLASTIC, ids=lambda case: case.name)
def test_neoplastic(case: Case) -> None:
    assert str(karyotype(case, neoplastic=True)) == case.expected


def cell(name: str, text: str, culture: str = "", colony: str = "") -> Cell:
    return cell_from_iscn(name, text, culture=culture, colony=colony)


def in_cultures(trisomic: dict[str, int], normal: dict[str, int]) -> list[Cell]:
    """Cells with trisomy 2, a common artefact of culture, and normal ones, by culture."""
    return [
        cell(f"{culture}{text[:2]}{n}", text, culture)
        for text, cultures in (("47,XX,+2", trisomic), ("46,XX", normal))
        for culture, number in cultures.items()
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("trisomic", "level", "string"),
    [
        ({"A": 1}, 1, "46,XX"),
        ({"A": 3}, 2, "46,XX"),
        ({"A": 2, "B": 1}, 3, "47,XX,+2[3]/46,XX[15]"),
    ],
)
def test_pseudomosaicism_of_amniotic_cells(trisomic: dict[str, int], level: int, string: str) -> None:
    found = clonal_karyotype(in_cultures(trisomic, {"A": 7, "B": 8}), Setting(neoplastic=False, amniotic=True))
    assert str(found) == string
    (finding,) = found.findings
    assert finding.pseudomosaicism == level and finding.change.text == "+2"
    assert any("level I" in said or "Level" in said for said in describe(found)), describe(found)


def test_one_culture_cannot_tell_pseudomosaicism() -> None:
    found = clonal_karyotype(in_cultures({"A": 3}, {"A": 12}), Setting(neoplastic=False, amniotic=True))
    assert str(found) == "47,XX,+2[3]/46,XX[12]" and "one_culture_only" in found.notes


def test_elsewhere_a_change_of_one_culture_is_reported_and_told() -> None:
    found = clonal_karyotype(in_cultures({"A": 3}, {"A": 7, "B": 8}), Setting(neoplastic=False))
    assert str(found) == "47,XX,+2[3]/46,XX[15]" and found.findings[0].confined
    assert any("confined" in said for said in describe(found))


def test_in_neoplasia_cultures_differ() -> None:
    found = clonal_karyotype(in_cultures({"A": 3}, {"B": 8}), Setting(neoplastic=True, amniotic=True))
    assert str(found) == "47,XX,+2[3]/46,XX[8]" and not found.findings[0].confined


def test_a_colony_is_one_cell_that_has_grown() -> None:
    one = [cell(f"a{n}", "47,XX,+8", "A", "1") for n in range(5)]
    others = [cell(f"b{n}", "46,XX", "A", str(n + 2)) for n in range(10)]
    found = clonal_karyotype([*one, *others], Setting(neoplastic=False))
    assert str(found) == "46,XX" and found.findings[0].rule == "one_colony"
    second = cell("a9", "47,XX,+8", "A", "30")
    assert str(clonal_karyotype([*one, second, *others], Setting(neoplastic=False))) == "47,XX,+8[6]/46,XX[10]"


def test_two_cells_of_a_colony_count_as_independent() -> None:
    lost = [cell(f"a{n}", "45,X", "A", colony) for n, colony in enumerate("1112")]
    others = [cell(f"b{n}", "46,XX", "A", str(n + 5)) for n in range(16)]
    found = clonal_karyotype([*lost, *others], Setting(neoplastic=False))
    assert found.findings[0].independent == 3 and str(found) == "45,X[4]/46,XX[16]"
    found = clonal_karyotype([*lost[:3], *others], Setting(neoplastic=False))
    assert str(found) == "46,XX"


def test_every_change_has_its_rule() -> None:
    case = Case("", {f"46,XX,{PH}": 6, f"47,XX,+8,{PH}": 5, f"45,XX,-20,{PH}": 1, "46,XX": 7, "47,XX,+13": 1}, "")
    found = karyotype(case, neoplastic=True)
    assert {one.change.text: (one.rule, len(one.cells)) for one in found.findings} == {
        "+8": ("two_cells", 5),
        PH: ("two_cells", 12),
        "+13": ("single_cell", 1),
        "-20": ("too_few_losses", 1),
    }
    assert [(one.cell, one.reason, one.counted) for one in found.set_aside] == [
        ("02.00", "random_loss", True),
        ("04.00", "single_cell", False),
    ]
    assert [(clone.role, len(clone.cells)) for clone in found.clones] == [
        ("stemline", 7), ("sideline", 5), ("normal", 7),
    ]  # fmt: skip


def test_a_scattered_loss_is_not_called_clonal() -> None:
    case = Case("", {f"46,XX,{PH}": 10, f"45,XX,{PH},-20": 2, "46,XX": 7, "45,XX,-20": 1}, "")
    rules = {one.change.text: one.rule for one in karyotype(case, neoplastic=True).findings}
    assert rules["-20"] == "scattered"


def test_what_differs_in_breakpoints_alone_is_told() -> None:
    case = Case("", {"46,XX,t(9;22)(q34;q11)": 1, f"46,XX,{PH}": 1, "46,XX": 10}, "")
    found = karyotype(case, neoplastic=True)
    assert [len(one.alike) for one in found.findings] == [1, 1]
    assert sum("may be the same" in said for said in describe(found)) == 1


def test_a_missing_gain_is_told() -> None:
    found = karyotype(Case("", {"48,XX,+8,+21": 11, "47,XX,+8": 1}, ""), neoplastic=True)
    (aside,) = found.set_aside
    assert [change.text for change in aside.missing] == ["+21"] and aside.counted
    assert "Cell 01.00: lacks +21; taken for chance, the cell counts to its line." in describe(found)


def test_xx_and_xy_cells_are_told() -> None:
    found = karyotype(Case("", {"46,XX": 10, "46,XY": 10}, ""), neoplastic=False)
    assert {"two_sexes", "sex_not_told"} <= set(found.notes)


def test_cells_that_do_not_fit_the_sex_told_are_told() -> None:
    assert "sex_differs" in karyotype(Case("", {"46,XX": 10}, "", MALE), neoplastic=False).notes
    assert not karyotype(Case("", {"46,XY": 10}, "", MALE), neoplastic=False).notes


def test_every_word_is_there_in_both_languages() -> None:
    for table in (RULES, REASONS, ROLES, NOTES):
        for words in table.values():
            assert set(words) == set(LANGUAGES) and all(words.values())
    found = karyotype(Case("", {f"46,XX,{PH}": 6, f"47,XX,+8,{PH}": 5, "46,XX": 9}, ""), neoplastic=True)
    assert describe(found, "zh")[1] == f"干系 46,XX,{PH}[6]：6 个细胞。"
    assert describe(found, "en")[1] == f"Stemline 46,XX,{PH}[6]: 6 cell(s)."


@pytest.mark.parametrize(
    ("cells", "setting", "says"),
    [
        ([], {}, "no cell"),
        ([cell("a", "46,XX"), cell("a", "46,XX")], {}, "same name"),
        ([cell("a", "46,XX")], {"constitutional": ("der(13;14)(q10;q10)",)}, "lacks a constitutional"),
        ([cell(f"{n}", "46,XX" if n % 2 else "46,XY") for n in range(4)], {}, "several XY"),
        ([cell(f"{n}", "46,XX") for n in range(4)], {"sex": "XY"}, "several XY"),
        ([cell(f"{n}", "46,Y,t(X;1)(q21;p13)") for n in range(4)], {"constitutional": ("del(5)(q",)}, "string ends"),
    ],
)
def test_what_contradicts_itself_is_refused(cells: list[Cell], setting: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says.replace("(", "\\(")):
        clonal_karyotype(cells, Setting(neoplastic=True, **setting))


def test_without_clone_and_without_normal_cell_there_is_nothing_to_write() -> None:
    with pytest.raises(NothingToDo):
        karyotype(Case("", {"47,XX,+8": 1, "47,XX,+9": 1}, ""), neoplastic=True)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"sex": "YX"}, "sex chromosomes"),
        ({"sex": "XX", "gains": ("X",)}, "no autosome"),
        ({"sex": "XX", "gains": ("23",)}, "no autosome"),
        ({"sex": "XX", "losses": ("7", "7", "7")}, "more often"),
        ({"sex": "XX", "gains": ("8",), "count": 46}, "add up to 47"),
        ({"sex": "XX", "structural": ("+8x2~3",), "count": 48}, "interval"),
        ({"sex": "XX", "structural": ("+X",), "count": 47}, "no structural"),
        ({"sex": "XX", "structural": ("+21c",), "count": 47}, "comes from"),
        ({"sex": "XX", "structural": ("t(9;22)(q34;q11.2),+8",), "count": 47}, "not one abnormality"),
    ],
)
def test_a_cell_that_cannot_be_is_refused(made: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Cell(name="a", **made)


def test_a_cell_from_counts() -> None:
    normal = dict.fromkeys((str(number) for number in range(1, 23)), 2)
    assert cell_from_counts("a", normal | {"X": 1, "Y": 1}) == Cell(name="a", sex="XY", count=46)
    down = cell_from_counts("a", normal | {"21": 3, "X": 2})
    assert (down.gains, down.losses, down.sex, down.count) == (("21",), (), "XX", 47)
    turner = cell_from_counts("a", normal | {"X": 1})
    assert (turner.gains, turner.losses, turner.sex) == ((), (), "X")
    assert cell_from_counts("a", normal | {"X": 2}, unsure=1).structural == ("+mar",)
    doubtful = cell_from_counts("a", normal | {"7": 1, "X": 2}, unsure=1)
    assert doubtful.incomplete and doubtful.losses == ("7",) and not doubtful.structural
    four = cell_from_counts("a", {label: 2 * number for label, number in normal.items()} | {"X": 4, "8": 5})
    assert (four.ploidy, four.gains, four.sex) == (4, ("8",), "XXXX")


@pytest.mark.parametrize(
    ("count", "level"),
    [(23, 1), (34, 1), (35, 2), (46, 2), (57, 2), (58, 3), (69, 3), (80, 3), (81, 4), (103, 4), (104, 5)],
)
def test_ploidy_levels(count: int, level: int) -> None:
    assert ploidy_of(count) == level


def test_cells_of_counts_make_a_case() -> None:
    """The whole way from counted chromosomes: a mosaic with a chance loss and an object that fits no class."""
    normal = dict.fromkeys((str(number) for number in range(1, 23)), 2)
    cells = [cell_from_counts(f"n{k}", normal | {"X": 1, "Y": 1}) for k in range(6)]
    cells += [cell_from_counts(f"t{k}", normal | {"X": 1, "Y": 1, "21": 3}) for k in range(4)]
    cells += [cell_from_counts("lost", normal | {"X": 1, "Y": 1, "21": 3, "17": 1})]
    cells += [cell_from_counts("debris", normal | {"X": 1, "4": 1, "Y": 1}, unsure=1)]
    assert str(clonal_karyotype(cells, Setting(neoplastic=False))) == "47,XY,+21[5]/46,XY[6]"
