"""Tests that the page is a function of the run folders alone, and safe whatever they hold."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flann.errors import UserError
from flann.reports import write_report

MakeRun = Callable[..., Path]
PNG = "data:image/png;base64,"
VOID = {"meta", "img", "source", "br", "rect", "line", "polyline"}


class Reader(HTMLParser):
    """A parser that collects tags, attributes and text, and checks that every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., Reader]:
    """Return a function that writes a report of run folders and reads its page."""

    def read(*folders: Path) -> Reader:
        paths = write_report(folders, tmp_path / "out" / "report.html")
        return Reader(paths.page.read_text(encoding="utf-8"))

    return read


Page = Callable[..., Reader]


def test_page_and_picture(make_folder: MakeRun, tmp_path: Path) -> None:
    paths = write_report([make_folder()], tmp_path / "new" / "deep" / "curve.html")
    assert paths.page == tmp_path / "new" / "deep" / "curve.html"
    assert paths.picture == paths.page.with_suffix(".png")
    assert paths.picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(paths.page.parent.iterdir()) == sorted(paths.__dict__.values())


def test_the_page_answers_the_main_questions(make_folder: MakeRun, page: Page) -> None:
    text = page(make_folder(model="mamba", seed=3)).text
    for expected in (
        "A5: mamba",
        "A5 is NC1-complete (A5 is not solvable).",
        "mamba belongs to the family nonnegative-ssm: at log precision it cannot unless TC0 = NC1",
        "arXiv 2404.08819",
        "Wilson 95%",
        "flann run --task A5 --model mamba --seed 3",
        "Seed 3, commit c0ffee123456",
        "torch 2.13.0",
        "99,800",
        "51 s",
        "Trained on lengths 2–40",
        "Reach 40",
        "Training loss from",
        "The bars are the share of words whose first error falls there",
        "512 of 512 at length 2",
    ):
        assert expected in text


def test_the_table_holds_the_curve(make_folder: MakeRun, page: Page) -> None:
    folder = make_folder(lengths=(16, 64))
    rows = (folder / "curve.csv").read_text().splitlines()[1:]
    text = page(folder).text
    for row in rows:
        for number in row.split(",")[:11]:
            value = float(number)
            shown = f"{value:.3f}" if 0.001 < value < 0.999 else str(int(value))
            assert value < 0.001 or shown in text


def test_the_same_folders_give_the_same_bytes(make_folder: MakeRun, tmp_path: Path) -> None:
    folders = [
        make_folder("a"),
        make_folder("b", seed=1),
        make_folder("c", model="gru", task="parity"),
    ]
    first = write_report(folders, tmp_path / "1.html")
    moved = [shutil.copytree(folder, tmp_path / "moved" / folder.name) for folder in folders]
    second = write_report(moved, tmp_path / "2.html")
    assert first.page.read_bytes() == second.page.read_bytes()
    assert first.picture.read_bytes() == second.picture.read_bytes()


def test_the_page_needs_nothing_else(make_folder: MakeRun, page: Page) -> None:
    read = page(make_folder("a"), make_folder("b", task="parity"))
    assert "script" not in {tag for tag, _ in read.tags}
    for tag, attributes in read.tags:
        for name in ("src", "srcset"):
            assert attributes.get(name, PNG).startswith(PNG)
        if tag == "a":
            assert attributes["href"].startswith("https://arxiv.org/abs/")
    policy = [a["content"] for _, a in read.tags if "http-equiv" in a]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


HOSTILE = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}{%raw%}"


