"""Clones and their ISCN strings, judged case by case as a cytogeneticist would."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.cytogenetics.clones.cell import Cell, cell_from_counts, cell_from_iscn, ploidy_of
from consilium.cytogenetics.clones.karyotype import ClonalKaryotype, clonal_karyotype
from consilium.cytogenetics.clones.setting import Setting
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.write import write
from consilium.errors import ConsiliumError, InputError, NothingToDo


class Case(NamedTuple):
    """Cells by what they show, what is known of the case, and the string expected."""

    name: str
    cells: dict[str, int]
    expected: str
    setting: dict[str, Any] = {}  # noqa: RUF012
    style: str = "sl"


def cells_of(spec: dict[str, int]) -> list[Cell]:
    return [
        cell_from_iscn(f"{k:02d}.{n:02d}", text)
        for k, (text, number) in enumerate(spec.items())
        for n in range(number)
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
    Case("ring X beside a marker-free X0 line", {"46,X,r(X)(p22q25)": 12, "45,X": 18}, "45,X[18]/46,X,r(X)(p22q25)[12]"),
    Case("trisomy 21 mosaic", {"47,XX,+21": 9, "46,XX": 21}, "47,XX,+21[9]/46,XX[21]"),
    Case("one cell with trisomy 8 is not a mosaic", {"47,XX,+8": 1, "46,XX": 29}, "46,XX"),
    Case("one normal cell in trisomy 21 has lost one by chance", {"47,XY,+21": 19, "46,XY": 1}, "47,XY,+21"),
    Case("two normal cells in trisomy 21 are still chance", {"47,XY,+21": 18, "46,XY": 2}, "47,XY,+21"),
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
    Case("chance losses on top of a clone", {f"46,XY,{PH}": 8, f"45,XY,-4,{PH}": 1, f"44,XY,{PH},-13,-18": 1, "46,XY": 5},
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
         {"47,XX,+8,+inc".replace("+inc", "inc"): 1, "48,XX,+8,+21": 6, "46,XX": 3}, "48,XX,+8,+21[6]/46,XX[3]"),
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
    Case("sidelines in Down syndrome", {"48,XY,+8,+21": 3, "49,XY,+8,+9,+21": 5, "47,XY,+21": 12},
         "48,XY,+8,+21c[3]/49,sl,+9[5]/47,XY,+21c[12]", {"constitutional": ("+21",)}),
    Case("Klinefelter syndrome with a clone", {f"47,XXY,{PH}": 20}, f"47,XXYc,{PH}[20]", {"sex": "XXY"}),
    Case("Klinefelter syndrome that lost an X", {"46,XY": 10, "47,XXY": 5}, "46,XXYc,-X[10]/47,XXYc[5]", {"sex": "XXY"}),
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
