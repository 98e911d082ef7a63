"""Answers to challenges: what a student hands in is read with suspicion, trained again and judged by that alone."""

import json
import math
import os
import subprocess
import sys
from typing import Any

import pytest

from explorer.__main__ import main
from explorer.choices.experiment import Experiment
from explorer.sharing import answers
from explorer.sharing.answers import LONGEST_NAME, answer_json, check_files, judge_answer, named_files, read_answer
from explorer.sharing.notebook import challenge_lines
from explorer.sharing.saved import MAX_CHARACTERS, experiment_json, read_experiment_json
from tests.stories.test_challenges import BY_ADDRESS, RIGHT, WRONG

ADDRESS = "kill the relus"  # the quickest
CHALLENGE = BY_ADDRESS[ADDRESS]
SOLVING, FAILING = (CHALLENGE.start.but(**changes[ADDRESS]) for changes in (RIGHT, WRONG))


def saved(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def changed(experiment=SOLVING, **more):
    """An answer with some of what the file says replaced, as by hand."""
    return json.dumps(json.loads(answer_json(CHALLENGE, experiment, "Ada")) | more)


def with_setting(name, value):
    document = json.loads(answer_json(CHALLENGE, SOLVING))
    document["settings"][name] = value
    return json.dumps(document)


@pytest.mark.parametrize("address", BY_ADDRESS)
def test_what_was_handed_in_is_read_again(address):
    challenge = BY_ADDRESS[address]
    experiment = challenge.start.but(**RIGHT[address])
    text = answer_json(challenge, experiment, "Ada Lovelace")
    answer = read_answer(text.encode())
    assert (answer.challenge, answer.experiment, answer.student) == (challenge, experiment, "Ada Lovelace")
    # It opens where any experiment does.
    assert read_experiment_json(text.encode()).experiment == experiment


@pytest.mark.parametrize(
    "name", ["", "  ", "<b>Ada</b>", "[x](javascript:1)", "名前", 'a"b\\', "\x1b[2J", "\u202eadA", "x" * 500]
)
def test_a_name_is_text_and_no_more(name):
    answer = read_answer(answer_json(CHALLENGE, SOLVING, name).encode())
    assert len(answer.student) <= LONGEST_NAME
    assert answer.student.isprintable()
    if len(name) <= LONGEST_NAME and name.isprintable():
        assert answer.student == name.strip()


BAD = {
    "no JSON": ("{", "is not JSON"),
    "no text": (b"\xff\xfe\x00", "is not JSON"),
    "nothing": ("", "is not JSON"),
    "nested": ("[" * 10_000, "is not JSON"),
    "huge": (" " * (MAX_CHARACTERS + 1), "it has 20,001 bytes; an experiment has at most 20,000"),
    "huge number": ('{"format": ' + "9" * 10_000 + "}", "is not JSON"),
    "another schema": ('{"format": "something else"}', "its “format” must be"),
    "another version": (changed(version=99), "it is of version 99"),
    "a list": ("[1, 2]", "it is not an experiment"),
    "an experiment": (experiment_json(SOLVING), "it names no “challenge”; choose one of: one change, "),
    "unknown challenge": (changed(challenge="cheat"), "it has the “challenge” 'cheat'"),
    "no name of a challenge": (changed(challenge=["kill the relus"]), "it has the “challenge” ["),
    "long challenge": (changed(challenge="x" * 5000), "…"),
    "a name that is none": (changed(name={"a": 1}), "its “name” must be text of at most 60 characters"),
    "a long name": (changed(name="x" * 61), "its “name” must be text of at most 60 characters"),
    "NaN": (with_setting("learning_rate", math.nan), "learning_rate = nan: learning_rate must be"),
    "infinity": (with_setting("learning_rate", math.inf), "learning_rate = inf: learning_rate must be"),
    "no number": (with_setting("learning_rate", "fast"), "learning_rate = 'fast'"),
    "unknown setting": (with_setting("cheat", True), "there is no setting called 'cheat'"),
    "unknown option": (with_setting("optimizer", "<script>"), "optimizer = '<script>' is not known"),
    "own data": (with_setting("task", "own data"), "somebody's own data"),
    "no settings": (changed(settings=[]), "its “settings” must be names with values"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_file_is_named_with_what_is_wrong_and_stops_no_other(text, said, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "judge_answer", lambda answer: pytest.fail("it was trained"))
    (checked,) = check_files([saved(tmp_path / "bad.json", text)])
    assert not checked.judgment.solved
    assert checked.judgment.sentence.startswith("cannot be read: ")
    assert said in checked.judgment.sentence
    assert len(" ".join(checked.row())) < 2000


def test_what_is_missing_or_no_file_is_said(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")  # reading it would wait for ever
    missing, folder, pipe = check_files([str(tmp_path / "none.json"), str(tmp_path), str(tmp_path / "pipe.json")])
    assert missing.judgment.sentence == "cannot be read: No such file or directory"
    assert folder.judgment.sentence == pipe.judgment.sentence == "cannot be read: it is not a file"


def test_what_the_challenge_does_not_allow_is_never_trained(monkeypatch):
    monkeypatch.setattr(answers, "Training", lambda *a, **k: pytest.fail("it was trained"))
    for changes in (
        {"epochs": 1_000_000},
        {"runs": 512},
        {"seed": 5},
        {"depth": 50, "width": 128},
        {"learning_rate": 1000.0},
    ):
        answer = read_answer(answer_json(CHALLENGE, SOLVING.but(**changes)).encode())
        judgment = judge_answer(answer)
        assert not judgment.solved
        assert next(iter(changes)) in judgment.sentence


def test_a_file_that_claims_to_be_solved_is_judged_by_training_alone(tmp_path):
    claims = {"solved": True, "judgment": {"solved": True}, "history": [1.0], "baseline": None}
    (checked,) = check_files([saved(tmp_path / "cheat.json", changed(FAILING, **claims))])
    assert not checked.judgment.solved
    assert "20% of the hidden units" in checked.judgment.sentence


def test_the_command_prints_a_table_and_ends_with_what_it_found(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "a.json", answer_json(CHALLENGE, SOLVING, "Ada"))
    saved(tmp_path / "b.json", answer_json(CHALLENGE, FAILING, "Bob"))
    saved(tmp_path / "c.json", "{")
    skipped = BY_ADDRESS["one change"]
    saved(tmp_path / "d.json", answer_json(skipped, skipped.start.but(skip="one layer"), "\x1b]0;x\x07Dee"))
    assert main(["check", "a.json"]) == 0
    capsys.readouterr()
    assert main(["check", "*.json", "e.json"]) == 1
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["file", "name", "challenge", "solved", "why"]
    assert [row.split()[0] for row in rows] == ["a.json", "b.json", "c.json", "d.json", "e.json"]
    why = head.index("why")
    assert [row[head.index("solved") : why].strip() for row in rows] == ["yes", "no", "no", "no", "no"]
    assert rows[0][why:] == "73% of the hidden units are off for every sample; at least 50% are needed"
    assert rows[2][why:].startswith("cannot be read: it is not JSON")
    assert rows[3][why:] == "changed: skip, which must stay none"
    assert "Ada" in rows[0]
    assert not any(sign in row for row in rows for sign in "\x1b\x07")


def test_equal_answers_are_trained_once(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(answers, "judge_answer", lambda answer: trained.append(answer) or judge_answer(answer))
    files = [saved(tmp_path / f"{name}.json", answer_json(CHALLENGE, SOLVING, name)) for name in ("Ada", "Bob")]
    assert [(each.student, each.judgment.solved) for each in check_files(files)] == [("Ada", True), ("Bob", True)]
    assert len(trained) == 1


def test_a_pattern_means_its_files_and_a_name_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.json", "a.json", "[1].json"):
        saved(tmp_path / name, "{}")
    assert named_files(["?.json", "[1].json", "none.json"]) == ["a.json", "b.json", "[1].json", "none.json"]


def test_the_command_runs_in_an_interpreter_of_its_own(tmp_path):
    path = saved(tmp_path / "bad.json", "{")
    done = subprocess.run([sys.executable, "-m", "explorer", "check", path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be read: it is not JSON" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_lines_judge_as_the_page_does(capsys):
    names: dict[str, Any] = {}
    exec(challenge_lines(CHALLENGE, SOLVING), names)
    judgment = names["challenge"].judge(names["compared"].now)
    assert judgment.solved and judgment.sentence in capsys.readouterr().out


def test_an_answer_to_another_challenge_does_not_pass_for_this_one():
    other = read_answer(answer_json(BY_ADDRESS["one change"], Experiment(), "").encode())
    assert not judge_answer(other).solved
