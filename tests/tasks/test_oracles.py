"""Every task against a second implementation of its labels that is slow and plainly correct."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby, pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flann.tasks import NOT_SCORED, Task, get_task, task_names

Word = Sequence[str]
Oracle = Callable[[Task, Word], list[str]]  # the label after every prefix, of symbols by name


def parity(task: Task, word: Word) -> list[str]:
    return [task.labels[word[: t + 1].count("1") % 2] for t in range(len(word))]


def first(task: Task, word: Word) -> list[str]:
    return [task.labels[word[0] == "1"] for _ in word]


def majority(task: Task, word: Word) -> list[str]:
    prefixes = [word[: t + 1] for t in range(len(word))]
    return [task.labels[p.count("1") > p.count("0")] for p in prefixes]


def flip_flop(task: Task, word: Word) -> list[str]:
    prefixes = [word[: t + 1] for t in range(len(word))]
    return [(["0"] + [s for s in p if s != "hold"])[-1] for p in prefixes]


def dyck(task: Task, word: Word) -> list[str]:
    pairs = dict(zip(task.symbols[::2], task.symbols[1::2], strict=True))
    limit = float("inf") if "depth" not in task.name else task.depth
    labels, expected, dead = [], [], False
    for symbol in word:
        if symbol in pairs:
            expected.append(pairs[symbol])
        else:
            dead = dead or not expected or expected.pop() != symbol
        dead = dead or len(expected) > limit
        if task.label_sets is not None:
            may = [b for b in pairs if len(expected) < limit] + expected[-1:]
            end = [] if expected else ["end"]
            labels.append("." if dead else " ".join(sorted(may, key=task.symbols.index) + end))
        elif task.mode == "recognise":
            labels.append("rejected" if dead or expected else "accepted")
        else:
            labels.append("dead" if dead else "prefix" if expected else "accepted")
    return labels


def word_problem(task: Task, word: Word) -> list[str]:
    """Multiply permutations as tuples, quaternions as matrices and products componentwise."""
    group = task.name.partition(":")[0]
    factors = [factor_elements(name) for name in group.split("x")]
    product = ["identity"] * len(factors)
    labels = []
    for symbol in word:
        parts = symbol.split("|") if len(factors) > 1 else [symbol]
        for i, ((elements, multiply), part) in enumerate(zip(factors, parts, strict=True)):
            element = elements[part]
            before = product[i]
            product[i] = element if before == "identity" else multiply(before, element)
        names = [
            next(name for name, element in elements.items() if element == value)
            for (elements, _), value in zip(factors, product, strict=True)
        ]
        labels.append("|".join(names))
    return labels


def factor_elements(name: str) -> tuple[dict[str, object], Callable]:
    """Return the elements of one factor by their names in the task, and its multiplication."""
    if name == "Q8":
        units = {
            "1": [[1, 0], [0, 1]],
            "i": [[1j, 0], [0, -1j]],
            "j": [[0, 1], [-1, 0]],
            "k": [[0, 1j], [1j, 0]],
        }
        matrices = {u: np.array(m) for u, m in units.items()}
        matrices |= {"-" + u: -m for u, m in matrices.items()}
        as_key = {u: tuple(m.ravel() + 0) for u, m in matrices.items()}
        return as_key, lambda a, b: tuple(
            (np.array(a).reshape(2, 2) @ np.array(b).reshape(2, 2)).ravel() + 0
        )
    family, n = name[0], int(name[1:])

    def then(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(b[image] for image in a)

    if family == "Z":
        return {str(k): k for k in range(n)}, lambda a, b: (a + b) % n
    if family == "D":
        turns = {f"r{k}": tuple((x + k) % n for x in range(n)) for k in range(1, n)}
        flips = {f"s{k}": tuple((k - x) % n for x in range(n)) for k in range(n)}
        return {"e": tuple(range(n)), **turns, **flips}, then
    every = list(permutations(range(n)))
    if family == "A":
        every = [p for p in every if sum(a > b for i, a in enumerate(p) for b in p[i:]) % 2 == 0]
    return {in_cycles(p): p for p in every}, then


def in_cycles(permutation: tuple[int, ...]) -> str:
    left, text = set(range(len(permutation))), ""
    while left:
        point = min(left)
        cycle = ""
        while point in left:
            left.remove(point)
            cycle += str(point)
            point = permutation[point]
        text += f"({cycle})" if len(cycle) > 1 else ""
    return text or "e"


def language(task: Task, word: Word) -> list[str]:
    """Match a regular expression or a formula; find next symbols by trying continuations."""
    base, _, rest = task.name.partition(":")
    member = MEMBERS.get(base, lambda w: re.fullmatch(rest, "".join(w)))
    prefixes = [word[: t + 1] for t in range(len(word))]
    if task.label_sets is None:
        return [task.labels[bool(member(prefix))] for prefix in prefixes]
    return [next_symbols(base, tuple(prefix), task.symbols) for prefix in prefixes]


@cache
def next_symbols(base: str, prefix: tuple[str, ...], symbols: tuple[str, ...]) -> str:
    """Find the symbols that may come next by trying all continuations of at most four more."""
    tails = [tail for n in range(5) for tail in product(symbols, repeat=n)]
    may = [s for s in symbols if any(MEMBERS[base]([*prefix, s, *tail]) for tail in tails)]
    end = ["end"] if MEMBERS[base](prefix) else []
    return " ".join(may + end) or "."  # a dead prefix is not scored


def no_odd_after_odd(word: Word) -> bool:
    runs = [(symbol, len(list(run)) % 2) for symbol, run in groupby(word)]
    return not any(a == ("1", 1) and b == ("0", 1) for a, b in pairwise(runs))


def find_last_position(moves: Word) -> int:
    return sum({"stay": 0, "+1": 1, "-1": -1}[move] for move in moves) % 5


def is_navigation(word: Word) -> bool:
    *moves, digit = word
    return (
        digit.isdigit()
        and not any(m.isdigit() for m in moves)
        and find_last_position(moves) == int(digit)
    )


def is_equation(word: Word) -> bool:
    """Evaluate from left to right, with parentheses around every step."""
    text = "".join(word)
    if not re.fullmatch(r"\d([-+*]\d)*=\d", text):
        return False
    terms = re.findall(r"[-+*]\d", text.partition("=")[0])
    nested = "(" * len(terms) + text[0] + "".join(term + ")" for term in terms)
    return eval(nested) % 5 == int(text[-1])


MEMBERS: dict[str, Callable[[Word], object]] = {
    "tomita-1": lambda w: "0" not in w,
    "tomita-2": lambda w: "".join(w) == "10" * (len(w) // 2),
    "tomita-3": no_odd_after_odd,
    "tomita-4": lambda w: "000" not in "".join(w),
    "tomita-5": lambda w: w.count("0") % 2 == w.count("1") % 2 == 0,
    "tomita-6": lambda w: (w.count("0") - w.count("1")) % 3 == 0,
    "tomita-7": lambda w: "".join(w).count("10") <= 1,
    "aa-star": lambda w: len(w) % 2 == 0,
    "aaaa-star": lambda w: len(w) % 4 == 0,
    "abab-star": lambda w: "".join(w) == "abab" * (len(w) // 4),
    "abcde-runs": lambda w: "".join(symbol for symbol, _ in groupby(w)) == "abcde",
    "ab-d-bc": lambda w: (
        w.count("d") == 1 and "c" not in w[: w.index("d")] and "a" not in w[w.index("d") :]
    ),
    "012-0-2": lambda w: "".join(w).rstrip("2").endswith("0"),
    "repeat-01": lambda w: "".join(w) == "01" * (len(w) // 2),
    "even-pairs": lambda w: ("".join(w).count("ab") + "".join(w).count("ba")) % 2 == 0,
    "cycle-navigation": is_navigation,
    "modular-arithmetic-simple": is_equation,
}


def states(task: Task, word: Word) -> list[str]:
    """A formula of the state after every prefix."""
    base, _, options = task.name.partition(":")
    size = int(options.partition("=")[2] or len(task.labels))
    return [STATES[base](word[: t + 1], size) for t in range(len(word))]


def walled(word: Word, size: int) -> str:
    place = 0
    for symbol in word:
        place = min(max(place + (1 if symbol == "R" else -1), 0), size - 1)
    return str(place)


def sum_so_far(word: Word, size: int) -> str:
    first, second = (int("".join(pair[i] for pair in word)[::-1], 2) for i in (0, 1))
    total = first + second
    return f"carry {total >> len(word)} digit {total >> (len(word) - 1) & 1}"


def token(word: Word, size: int) -> str:
    """A list of places with a token in it."""
    places = ["token"] + [""] * (size - 1)
    for symbol in word:
        if symbol == "rotate":
            places = places[-1:] + places[:-1]
        elif symbol == "swap":
            places[0], places[1] = places[1], places[0]
        else:
            places = ["token" if symbol == f"to {q}" else "" for q in range(size)]
    return str(places.index("token"))


STATES: dict[str, Callable[[Word, int], str]] = {
    "cyclic": lambda w, size: str(w.count("1") % size),
    "gridworld": walled,
    "adder": sum_so_far,
    "permutation-reset": token,
    "cycle-navigation": lambda w, size: str(find_last_position(w)),
    "abab": lambda w, size: (
        ["0", "a", "ab", "aba"][len(w) % 4] if "".join(w) == ("ab" * len(w))[: len(w)] else "left"
    ),
}


def transduction(task: Task, word: Word) -> list[str]:
    """The answer to a word, on lists and strings."""
    return ANSWERS[task.name.partition(":")[0]](word)


def hidden(word: Word) -> list[str]:
    half = len(word) // 2
    pairs = zip(word[:half], word[half:], strict=True)
    return [next(a if b == "_" else b for a, b in pairs if "_" in (a, b))]


def binary(word: Word, operator: str) -> list[str]:
    """Lowest bit first: every number is written backwards for Python, and the result back."""
    first, second = "".join(word).split(operator)
    a, b = int(first[::-1], 2), int(second[::-1], 2)
    result = a + b if operator == "+" else a * b
    return [*bin(result)[:1:-1], "END"]


def root(word: Word) -> list[str]:
    number = int("".join(word), 2)
    largest = max(r for r in range(number + 1) if r * r <= number)
    return list(bin(largest)[2:].zfill((len(word) + 1) // 2))


def final_stack(word: Word) -> list[str]:
    stack = [symbol for symbol in word if symbol in "01"]
    for action in word[len(stack) :]:
        stack = stack[:-1] if action == "POP" else [*stack, action[-1]]
    return [*stack[::-1], "END"]


def solution(word: Word) -> list[str]:
    left, _, right = "".join(word).partition("=")
    solving = [d for d in "01234" if eval(left.replace("x", d)) % 5 == int(right)]
    assert len(solving) == 1
    return solving


ANSWERS: dict[str, Callable[[Word], list[str]]] = {
    "cycle-navigation": lambda w: [str(find_last_position(w))],
    "reverse-string": lambda w: list(reversed(w)),
    "duplicate-string": lambda w: [*w, *w],
    "missing-duplicate": hidden,
    "odds-first": lambda w: (
        [s for i, s in enumerate(w, 1) if i % 2] + [s for i, s in enumerate(w, 1) if i % 2 == 0]
    ),
    "bucket-sort": lambda w: sorted(w),
    "copy": list,
    "copy-unique": list,
    "binary-addition": lambda w: binary(w, "+"),
    "binary-multiplication": lambda w: binary(w, "*"),
    "compute-sqrt": root,
    "modular-arithmetic": lambda w: [str(eval("".join(w)) % 5)],
    "stack-manipulation": final_stack,
    "modular-arithmetic-brackets": lambda w: [str(eval("".join(w)) % 5)],
    "solve-equation": solution,
    "associative-recall": lambda w: [dict(zip(w[:-1:2], w[1::2], strict=True))[w[-1]]],
    "most-frequent": lambda w: [max(sorted(set(w)), key=w.count)],
    "histogram": lambda w: [str(w.count(s)) for s in w],
    "double-histogram": lambda w: [
        str(sum(w.count(other) == w.count(s) for other in set(w))) for s in w
    ],
}


def marked(task: Task, word: Word) -> list[str]:
    """Write the word that should follow the mark."""
    order = task.name.partition(":")[0]
    left, mark, right = "".join(word).partition("#")
    after = {
        "marked-reversal": left[::-1],
        "marked-copy": left,
        "odds-first": left[::2] + left[1::2],
        "bucket-sort": "".join(sorted(left)),
    }
    return [task.labels[bool(mark) and right == after[order]]] * len(word)


def halves(task: Task, word: Word) -> list[str]:
    text = "".join(word)
    half = len(word) // 2
    if task.name.startswith("unmarked"):
        members = [text[:half] + text[:half][::-1]]
    else:
        unmasked = text.replace("_", "1")[:half] * 2
        ones = [i for i, symbol in enumerate(unmasked) if symbol == "1"]
        members = [f"{unmasked[:i]}_{unmasked[i + 1 :]}" for i in ones]
    return [task.labels[text in members]] * len(word)


def flip_flop_language(task: Task, word: Word) -> list[str]:
    """Read instruction by instruction; positions from a wrong symbol on are not scored."""
    labels, memory, legal = [], None, "w"
    for symbol in word:
        if symbol not in legal:
            return labels + ["."] * (len(word) - len(labels))
        if symbol in "wri":
            instruction = symbol
            legal = memory if symbol == "r" else "01"
        else:
            memory = symbol if instruction == "w" else memory
            legal = "wri"
        labels.append(" ".join(legal) + (" end" if legal == "wri" else ""))
    return labels


def equal_runs(task: Task, word: Word) -> list[str]:
    """Compare with the prefixes of all members of at most as many a's as the word has symbols."""
    text, letters = "".join(word), task.symbols
    members = ["".join(letter * n for letter in letters) for n in range(1, len(word) + 1)]
    if task.mode == "recognise":
        return [task.labels[text in members]] * len(word)
    labels = []
    for t in range(1, len(word) + 1):
        alive = [m for m in members if m.startswith(text[:t])]
        following = sorted({m[t : t + 1] for m in alive})
        if not alive:
            labels.append(".")
        elif set(text[:t]) == {"a"}:
            labels.append("a b")
        else:
            labels.append(following[0] or "end")
    return labels


