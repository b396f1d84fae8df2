"""Clones of a case: from what single cells show to one ISCN 2024 result, with the reasons.

On the way of a case: `cell` (one metaphase), `change` (one difference from the usual), `setting` (what is known before,
and what each cell has changed against that), `clonality` (which changes are clonal, by which rule), `cell_lines` with
`chance_losses` and `composites` (which cells make up a line), `families` (stemlines, sidelines, their order),
`iscn_result` (how they are written), `karyotype` (all of it), `wording` (the reasons in sentences). Nothing depends
on the order of the cells.
"""
