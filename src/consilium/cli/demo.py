"""`consilium demo`: a synthetic case, drawn and karyotyped, to see what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option

if TYPE_CHECKING:
    from consilium.karyotype.wording import Language

IMAGES, RESULT = "images", "case"

_NAME = {"en": "Demo", "zh": "演示病例"}
_REASON = {"en": "Demonstration with drawn cells", "zh": "演示（绘制的细胞）"}
_OPEN = {
    "en": "Open {report} in a browser; the drawn metaphases are in {images}.",
    "zh": "请用浏览器打开 {report}；绘制的中期分裂相图像在 {images}。",
}


@click.command()
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Folder for the demo.")
@language_option
def demo(out: Path, lang: Language) -> ExitCode:
    """Draw a synthetic case and karyotype it.

    DIR/images receives six drawn metaphases of 47,XY,+21, marked as synthetic; DIR/case what `consilium karyotype`
    makes of them.
    """
    from consilium.cli.karyotype import karyotype_to
    from consilium.karyotype.demo_case import write_demo_case
    from consilium.karyotype.request import Request
    from consilium.karyotype.whole_folder import whole_folder
    from consilium.karyotype.write import REPORT_FILE, refuse_output

    images, result = out / IMAGES, out / RESULT
    refuse_output(result)
    click.echo("Drawing six synthetic metaphases", err=True)
    with whole_folder(images, is_former=_only_synthetic, what="a demo") as folder:
        names = [path.name for path in write_demo_case(folder)]
    status = karyotype_to(
        [images / name for name in names],
        out=result,
        name=_NAME[lang],
        lang=lang,
        workers=None,
        request=Request(specimen="constitutional_blood", reason=_REASON[lang]),
    )
    click.echo(_OPEN[lang].format(report=result / REPORT_FILE, images=images))
    return status


def _only_synthetic(folder: Path) -> bool:
    from consilium.karyotype.synthetic import is_synthetic
    from consilium.karyotype.whole_folder import visible_entries

    return all(is_synthetic(entry) for entry in visible_entries(folder))