def induction(task: Task, word: Word) -> list[str]:
    labels = []
    for t, symbol in enumerate(word):
        before = [i for i in range(t) if word[i] == symbol]
        labels.append(word[before[-1] + 1] if before else "none")
    return labels


def shuffle_dyck(task: Task, word: Word) -> list[str]:
    """Delete adjacent pairs of each kind separately until nothing changes."""
    labels, dead = [], False
    for t in range(1, len(word) + 1):
        rests = []
        for opening, closing in zip(task.symbols[::2], task.symbols[1::2], strict=True):
            text = "".join(s for s in word[:t] if s in (opening, closing))
            while opening + closing in text:
                text = text.replace(opening + closing, "")
            rests.append(text.replace(opening, "+").replace(closing, "-"))
        dead = dead or any("-" in rest for rest in rests)
        if task.mode == "recognise":
            labels.append(task.labels[not any(rests)])
        elif task.label_sets is not None:
            pairs = zip(task.symbols[::2], task.symbols[1::2], rests, strict=True)
            may = [s for a, b, rest in pairs for s in ([a, b] if rest else [a])]
            end = [] if any(rests) else ["end"]
            labels.append("." if dead else " ".join(may + end))
        else:
            labels.append("dead" if dead else "prefix" if any(rests) else "accepted")
    return labels


