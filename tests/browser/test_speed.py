"""From a move to the first new picture: it comes, whatever is under way; how soon is printed, for a person to judge."""

import itertools
import os
import statistics

import pytest

from explorer.stories.scenarios import SCENARIOS

REMEDIES = {
    "normalization": ["none", "batch", "layer"],
    "skip": ["none", "one layer", "two layers"],
    "clip": ["none", "value", "norm"],
}
# So many in every run; a person who measures sets more.
TOGGLES = int(os.environ.get("EXPLORER_TOGGLES", "3"))


def walk():
    """Every combination of the three remedies, each a single press away from the one before."""
    keys, where = list(REMEDIES), [0, 0, 0]
    seen, step = {(0, 0, 0)}, [1, 1, 1]
    while len(seen) < 27:
        for place in range(3):
            there = where[place] + step[place]
            if 0 <= there <= 2:
                where[place] = there
                break
            step[place] *= -1
        seen.add(tuple(where))
        yield keys[place], REMEDIES[keys[place]][where[place]]


def report(what, took):
    took = sorted(took)
    print(f"\n{what}: median {statistics.median(took):.0f} ms, {took[0]:.0f} to {took[-1]:.0f}, {len(took)} moves")


@pytest.mark.long
def test_a_toggle_shows_its_picture(screen):
    screen.open(seed=4321, complete=True)
    took = [screen.timed(lambda m=move: screen.press(*m)) for move in itertools.islice(walk(), TOGGLES)]
    report("toggle to first new picture", took)


@pytest.mark.long  # the next, too, moves while a long training is under way
def test_also_while_a_long_training_is_under_way(screen):
    tutorial = SCENARIOS["Tutorial recipe, plain"].experiment.settings(changed_only=True)
    screen.open(**tutorial | {"seed": 4322})
    took = []
    for move in itertools.islice(walk(), TOGGLES):
        screen.page.wait_for_selector("[data-testid=stProgress]", timeout=10_000)
        took.append(screen.timed(lambda m=move: screen.press(*m)))
    report("toggle during a 100,000-epoch run", took)


@pytest.mark.long
def test_a_setting_that_was_computed_before_shows_its_picture_again(screen):
    screen.open(seed=4323, epochs=200, complete=True)
    for option in ("one layer", "none"):
        screen.press("skip", option)
        screen.finish()
    took = []
    for option in ["one layer", "none"] * 3:
        took.append(screen.timed(lambda o=option: screen.press("skip", o)))
        screen.finish()
    report("cached setting", took)


def test_a_move_ends_the_old_training_and_coming_back_resumes_it(screen):
    screen.open(epochs=100_000, batch=1, seed=4324, baseline="none")
    done = "Number(document.querySelector('[data-testid=stProgress]')?.innerText.match(/([\\d]+)%/)?.[1] ?? -1)"
    screen.page.wait_for_function(f"{done} > 0")
    screen.page.wait_for_timeout(2000)
    before, shown = screen.page.evaluate(done), screen.settings()
    screen.press("skip", "one layer")
    screen.page.wait_for_function("shown => explorer.settings() !== shown", arg=shown)
    # The first picture after coming back is one of a training that goes on: one begun anew would be at 0%.
    screen.timed(lambda: screen.press("skip", "none"))
    # Found and read at once: under way, the bar is drawn anew.
    first = screen.page.wait_for_function(f"() => {{ const part = {done}; return part < 0 ? null : {{part}}; }}")
    assert first.json_value()["part"] >= before
