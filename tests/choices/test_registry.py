import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.datasets import DATASETS
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.registry import Entry, registry
from explorer.training.measures import DIAGNOSTICS

REGISTRIES = {
    "activations": ACTIVATIONS,
    "clippers": CLIPPERS,
    "datasets": DATASETS,
    "diagnostics": DIAGNOSTICS,
    "initializers": INITIALIZERS,
    "losses": LOSSES,
    "normalizations": NORMALIZATIONS,
    "optimizers": OPTIMIZERS,
}
ENTRIES = [
    pytest.param(name, entry, id=f"{kind}: {name}")
    for kind, table in REGISTRIES.items()
    for name, entry in table.items()
]


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_an_entry_is_found_under_its_own_name(name, entry):
    assert entry.name == name == str(entry)


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_an_entry_explains_itself_in_a_sentence(name, entry):
    assert entry.caption.strip()[-1] in ".!?"
    assert len(entry.caption) >= 15


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_an_entry_cannot_be_changed(name, entry):
    with pytest.raises(AttributeError):
        entry.caption = "something else"


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_a_name_survives_a_link(name, entry):
    assert name == name.strip()
    assert not set(name) & set("&=?#%+;/")


@pytest.mark.parametrize("table", REGISTRIES.values(), ids=REGISTRIES.keys())
def test_a_registry_is_read_only(table):
    with pytest.raises(TypeError):
        table["new"] = next(iter(table.values()))


def test_entries_keep_their_order():
    names = ["b", "a", "c"]
    assert list(registry(Entry(name=name, caption="A.") for name in names)) == names


@pytest.mark.parametrize("second", ["same", "SAME", "Same"])
def test_two_entries_of_one_name_are_refused(second):
    with pytest.raises(ValueError, match=second):
        registry([Entry(name="same", caption="A."), Entry(name=second, caption="B.")])