def in_place(task: Task, word: Word) -> list[str]:
    return transduction(task, word)


def equation(task: Task, word: Word) -> list[str]:
    """Evaluate the equation on Python's integers; long numbers have a test of their own."""
    text = "".join(word)
    found = re.fullmatch(r"([01]+)(?:([+*])([01]+))?=([01]+)", text)
    operators = {"binary-addition": "+", "binary-multiplication": "*", "compute-sqrt": None}
    right = False
    if found and found[2] == operators[task.name.partition(":")[0]]:
        a, b, c = (int((found[n] or "0")[::-1], 2) for n in (1, 3, 4))
        right = {"+": a + b == c, "*": a * b == c, None: c * c <= a < (c + 1) ** 2}[found[2]]
    return [task.labels[right]] * len(word)


def stack_language(task: Task, word: Word) -> list[str]:
    """Apply the actions to a list, from the front."""
    before, mark, after = " ".join(word).partition("#")
    found = re.fullmatch(r"((?:[01] )*)((?:POP |PUSH [01] )*)", before)
    right = bool(mark and found)
    stack = found[1].split() if found else []
    for action in re.findall(r"POP|PUSH [01]", found[2]) if found else []:
        right = right and (action != "POP" or bool(stack))
        stack = stack[:-1] if action == "POP" else [*stack, action[-1]]
    return [task.labels[right and after.split() == stack[::-1]]] * len(word)


