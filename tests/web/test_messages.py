"""What errors say has its Chinese: every message of the rooms that pages stand on, with the gaps that it has."""

from __future__ import annotations

import ast
import inspect
import re
import time
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import consilium
from consilium import errors
from consilium.alliance.compute import health
from consilium.laboratory.due_date import WorkingDays, due
from consilium.web.messages.chinese import GAP, LONGEST, messages, told_in
from consilium.web.messages.parts import PARTS
from consilium.web.messages.values import ENTRIES, OTHERS, REASONS, TITLES

PACKAGE = Path(consilium.__file__).parent
ROOMS = (
    "laboratory", "web", "imaging", "karyotype", "specialist", "generalist", "artefact", "alliance", "database",
    "typesetting", "cytogenetics/clones",
)  # fmt: skip
ELSEWHERE = (
    # What speaks with other systems, moves the records or reads the settings as the workstation starts.
    "laboratory/exchange", "laboratory/backup", "laboratory/migrations", "web/settings_file.py",
    # De-identified copies are made on the command line: `consilium deidentify`.
    "imaging/deidentify",
    # As are the cells of a file (`consilium iscn`), the bundle of models (`consilium models`), the demo case, and the
    # table of features (`consilium embed`).
    "cytogenetics/clones/cells_file.py", "karyotype/bundle.py", "karyotype/demo_case.py",
    "generalist/feature_table.py",
    # The operator starts a cluster and plans leases at the command line.
    "alliance/compute/slurm_cluster.py", "alliance/compute/forecast.py", "alliance/compute/lease_plan.py",
    "alliance/compute/lease_backtest.py", "alliance/compute/lease_share.py",
    # Studies are stored, and hospitals of other installations are admitted, at the command line.
    "alliance/storage.py", "alliance/hospital_keys.py", "alliance/joint_training/admitting.py",
)  # fmt: skip
"""Whose messages reach no page in Chinese."""

KINDS = {
    name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.ConsiliumError)
}
GAPS = re.compile(r"{(\d+)}")
DEEPEST = 3
"""Names that stand for names that stand for a sentence."""

Given = dict[str, list[ast.expr]]
"""Names -> what they are given."""