def test_hostile_folders_stay_text(make_folder: MakeRun, page: Page, tmp_path: Path) -> None:
    """Markup in any text of a run folder is shown as text."""
    folders = [
        make_folder("a"),
        make_folder("b", seed=1, status="stopped"),
        make_folder("c", model="d"),
    ]
    tame = page(*folders)

    def inject(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {**{k: inject(v, k) for k, v in value.items()}, HOSTILE: HOSTILE}
        if isinstance(value, list):
            return [inject(item) for item in value]
        return value + HOSTILE if isinstance(value, str) and key != "status" else value

    for folder in folders:
        for file in folder.glob("*.json"):
            content = json.loads(file.read_text())
            file.write_text(json.dumps(inject(content)))
    renamed = [folder.rename(folder.with_name(folder.name + "<i>")) for folder in folders]
    hostile = page(*renamed)
    assert "<script>alert(1)</script>" in hostile.text
    assert "{{7*7}}" in hostile.text
    allowed = {tag for tag, _ in tame.tags}
    assert {tag for tag, _ in hostile.tags} <= allowed
    assert not any(name.startswith("on") for _, a in hostile.tags for name in a)


def test_a_diverged_run_shows_no_accuracy(make_folder: MakeRun, page: Page) -> None:
    text = page(make_folder(status="diverged")).text
    assert "Training diverged at step 812 of 2,000: the loss was not finite at step 812." in text
    assert "not measured" in text
    assert "Whole word" not in text


def test_a_stopped_run_says_so(make_folder: MakeRun, page: Page) -> None:
    text = page(make_folder(status="stopped")).text
    assert "Training stopped early at step 812 of 2,000: time limit of 60 s reached." in text
    assert "Whole word" in text


def test_several_runs_have_an_overview(make_folder: MakeRun, page: Page) -> None:
    folders = [
        make_folder(f"s{seed}", seed=seed, accuracy=lambda position: 1.0) for seed in range(2)
    ]
    folders += [
        make_folder("s2", seed=2, status="diverged"),
        make_folder("g", model="gru", statements=[]),
    ]
    text = page(*folders).text
    assert "At a glance" in text
    assert "mamba (3 seeds) 320, 320, – 1 1 cannot unless TC0 = NC1 (log precision)" in text
    assert "2 done, 1 diverged" in text
    assert "no result recorded" in text
    assert "Thick lines are medians over seeds" in text


def test_a_recognition_task_has_one_position_and_no_position_chart(
    make_folder: MakeRun, page: Page
) -> None:
    text = page(make_folder(recognise=True)).text
    assert "The bars are the share" not in text


def test_lengths_that_a_model_refused_are_reported(make_folder: MakeRun, page: Page) -> None:
    folder = make_folder(lengths=(2, 4, 8))
    lines = (folder / "curve.csv").read_text().splitlines(keepends=True)
    (folder / "curve.csv").write_text("".join(lines[:-1]))
    result = json.loads((folder / "result.json").read_text())
    result.update(rows=2, refused={"8": "learned positions end at 4"})
    (folder / "result.json").write_text(json.dumps(result))
    assert "Length 8 was not measured: learned positions end at 4." in page(folder).text


def test_a_run_that_recorded_little_is_still_a_page(make_folder: MakeRun, page: Page) -> None:
    folder = make_folder()
    (folder / "positions.csv").unlink()
    (folder / "progress.jsonl").unlink()
    (folder / "environment.json").write_text("{}")
    (folder / "result.json").write_text('{"status": "done"}')
    text = page(folder).text
    assert "The run recorded no command." in text


def test_an_unreadable_folder_leaves_the_old_page(make_folder: MakeRun, tmp_path: Path) -> None:
    folder, target = make_folder(), tmp_path / "report.html"
    before = write_report([folder], target).page.read_bytes()
    (folder / "theory.json").write_text("{")
    with pytest.raises(UserError, match=r"theory\.json"):
        write_report([folder], target)
    assert target.read_bytes() == before


def test_a_page_that_cannot_be_written(make_folder: MakeRun, tmp_path: Path) -> None:
    folder = make_folder()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write"):
        write_report([folder], tmp_path / "file" / "report.html")
    with pytest.raises(UserError, match=r"ending in \.html"):
        write_report([folder], tmp_path / "report.png")


def test_a_report_loads_no_torch_and_no_other_instrument(
    make_folder: MakeRun, tmp_path: Path
) -> None:
    folder = make_folder()
    code = f"""
import sys
import flann.reports
light = set(sys.modules)
flann.reports.write_report([{str(folder)!r}], {str(tmp_path / "r.html")!r})
print(sorted(m for m in light if m.split(".")[0] in ("pandas", "seaborn", "matplotlib", "numpy")))
print(sorted(m for m in sys.modules if m == "torch" or m.startswith("flann.")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, loaded = done.stdout.splitlines()
    assert heavy == "[]"
    names = set(re.findall(r"'([^']*)'", loaded))
    assert "flann.reports.page" in names  # the list is not empty by mistake
    foundation = {
        "flann.curve_schema", "flann.errors", "flann.files", "flann.names", "flann.reports",
    }  # fmt: skip
    assert all(n in foundation or n.startswith("flann.reports.") for n in names)


def test_only_known_names_are_exported() -> None:
    import flann.reports

    with pytest.raises(AttributeError, match="no attribute 'wrong'"):
        _ = flann.reports.wrong
    assert all(getattr(flann.reports, name) for name in flann.reports.__all__)
