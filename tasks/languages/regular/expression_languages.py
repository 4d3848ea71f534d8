"""Regular languages of the literature, each given by one expression.

============== ====================== ===========================================================
name           expression             where it comes from
============== ====================== ===========================================================
aa-star        (aa)*                  Bhattamishra et al. 2020: not star-free
aaaa-star      (aaaa)*                the same
abab-star      (abab)*                the same
abcde-runs     aa*bb*cc*dd*ee*        the same: star-free
ab-d-bc        {a,b}*d{b,c}*          the same: star-free
012-0-2        {0,1,2}*02*            the same: star-free
repeat-01      (01)*                  Butoi et al. 2024
even-pairs     first symbol = last    Delétang et al. 2022: the number of ab and ba is even
============== ====================== ===========================================================

The nested languages D_n, such as (a(ab)*b)*, are ``dyck-1:depth=n``. Words are drawn as in
`flann.tasks.languages.regular.regular_language`. The format, for near misses and the baseline, is
even length, 0 first and 1 last for ``repeat-01``, and letters in order, none of them required, for
``abcde-runs``; the others have none.

Bhattamishra et al. 2020, arXiv 2009.11264, appendix; Butoi et al. 2024, arXiv 2411.07107;
Delétang et al. 2022, arXiv 2207.02098.
"""

from __future__ import annotations

from flann.tasks.automata.expressions import from_expression
from flann.tasks.core.recognition import Negatives
from flann.tasks.core.task import register

from .regular_language import Ask, Label, RegularLanguage

EXPRESSIONS = {
    "aa-star": "(aa)*",
    "aaaa-star": "(aaaa)*",
    "abab-star": "(abab)*",
    "abcde-runs": "aa*bb*cc*dd*ee*",
    "ab-d-bc": "[ab]*d[bc]*",
    "012-0-2": "[012]*02*",
    "repeat-01": "(01)*",
    "even-pairs": "|a|b|a.*a|b.*b",
}
FORMATS = {"repeat-01": "|0(..)*1", "abcde-runs": "a*b*c*d*e*"}
ABOUT = {
    "aa-star": "Is the length even? (aa)*.",
    "aaaa-star": "Is the length divisible by 4? (aaaa)*.",
    "abab-star": "An even number of times ab: (abab)*.",
    "abcde-runs": "Five runs in order: aa*bb*cc*dd*ee*.",
    "ab-d-bc": "One d, before it a and b, after it b and c.",
    "012-0-2": "A 0 and after it only 2, at the end of anything: {0,1,2}*02*.",
    "repeat-01": "Zero and one in turn: (01)*.",
    "even-pairs": "Is the number of ab and ba even? That is, is the first symbol the last?",
}


@register(
    "aa-star",
    "aaaa-star",
    "abab-star",
    "abcde-runs",
    "ab-d-bc",
    "012-0-2",
    "repeat-01",
    "even-pairs",
    pattern="(aa|aaaa|abab)-star|abcde-runs|ab-d-bc|012-0-2|repeat-01|even-pairs",
)
def pattern(
    name: str, *, mode: Ask = "tag", label: Label = "member", negatives: Negatives = "mixed"
) -> RegularLanguage:
    """A regular language given by one expression, as published: (aa)*, (01)*, aa*bb*cc*dd*ee*."""
    machine = from_expression(EXPRESSIONS[name])
    form = FORMATS.get(name)
    return RegularLanguage(
        name,
        machine,
        mode=mode,
        label=label,
        negatives=negatives,
        form=from_expression(form, machine.symbols) if form else None,
        about=ABOUT[name],
    )