def boolean(task: Task, word: Word) -> list[str]:
    """Parse the expression at the beginning of the word and find its end, if it has one."""

    def find_end(position: int) -> int:
        if position >= len(word):
            raise EOFError
        operands = int(word[position][2:]) if word[position].startswith("op") else 0
        position += 1
        for _ in range(operands):
            position = find_end(position)
        return position

    try:
        end = find_end(0)
    except EOFError:
        end = len(word) + 1
    if task.mode == "recognise":
        return [task.labels[end == len(word)]] * len(word)
    names = (task.labels[0], "end", ".")
    return [names[(t >= end) + (t > end)] for t in range(1, len(word) + 1)]


ORACLES: dict[str, Oracle] = {
    "Boolean": boolean,
    "InPlace": in_place,
    "Sum": equation,
    "Product": equation,
    "Root": equation,
    "StackLanguage": stack_language,
    "ShuffleDyck": shuffle_dyck,
    "FlipFlopLanguage": flip_flop_language,
    "EqualRuns": equal_runs,
    "Induction": induction,
    "Marked": marked,
    "UnmarkedReversal": halves,
    "MaskedOne": halves,
    "RegularLanguage": language,
    "StateTask": states,
    "Abab": states,
    "Parity": parity,
    "First": first,
    "Majority": majority,
    "FlipFlop": flip_flop,
    "Dyck": dyck,
    "WordProblem": word_problem,
}


