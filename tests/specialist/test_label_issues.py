from __future__ import annotations

import numpy as np

from consilium.specialist.evidence.label_issues import label_issues


def test_exchanged_labels_are_found_and_come_first() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2
    logits = rng.normal(size=200) + np.where(truth == 1, 3.0, -3.0)
    predicted = np.column_stack([1 - 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(-logits))])
    wrong = [3, 50, 101]
    given = truth.copy()
    given[wrong] = 1 - given[wrong]
    issues = label_issues(predicted, given)
    assert set(wrong) <= {issue.case for issue in issues[:6]}
    assert [issue.margin for issue in issues] == sorted(issue.margin for issue in issues)
    assert all(issue.suggested == 1 - issue.given for issue in issues)


def test_certain_right_labels_are_left_alone() -> None:
    predicted = np.tile([[0.9, 0.1], [0.1, 0.9]], (20, 1))
    assert label_issues(predicted, np.tile([0, 1], 20)) == ()


def test_the_confident_joint_of_a_small_table() -> None:
    # Means of the own classes: .7 and .75. Case 2 is given 0 and reaches .8 for 1; case 3 reaches nothing but its own.
    predicted = np.array([[0.9, 0.1], [1.0, 0.0], [0.2, 0.8], [0.7, 0.3], [0.2, 0.8], [0.3, 0.7]])
    found = label_issues(predicted, np.array([0, 0, 0, 0, 1, 1]))
    assert [issue.case for issue in found] == [2]
