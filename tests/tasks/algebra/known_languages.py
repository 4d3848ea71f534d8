"""Regular languages of known classes, each with its source.

A row states only the smallest classes that contain the language and the largest ones that do not.
The rest follows (`lattice.close_claims`), and a test checks that every class is settled. "From the
definition" means that the row gives the argument; a source with a year means that the literature
gives the language as an example or counterexample of the class, and the row gives the argument for
the classes that the source does not mention.

Shorthand in the arguments: A is the alphabet, S the syntactic semigroup. A language is

- SL: if u x v and u' x v' are members, so is u x v', for x long enough (suffix substitution)
- SP: deleting symbols from a member gives a member
- LT: eSe is idempotent and commutative; LTT: aperiodic, and exfyezf = ezfyexf
- R-trivial: the minimal automaton never returns to a state that it has left
- not DA: some x in S has x = xyx for a y, and xx is not x (Tesson and Thérien 2002)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.expressions import from_expression
from flann.tasks.groups.cayley_tables import get_group

MP = "McNaughton and Papert 1971, Counter-free automata"
ROGERS_2010 = "Rogers et al. 2010, On languages piecewise testable in the strict sense"
ROGERS_2013 = "Rogers et al. 2013, Cognitive and sub-regular complexity"
TIERS = "Heinz, Rawal and Tanner 2011, Tier-based strictly local constraints"
LAMBERT = "Lambert 2023, Relativized adjacency; Lambert, Rawski and Heinz 2021, Typology"
SIMON = "Simon 1975, Piecewise testable events"
BS = "Brzozowski and Simon 1973, Characterizations of locally testable events"
TW = "Thérien and Weiss 1985; Beauquier and Pin 1989"
KNAST = "Knast 1983, A semigroup characterization of dot-depth one languages"
DOT_DEPTH = "Brzozowski and Knast 1978, The dot-depth hierarchy is infinite"
PIN = "Pin 1986, Varieties of formal languages"
DIAMONDS = "Tesson and Thérien 2002, Diamonds are forever: the variety DA"
BCST = "Barrington, Compton, Straubing and Thérien 1992, Regular languages in NC1"
BARRINGTON = "Barrington 1989, Bounded-width polynomial-size branching programs"
SCHUTZENBERGER = "Schützenberger 1965, On finite monoids having only trivial subgroups"
TOMITA = "Tomita 1982, Dynamic construction of finite-state automata"
DEFINITE = "Perles, Rabin and Shamir 1963; Brzozowski 1962, on definite events"
BHATTAMISHRA = "Bhattamishra et al. 2020, arXiv 2009.11264, appendix"
HEINZ = "Heinz 2010, Learning long-distance phonotactics"
LAI = "Lai 2015, Learnable versus unlearnable harmony patterns"
DEFINITION = "from the definition"


@dataclass(frozen=True)
class Row:
    """A language: its expression, alphabet, classes, source and the argument."""

    name: str
    expression: str
    symbols: str
    yes: str
    no: str
    source: str
    why: str
    complement: bool = False  # of the language of the expression
    neutral: str = ""  # an additional neutral letter
    k: dict[str, int] = field(default_factory=dict)

    def build_automaton(self) -> Automaton:
        """Build the minimal automaton."""
        if self.expression.startswith("group "):
            _, group, *generators = self.expression.split()
            return build_word_problem(group, [int(g) for g in generators], self.symbols)
        if self.expression == "nothing":
            return from_function(self.symbols, 0, lambda q, a: q, lambda q: False)
        machine = from_expression(self.expression, self.symbols)
        machine = (machine.complement() if self.complement else machine).minimise()
        return add_neutral_letter(machine, self.neutral) if self.neutral else machine


def add_neutral_letter(machine: Automaton, letter: str) -> Automaton:
    """Return the words that become members when a new letter is deleted from them."""
    old = len(machine.symbols)
    return from_function(
        (*machine.symbols, letter),
        machine.start,
        lambda q, a: int(machine.table[q, a]) if a < old else q,
        lambda q: bool(machine.accepting[q]),
    ).minimise()


def build_word_problem(group: str, generators: list[int], symbols: str) -> Automaton:
    """Return the words over these generators whose product is the identity."""
    table = get_group(group).table
    return from_function(
        symbols, 0, lambda g, a: int(table[g, generators[a]]), lambda g: g == 0
    ).minimise()


# fmt: off
TABLE = [
    # -- trivial and finite ----------------------------------------------------------------------
    Row("all words", ".*", "ab", "SL coSL SP coSP", "", DEFINITION, "nothing is forbidden"),
    Row("no word", "nothing", "ab", "SL coSL SP coSP", "", DEFINITION, "everything is forbidden"),
    Row("empty word", "()", "ab", "SL coSL SP", "coSP", DEFINITION,
        "every symbol is forbidden; a is not in it, and what is left of a is"),
    Row("non-empty words", ".+", "ab", "SL coSL coSP", "SP", DEFINITION, "the complement"),
    Row("one word", "ab", "ab", "SL coSL PT", "SP coSP", DEFINITION,
        "finite; a is no member, and abb is none either but ab is"),
    Row("one letter", "a", "a", "SL coSL PT", "SP coSP", DEFINITION, "finite; aa leaves a"),
    Row("at most one letter", "a?", "a", "SL coSL SP", "coSP", DEFINITION,
        "finite, downward closed"),
    Row("two letters or more", "...*", "ab", "SL coSL coSP", "SP", DEFINITION, "co-finite"),
    Row("exactly two letters", "..", "ab", "SL coSL PT", "SP coSP", DEFINITION, "finite"),
    # -- one letter of the alphabet --------------------------------------------------------------
    Row("tomita-1", "1*", "01", "SL SP", "coSL coSP", TOMITA,
        "0 is forbidden; with u = 0, u' empty, x = 111.. the other words are not SL"),
    Row("some b", "a*b.*", "ab", "coSL coSP TSL", "SL SP", ROGERS_2013,
        "b somewhere, which windows miss: u = b, x = aaa.., u' empty; on the tier b it is b+"),
    Row("some b of three letters", ".*b.*", "abc", "coSL coSP TSL", "SL SP", ROGERS_2013,
        "the same"),
    Row("a's alone or b's alone", "a*|b*", "ab", "SL SP", "coSL coSP", DEFINITION,
        "ab and ba are forbidden; ab leaves a"),
    Row("both letters", "a*|b*", "ab", "coSL coSP", "TSL SP", DEFINITION,
        "the complement; ba.., ..ab and x = aaa.. give a word without b; no letter is neutral",
        complement=True),
    Row("a just when b", "c*|.*(a.*b|b.*a).*", "abc", "LT PT", "TSL coSL SP coSP", DEFINITION,
        "the set of letters decides, so LT and PT; without c (neutral) it is empty or both, not "
        "SL; ab leaves a, and a leaves nothing"),
    # -- strictly and locally testable -----------------------------------------------------------
    Row("(ab)*", "(ab)*", "ab", "SL", "coSL DA", f"{MP}; {DIAMONDS}",
        "windows of two; a = aba and aa = 0, so not DA", k={"SL": 2}),
    Row("tomita-2", "(10)*", "01", "SL", "coSL DA", f"{TOMITA}; {DIAMONDS}", "the same"),
    Row("tomita-4", ".*000.*", "01", "SL", "coSL DA", TOMITA,
        "000 is forbidden; x = 00 has x = x1x and xx = 0", complement=True, k={"SL": 3}),
    Row("no aa", ".*aa.*", "ab", "SL", "coSL DA", f"{ROGERS_2013}; {DIAMONDS}",
        "aa is forbidden; a = aba and aa = 0", complement=True, k={"SL": 2}),
    Row("some aa", ".*aa.*", "ab", "coSL", "TSL DA", f"{DIAMONDS}; {BS}",
        "u = aa, x = bbb.., u' empty: not SL, and no letter is neutral"),
    Row("every b before an a", "(a|ba)*", "ab", "SL", "coSL DA", DEFINITION,
        "bb and a last b are forbidden; b = bab and bb = 0"),
    Row("some ab of three letters", ".*ab.*", "abc", "coSL", "TSL DA", PIN,
        "x = ba has x = xcx and xx = 0; no letter is neutral"),
    Row("no ab of three letters", ".*ab.*", "abc", "SL", "coSL DA", PIN, "the complement",
        complement=True, k={"SL": 2}),
    Row("if aa then bb", "(b|ab)*a?|.*bb.*", "ab", "LT", "TSL coSL DA", DEFINITION,
        "factors imply one another; x = baba.. goes with aa before and bb behind, alone in "
        "neither way; a = aba and aa is not a; no letter is neutral"),
    Row("first is last", "|a|b|a.*a|b.*b", "ab", "LT DA", "TSL coSL R-trivial L-trivial",
        DEFINITION,
        "first and last letter decide, and both are said with two variables; from a..a and b..b "
        "follows a..b; the last letter comes and goes"),
    Row("starts with a", "a.*", "ab", "SL coSL R-trivial", "L-trivial", DEFINITE,
        "one window; backwards the first letter read is the last, which comes and goes"),
    Row("ends with a", ".*a", "ab", "SL coSL L-trivial", "R-trivial", DEFINITE, "backwards"),
    Row("second letter a", ".a.*", "ab", "SL coSL R-trivial", "L-trivial", DEFINITE, "one window"),
    Row("second last letter a", ".*a.", "ab", "SL coSL L-trivial", "R-trivial", DEFINITE,
        "a definite event"),
    Row("third last letter a", ".*a..", "ab", "SL coSL L-trivial", "R-trivial", DEFINITE,
        "the same"),
    Row("from a to b", "a.*b", "ab", "SL DA", "coSL R-trivial L-trivial", DEFINITE,
        "two windows; others begin with b or end with a: a..a and b..b give a..b"),
    Row("abcde-runs", "aa*bb*cc*dd*ee*", "abcde", "SL PT", "coSL SP coSP", BHATTAMISHRA,
        "windows of two; states are left for good, backwards too; abcde leaves bcde, aabcdea "
        "abcde"),
    # -- strictly piecewise and piecewise testable -----------------------------------------------
    Row("a's before b's", "a*b*", "ab", "SL SP", "coSL coSP", ROGERS_2010,
        "ba is forbidden, as a factor or as a subsequence", k={"SL": 2, "SP": 2}),
    Row("b before a", "a*b*", "ab", "coSL coSP", "TSL SP", ROGERS_2010,
        "the complement; ba, x = aaa.. and u' empty", complement=True),
    Row("tomita-7", "0*1*0*1*", "01", "SP LTT", "TLT coSP", f"{TOMITA}; {SIMON}",
        "1010 is no subsequence, that is, 10 occurs at most once; e = 0 idempotent, 010 not",
        k={"SP": 4}),
    Row("no aba in it", "b*a*b*", "ab", "SP LTT", "TLT coSP", DEFINITION,
        "at most one run of a; bab is not idempotent in bSb"),
    Row("subsequence ab", ".*a.*b.*", "abc", "coSP TLT", "LTT TSL SP", f"{SIMON}; {LAMBERT}",
        "c is neutral, so it is the identity, and ab is not ba; without c it is the factor ab"),
    Row("no subsequence ab", "[bc]*[ac]*", "abc", "SP TSL", "LTT coSP", f"{ROGERS_2010}; {TIERS}",
        "the complement; without c it is b*a*"),
    Row("subsequence abc", ".*a.*b.*c.*", "abc", "coSP", "TLTT SP", f"{SIMON}; {LAMBERT}",
        "b is idempotent: babbbcb has it and bcbbbab has not; no letter is neutral"),
    Row("no subsequence abc", ".*a.*b.*c.*", "abc", "SP", "TLTT coSP", ROGERS_2010,
        "the complement", complement=True, k={"SP": 3}),
    Row("harmony", "[sa]*|[za]*", "sza", "SP TSL LT", "SL coSL coSP", f"{HEINZ}; {TIERS}",
        "s and z not both; the set of letters decides; a is neutral, and s..a..z looks past any "
        "window"),
    Row("one-sided harmony", "[za]*[sa]*", "sza", "SP TSL", "LTT coSP", f"{HEINZ}; {TIERS}",
        "no z after s; a is the identity, and sz is not zs"),
    Row("first-last harmony", "s.*z|z.*s", "sza", "LT DA", "TSL coSL R-trivial L-trivial", LAI,
        "first and last letter decide; s..s and z..z give s..z; s..z and z..s give s..s",
        complement=True),
    # -- thresholds ------------------------------------------------------------------------------
    Row("exactly one b", "a*ba*", "ab", "TSL LTT PT", "LT SP coSP", f"{ROGERS_2013}; {TW}",
        "a is the identity, and bb is not b; on the tier it is the one word b"),
    Row("at most one b", "a*b?a*", "ab", "TSL LTT SP", "LT coSP", f"{ROGERS_2013}; {TW}",
        "the same"),
    Row("two b or more", ".*b.*b.*", "ab", "TSL LTT coSP", "LT SP", f"{ROGERS_2013}; {TW}",
        "the complement; on the tier it is bb+"),
    Row("exactly two b", "a*ba*ba*", "ab", "TSL LTT PT", "LT SP coSP", TW, "the same"),
    Row("ab once", "b*a+b+a*", "ab", "LTT PT", "TLT SP coSP", f"{TW}; {LAMBERT}",
        "the factor ab once; aba is not idempotent in aSa; no letter is neutral"),
    Row("aa once", "b*(ab+)*aa(b+a)*b*", "ab", "LTT", "TLT DA", f"{TW}; {LAMBERT}",
        "the factor aa once, aaa has it twice; a = aba, and aa is not a; baab in bSb not "
        "idempotent"),
    # -- tiers -----------------------------------------------------------------------------------
    Row("ab-d-bc", "[ab]*d[bc]*", "abcd", "TSL PT", "LTT SP coSP", f"{BHATTAMISHRA}; {LAMBERT}",
        "b is neutral, on the tier it is a*dc*; ad is not da"),
    Row("a and c in turn, over b", "b*(ab*cb*)*", "abc", "TSL", "PLT DA", f"{TIERS}; {LAMBERT}",
        "b is neutral, on the tier it is (ac)*; ac is not idempotent where J-trivial asks for it"),
    Row("dissimilation", "a*((la*ra*)*(la*)?|(ra*la*)*(ra*)?)", "lra", "TSL", "PLT DA",
        f"{TIERS}; {LAMBERT}", "on the tier neither ll nor rr; l = lrl and ll = 0, a the identity"),
    Row("if aa then bb, over c", "(b|ab)*a?|.*bb.*", "ab", "TLT", "TSL PLT DA", LAMBERT,
        "if aa then bb on the tier; with c for e the monoid is not J-trivial", neutral="c"),
    Row("aa once, over c", "b*(ab+)*aa(b+a)*b*", "ab", "TLTT", "TLT PLT DA", LAMBERT,
        "aa once on the tier", neutral="c"),
    Row("aa, later bb, over c", ".*aa.*bb.*", "ab", "TPLT", "TLTT PLT DA", LAMBERT,
        "aa and later bb on the tier", neutral="c"),
    # -- dot-depth one and beyond ----------------------------------------------------------------
    Row("aa, later bb", ".*aa.*bb.*", "ab", "PLT", "TLTT DA", f"{KNAST}; {PIN}",
        "A*aaA*bbA* by its form; e = f = ab, x = aab, y = ab, z = abb violate exfyezf = ezfyexf"),
    Row("D2", "(a(ab)*b)*", "ab", "SF", "TPLT DA", DOT_DEPTH,
        "of dot-depth two; no neutral letter"),
    Row("D3", "(a(a(ab)*b)*b)*", "ab", "SF", "TPLT DA", DOT_DEPTH, "of dot-depth three"),
    Row("first not c is a", "c*a.*", "abc", "R-trivial TSL", "PLT", f"{DIAMONDS}; {KNAST}",
        "c is the identity, a and b are J-equivalent; on the tier it is aA*"),
    Row("c's, then a", "cc*a.*", "abc", "R-trivial", "TPLT", f"{DIAMONDS}; {KNAST}",
        "ca and cb are J-equivalent in cSc; no letter is neutral"),
    Row("a, then c's", ".*acc*", "abc", "L-trivial", "TPLT", f"{DIAMONDS}; {KNAST}", "backwards"),
    Row("last not e is b", ".*be*", "abe", "L-trivial TSL", "PLT",
        "Huang et al. 2024, arXiv 2410.02140",
        "the flip-flop: e is the identity, a and b are J-equivalent; on the tier it is A*b"),
    Row("012-0-2", "[012]*02*", "012", "L-trivial TSL", "PLT", BHATTAMISHRA, "the same"),
    Row("c's and a, a and c's", "cc*acc*|cc*a.*acc*", "abc", "DA", "R-trivial L-trivial TPLT",
        f"{DIAMONDS}; {KNAST}",
        "both together; first and last letter beside c make a rectangle in cSc"),
    # -- counting --------------------------------------------------------------------------------
    Row("(aa)*", "(aa)*", "a", "quasi-aperiodic", "SF", f"{SCHUTZENBERGER}; {BCST}",
        "the length modulo 2"),
    Row("(aa)* of two letters", "(aa)*", "ab", "quasi-aperiodic", "SF", f"{MP}; {BCST}",
        "the same"),
    Row("(aaaa)*", "(aaaa)*", "a", "quasi-aperiodic", "SF", f"{BHATTAMISHRA}; {BCST}", "modulo 4"),
    Row("(aaa)*", "(aaa)*", "a", "quasi-aperiodic", "SF", BCST, "modulo 3"),
    Row("length mod 3", "(...)*", "ab", "quasi-aperiodic", "SF", BCST, "the length modulo 3"),
    Row("length mod 6", "group Z6 1", "a", "quasi-aperiodic", "SF", BCST, "one generator of Z6"),
    Row("(abab)*", "(abab)*", "ab", "quasi-aperiodic", "SF", f"{BHATTAMISHRA}; {BCST}",
        "the powers of ab cycle, but ab and abab differ in length"),
    Row("even runs of a", "(aa|b)*", "ab", "quasi-aperiodic", "SF", BCST,
        "only the powers of a^n cycle, one element for each length"),
    Row("b's in pairs at the end", "a*(bb)*", "ab", "quasi-aperiodic", "SF", BCST,
        "only the powers of b^n cycle"),
    Row("tomita-3", "(|.*0)1(11)*0(00)*(|1.*)", "01", "quasi-aperiodic", "SF", f"{TOMITA}; {BCST}",
        "only the powers of 1^n and 0^n cycle: a run of the other letter starts anew",
        complement=True),
    Row("a's since r, mod 2", "(.*r|)(aa)*", "ar", "quasi-aperiodic", "SF", BCST,
        "only the powers of a^n cycle"),
    Row("a's since r, over n", "(.*r|)n*(an*an*)*", "arn", "solvable", "quasi-aperiodic", BCST,
        "an and nn have one length and differ"),
    Row("parity", "a*(ba*ba*)*", "ab", "solvable", "quasi-aperiodic", f"{SCHUTZENBERGER}; {BCST}",
        "the group Z2, and a as long as b"),
    Row("mod 3", "b*(ab*ab*ab*)*", "ab", "solvable", "quasi-aperiodic", BCST, "the group Z3"),
    Row("tomita-5", "group Z2xZ2 1 2", "01", "solvable", "quasi-aperiodic", f"{TOMITA}; {BCST}",
        "00 and 01 have one length and differ"),
    Row("tomita-6", "group Z3 1 2", "01", "solvable", "quasi-aperiodic", f"{TOMITA}; {BCST}",
        "the same"),
    Row("binary multiples of 3", "(0|1(01*0)*1)*", "01", "solvable", "quasi-aperiodic", BCST,
        "the group S3: doubling fixes 0 and swaps 1 and 2, the other symbol swaps 0 and 1"),
    Row("Q8", "group Q8 2 4", "ab", "solvable", "quasi-aperiodic", BCST, "a solvable group"),
    Row("S4", "group S4 1 9", "ab", "solvable", "quasi-aperiodic", BARRINGTON, "a solvable group"),
    Row("A5", "group A5 1 16", "ab", "", "solvable", BARRINGTON, "a group that is not solvable"),
    Row("S5", "group S5 6 27", "ab", "", "solvable", BARRINGTON, "a group that is not solvable"),
]
# fmt: on