def expected(task: Task, word: Word) -> list[str]:
    if task.mode == "transduce":
        word = [symbol for symbol in word if symbol != "?"]
        answer = transduction(task, word)
        return ["."] * len(word) + answer + ["."] * (task.queries(len(word)) - len(answer))
    labels = ORACLES[type(task).__name__](task, word)
    return labels if task.mode == "tag" else ["."] * (len(word) - 1) + labels[-1:]


def test_every_task_has_an_oracle() -> None:
    tasks = [get_task(name) for name in task_names()]
    missing = {type(task).__name__ for task in tasks if task.mode != "transduce"} - set(ORACLES)
    missing |= {task.name for task in tasks if task.mode == "transduce"} - set(ANSWERS)
    assert not missing, f"write an independent oracle for {missing}"


def test_sampled_words(task: Task, rng: np.random.Generator) -> None:
    for length in task.valid_lengths(1, 10):
        tokens, targets = task.sample(rng, 15, length)
        for row, labels in zip(tokens, targets, strict=True):
            word = task.spell(row, task.symbols)
            assert task.spell(labels, task.labels) == expected(task, word), word


def test_any_words(task: Task, rng: np.random.Generator) -> None:
    """Label uniform words, which the task itself would hardly draw."""
    if task.mode == "transduce":
        pytest.skip("words need queries, and some need a format")
    for length in task.valid_lengths(1, 10):
        tokens = rng.integers(len(task.symbols), size=(15, length))
        for row, labels in zip(tokens, task.targets(tokens), strict=True):
            word = task.spell(row, task.symbols)
            assert task.spell(labels, task.labels) == expected(task, word), word


@given(st.data())
def test_constant_and_arbitrary_words(data: st.DataObject) -> None:
    names = [*task_names(), "dyck-2:depth=2", "S5:generators=3"]
    task = get_task(data.draw(st.sampled_from(names)))
    assume(task.mode != "transduce")
    ids = st.integers(0, len(task.symbols) - 1)
    word = data.draw(st.lists(ids, min_size=1, max_size=40) | ids.map(lambda i: [i] * 30))
    labels = task.targets(np.array([word]))[0]
    assert task.spell(labels, task.labels) == expected(task, [task.symbols[i] for i in word])


def test_the_oracle_detects_a_wrong_label(rng: np.random.Generator) -> None:
    task = get_task("parity")
    tokens, targets = task.sample(rng, 1, 10)
    targets[0, 5] ^= 1
    word = task.spell(tokens[0], task.symbols)
    assert task.spell(targets[0], task.labels) != expected(task, word)


@pytest.mark.parametrize("name", ["parity:mode=recognise", "A5:label=last"])
def test_only_the_last_position_is_scored(name: str, rng: np.random.Generator) -> None:
    assert (get_task(name).sample(rng, 4, 5).targets[:, :-1] == NOT_SCORED).all()
