"""A new activation, measure, setting or page touches one place: the app finds it by itself.

They are put into the house before the rest of it is imported, in a process of their own, and looked for in menu, link,
caption, theory and code.
"""

import re
import subprocess
import sys
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explorer.choices.controls import Number
from explorer.ui.page import VIEW, Page
from pages import PAGES

ROOT = Path(__file__).parent.parent

# A room's `__init__` imports the whole room, so rooms stand here without one until all is added. Registries are
# read-only: only here, what is behind one is written to.
ADD = """
import dataclasses, gc, sys, types
import numpy as np

for name in ("explorer", "explorer.choices", "explorer.training"):
    room = sys.modules[name] = types.ModuleType(name)
    room.__path__ = [name.replace(".", "/")]

from explorer.choices import activations, controls, experiment
from explorer.training import measures

def add(registry, entry):
    (behind,) = gc.get_referents(registry)
    behind[entry.name] = entry

from explorer.choices.activations import Activation
add(activations.ACTIVATIONS, README)
add(measures.DIAGNOSTICS, dataclasses.replace(measures.DIAGNOSTICS["delta"], name="largest", label="largest dL/dz",
    caption="The largest.", measure=lambda network: np.abs(network.delta).max(axis=(-2, -1))))

@dataclasses.dataclass(frozen=True, kw_only=True)
class Wider(experiment.Experiment):
    warmth: float = controls.numeric(controls.TRAINING, "Warmth", "What a new setting does.",
        low=0.0, high=9.0, marks=(0.0, 1.0, 2.0), default=1.0, per_run=True, matters_at_start=False)

Wider.__name__ = Wider.__qualname__ = "Experiment"
experiment.Experiment, experiment.CONTROLS = Wider, controls.controls_of(Wider)
"""


# The entry that README shows.
(README,) = re.findall(r"^Activation\(.*?^\)", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
ADD = ADD.replace("README", README)


def house(looks):
    """Look at a house to which these were added."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ADD + looks], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_an_activation_is_one_entry():
    house("""
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.wording import summary
from explorer.sharing.code import explore_table
from explorer.sweeps.sweep import AXES
from explorer.theory.prediction import predict
from explorer.training.cost import estimate
from explorer.training.run import train
from explorer.ui import link

new = Experiment(activation="Softsign", initializer="LeCun", depth=3, epochs=5, runs=2)
assert new.activation in CONTROLS["activation"].options and new.activation in AXES["activation"]
assert link.decode(link.encode(new), None) == new
assert "of 4 softsign" in summary(new)
assert np.isfinite(predict(new).median_delta).all() and estimate(new).bearable
assert np.isfinite(train(new).loss).all()
z, entry = np.linspace(-3, 3, 60), new.activation_function
slope = (entry.f(z + 1e-6, np.empty_like(z)) - entry.f(z - 1e-6, np.empty_like(z))) / 2e-6
np.testing.assert_allclose(entry.df(z, np.empty_like(z)), slope, rtol=1e-6)
assert REMEDIES["fitting initialization"].change(new.but(initializer="He normal")).initializer == "Glorot normal"
""")


def test_a_measure_is_one_entry():
    house("""
from explorer.choices.experiment import Experiment
from explorer.diagnosis.diagnose import diagnose
from explorer.figures.view import VIEW_CONTROLS, View
from explorer.sharing.saved import history_csv
from explorer.training.run import train

history = train(Experiment(depth=3, epochs=5, runs=2))
view = View(metric="Largest dL/dz")
assert view.metric in VIEW_CONTROLS["metric"].options and view.diagnostic.name == "largest"
assert history.measures["largest"].shape == history.measures["delta"].shape
assert ",largest" in history_csv(history).splitlines()[0]
""")


def test_a_setting_is_one_field():
    house("""
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.choices.own_data import MAX_ROWS
from explorer.diagnosis.wording import difference, summary
from explorer.sharing.notebook import constructor
from explorer.sharing.saved import experiment_json, read_experiment_json
from explorer.sweeps.sweep import AXES
from explorer.training.run import Training
from explorer.ui import link
from explorer.ui.keys import settings_by_key

base = Experiment(depth=3, epochs=5, runs=2)
new = base.but(warmth=2)
assert settings_by_key()["warmth"].label == "Warmth" and AXES["warmth"] == (0.0, 1.0, 2.0)
assert link.decode(link.encode(new), None) == new
assert read_experiment_json(experiment_json(new).encode()).experiment == new
assert "warmth=2.0" in constructor(new)
assert difference(base, new) == ["warmth 2"] and new != base
assert summary(new) == f"{summary(base)} · warmth 2"
assert new.shape_key() == base.shape_key() and new.at_start() == base.at_start()
assert len(Training(base, new).experiments) == 2
try:
    base.but(warmth=10)
except ValueError as error:
    assert "warmth must be a number from 0 to 9" in str(error)
else:
    raise AssertionError("an impossible value was taken")
""")


def test_a_page_is_one_file_and_one_line(monkeypatch):
    """Here an entry in memory: it is found in the menu and in the link."""
    monkeypatch.chdir(ROOT)
    control = Number(group=VIEW, label="Heat", help="How warm.", low=0, high=9, default=1)
    weather = Page(title="Weather", path="weather", show=lambda: st.header("Sunny"), controls={"heat": control})
    monkeypatch.setattr("pages.PAGES", (*PAGES, weather))
    app = AppTest.from_file("../app.py", default_timeout=60)
    app._page_hash = calc_hash("weather")
    app.query_params["heat"] = "99"
    app.run()
    assert not app.exception
    assert app.main.header[0].value == "Sunny"
    assert "heat must be a number from 0 to 9" in app.warning[0].value.replace("= '99': heat", "heat")