class Said:
    """What calls of some names say in one file; a name stands for what its function or the file gives it.

    Args:
        tree: of the file.
        kinds: names of what is called.
        entries: keywords that say something, beside the first argument.
    """

    def __init__(self, tree: ast.Module, kinds: set[str], entries: tuple[str, ...]) -> None:
        self._kinds, self._entries = kinds, entries
        self._functions = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
        self._calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call)]
        self._file = given_in(tree.body)
        self._names: Given = {}
        self.found: dict[str, int] = {}
        self._look(tree.body, self._file)

    def _look(self, body: Sequence[ast.AST], names: Given) -> None:
        """Look at every call of a function, and at the functions in it, which have names of their own."""
        nodes = list(within(body))
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                self._look(node.body, {**names, **self._handed(node), **given_in(node.body)})
            elif isinstance(node, ast.Call) and called(node) in self._kinds:
                self._names = names
                told = [*node.args[:1], *(one.value for one in node.keywords if one.arg in self._entries)]
                for text in (text for one in told for text in self._sentences(one)):
                    if re.search("[A-Za-z]", text):
                        self.found[text] = node.lineno

    def _handed(self, function: ast.FunctionDef) -> Given:
        """What a function is handed by calls in its file."""
        names = [one.arg for one in function.args.args if one.arg != "self"]
        found: Given = {}
        for call in (one for one in self._calls if called(one) == function.name):
            by_name = [(one.arg or "", one.value) for one in call.keywords]
            for name, value in [*zip(names, call.args, strict=False), *by_name]:
                found.setdefault(name, []).append(value)
        return found

    def _sentences(self, node: ast.expr, depth: int = 0) -> Iterator[str]:
        """The sentences that an expression is, gaps as `{}`; none where it is worked out elsewhere."""
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=values):
                yield from map("".join, product(*(self._parts(one, depth) for one in values)))
            case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
                yield from self._sentences(one, depth)
                yield from self._sentences(other, depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                sides = [list(self._sentences(one, depth)) or [GAP] for one in (left, right)]
                yield from map("".join, product(*sides))
            case ast.Subscript(value=value):
                yield from self._sentences(value, depth)
            case ast.Name(id=name) if depth < DEEPEST:
                for one in self._names.get(name) or shared().get(name, []):
                    yield from self._sentences(one, depth + 1)
            case ast.Call(func=ast.Name(id=name)) if depth < DEEPEST and name in self._functions:
                for returned in within(self._functions[name].body):
                    if isinstance(returned, ast.Return) and returned.value is not None:
                        yield from self._sentences(returned.value, depth + 1)

    def _parts(self, node: ast.expr, depth: int) -> list[str]:
        """What a part of a sentence is: choices between words of ours are spelt out, all else is a gap."""
        match node:
            case ast.Constant(value=value):
                return [str(value)]
            case ast.FormattedValue(value=ast.IfExp(body=one, orelse=other), conversion=-1):
                branches = [list(self._sentences(branch, depth)) for branch in (one, other)]
                return [text for texts in branches for text in texts or [GAP]]
            case ast.FormattedValue(value=ast.Name(id=name), conversion=-1) if depth < DEEPEST:
                given = self._names.get(name, [])
                told = [text for one in given for text in self._sentences(one, depth + 1)]
                if any(told) and all(isinstance(one, ast.IfExp | ast.JoinedStr) for one in given):
                    return told
        return [GAP]


def within(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of a body, without what is in its functions."""
    for one in body:
        yield one
        if not isinstance(one, ast.FunctionDef):
            yield from within(list(ast.iter_child_nodes(one)))


def given_in(body: Sequence[ast.AST]) -> Given:
    """What names are given in a body, by `=` and by a loop over the keys of a table."""
    found: Given = {}
    for node in within(body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.For(
                target=ast.Tuple(elts=[ast.Name(id=name), *_]),
                iter=ast.Call(func=ast.Attribute(value=ast.Name(id=table), attr="items")),
            ):
                tables = [one for one in found.get(table, []) if isinstance(one, ast.Dict)]
                found.setdefault(name, []).extend(key for one in tables for key in one.keys if key is not None)
    return found


def called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


@cache
def shared() -> Given:
    """The constants that files lend one another."""
    found: Given = {}
    for path in PACKAGE.rglob("*.py"):
        for name, values in given_in(ast.parse(path.read_text(encoding="utf-8")).body).items():
            if name.isupper() and not name.startswith("_"):
                found.setdefault(name, []).extend(values)
    return found


def said(kinds: set[str], paths: list[Path], entries: tuple[str, ...]) -> dict[str, str]:
    """What calls of some names say: sentence -> where."""
    return {
        text: f"{path.relative_to(PACKAGE)}:{line}"
        for path in paths
        for text, line in Said(ast.parse(path.read_text(encoding="utf-8")), kinds, entries).found.items()
    }


def rooms() -> list[Path]:
    every = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    return [one for one in every if not str(one.relative_to(PACKAGE)).startswith(ELSEWHERE)]


def test_every_message_of_what_pages_stand_on_has_its_chinese() -> None:
    found = said(KINDS, rooms(), ("what", "way_out"))
    assert len(found) > 1200, "the search itself"
    known = {**messages(), **REASONS, **TITLES}
    assert not {text: where for text, where in found.items() if text not in known}
    for text in found:
        # Its own, and not that of a message that says less and takes it in.
        own = known[text].format(*["x7"] * text.count(GAP))
        assert told_in("zh", text.replace(GAP, "x7")) == own, text


def test_every_alarm_has_its_chinese() -> None:
    found = said({"Alarm"}, [Path(str(health.__file__))], ("what", "way_out"))
    assert len(found) > 15
    for text in found:
        assert told_in("zh", text.replace(GAP, "x7")) != text.replace(GAP, "x7"), text


@pytest.mark.parametrize("catalogue", [messages(), PARTS, ENTRIES, OTHERS, REASONS, TITLES])
def test_the_chinese_has_the_gaps_of_the_english_and_no_others(catalogue: dict[str, str]) -> None:
    for english, chinese in catalogue.items():
        assert sorted(GAPS.findall(chinese)) == [str(number) for number in range(english.count(GAP))], english
        assert re.search("[一-鿿]", chinese), english
        assert not chinese.endswith("."), chinese
        if english.endswith("."):
            assert chinese.endswith(("。", "’")) or "pip install" in chinese, chinese


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("a reason is needed", "必须填写理由"),
        ("a case that is in culture cannot become signed", "状态为“培养中”的病例不能变为“已签发”"),
        ("It may become harvested or analysed.", "可以变为：已收获或已分析。"),
        (
            "cell 7 was edited since it was read (flip by tang at 2026-03-01; confirm by ren at 2026-03-02)",
            "细胞 7 在读取之后已被编辑（tang 于 2026-03-01：flip；ren 于 2026-03-02：confirm）",
        ),
        ("the birth date is no day. As in 2026-03-01.", "出生日期不是日期。例如 2026-03-01。"),
        ('As in {"kind": "undo"}.', '例如 {"kind": "undo"}。'),
        ("consent 2 of 2026-03-01, until 2027-03-01", "2026-03-01 的知情同意 2，至 2027-03-01"),
        ("consent 1 of 2026-03-01, until A, after B", "2026-03-01 的知情同意 1，至 A, after B"),
        ("the file has 812 MiB; at most 256 are read", "文件为 812 MiB，最大可读取 256 MiB"),
        (
            "the image is 90 x 60 pixels; at least 256 on each side are needed",
            "图像为 90 × 60 像素，每边至少需要 256 像素",
        ),
        ("the image is damaged or truncated (image file is truncated)", "图像损坏或不完整（image file is truncated）"),
        ("only 3 chromosome-like objects were found", "只找到 3 个类似染色体的对象"),
        ("the process that worked on it was killed by signal 9", "处理该图像的进程被信号 9 终止"),
        ("the findings add up to 47 chromosomes, not 46", "各项所见合计为 47 条染色体，而不是 46 条"),
        ("4 group(s) are in train and test, the first is P7", "4 个组同时在训练集和测试集中，第一个为 P7"),
        ("there are 2 tables: a.csv, b.csv", "有 2 个表格：a.csv, b.csv"),
        ("there is a specialist knees already", "已有专科模型 knees"),
        ("labels do not fit a binary task of 3 classes", "标签不符合含 3 个类别的 binary 任务"),
        (
            "a box (5, 6 to 70, 80) lies outside the picture of 64 by 64 pixels",
            "方框（5, 6 至 70, 80）超出 64 × 64 像素的图像",
        ),
        ("the masks hold 40 different numbers, too many for classes", "掩模中有 40 个不同数值，作为类别过多"),
        ("its file head.onnx was altered", "文件 head.onnx 已被改动"),
        ("metric 'recall': 0.9 lies outside its interval 0.1 to 0.2", "指标 'recall'：0.9 超出其区间 0.1 至 0.2"),
        ("sqlalchemy is needed for the catalogue", "模型目录需要 sqlalchemy"),
        ("lin of alpha may not do this (library.approve)", "alpha 的 lin 无权执行此操作（library.approve）"),
        (
            "It takes the role approver or operator: the operator of the alliance gives it.",
            "需要角色 批准者或运营者，由联盟运营者授予。",
        ),
        ("the ledger is broken at line 7: it is not JSON", "账本在第 7 行损坏：不是 JSON"),
        ("alpha fills 104% of its storage (2.1 GiB of 2.0 GiB)", "alpha 已用存储 104%（2.1 GiB，共 2.0 GiB）"),
        ("lin published knees 1.0.0; a second person approves it", "knees 1.0.0 由 lin 发布，须由另一人批准"),
        ("knees 1.0.0 was retired: wrong labels", "knees 1.0.0 已停用：wrong labels"),
        (
            "a file in the library was altered: 00ff... is 11ee... now",
            "模型库中的文件已被改动：校验值应为 00ff…，现为 11ee…",
        ),
        ("2 hospital(s) have approved, 3 are needed", "已有 2 家医院批准，需要 3 家"),
        ("the study is running: who takes part is settled", "该研究运行中，参加医院已确定"),
        (
            "the policy of this hospital forbids it: 50 cases at least are required, there are 12",
            "本院规定不允许：至少需要 50 个病例，现有 12 个",
        ),
        ("it is the request of a study, not its admission", "这是研究的申请，不是准入"),
        (
            "The readers differ on cell 3: 46,XX or 45,X (and 2 more)",
            "两位阅片者对细胞 3 判读不一致：46,XX 与 45,X（另有 2 项）",
        ),
        (
            "S26-1/a.png: the file is empty. Export or copy it again.",
            "S26-1/a.png：文件为空。请重新导出或复制。",
        ),
        ("exit status 3; [1/2] a.png", "退出状态 3；[1/2] a.png"),
        ("all hospitals say: wrong shape: 12 for 513", "所有医院均报告：形状不符：12，应为 513"),
        ("a.png: what nobody has translated", "a.png: what nobody has translated"),
        ("what nobody has translated", "what nobody has translated"),
    ],
)
def test_a_message_is_told_in_chinese_with_what_stands_in_it(english: str, chinese: str) -> None:
    assert told_in("zh", english) == chinese
    assert told_in("en", english) == english


def test_why_a_report_is_due_is_told_in_chinese() -> None:
    from datetime import date

    from consilium.cytogenetics.guidelines_file import load

    for specimen, known in load().specimens.items():
        for urgency, word in (("routine", "常规"), ("urgent", "加急")):
            for day in range(1, 29):
                why = due(date(2026, 2, day), specimen, urgency, WorkingDays()).reason  # type: ignore[arg-type]
                told = told_in("zh", why)
                assert told.startswith(f"{known.name_zh}，{word}：" if " after " in why else known.name_zh), told
                assert " after 2026" not in told and "given" not in told and " days" not in told, told


@pytest.mark.parametrize("english", [one for one in {**messages(), **REASONS} if one.count(GAP) > 2])
def test_no_text_keeps_the_server_busy(english: str) -> None:
    """As many half sentences as there is room for: an expression with six gaps took six seconds to say no."""
    first, *between, last = english.split(GAP)
    text = (first + "".join(f"a{piece}" for piece in between) * 300)[: LONGEST - len(last) - 2] + "!"
    began = time.process_time()
    told_in("zh", text)
    assert time.process_time() - began < 0.5


@given(st.text(max_size=2 * LONGEST))
def test_whatever_a_message_says_it_is_told(text: str) -> None:
    assert told_in("en", text) == text
    assert isinstance(told_in("zh", text), str)
    assert told_in("zh", f"{text} is needed")
