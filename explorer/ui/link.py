"""The link: its settings are checked, the baseline is written into it as text, and it leads others here where it can."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import streamlit as st

from explorer.choices.controls import Choice, Control, Number
from explorer.choices.datasets import OWN, Data
from explorer.choices.settings import Settings
from explorer.sharing.saved import Saved, read_experiment_json
from explorer.stories.scenarios import OPENING
from explorer.training.kinds import LAYERS, Kind, kind_of
from explorer.ui.between_pages import GO_KEY, answered, go_to, set_values
from explorer.ui.keys import BASELINES, keys_of
from explorer.ui.plain_text import verbatim
from explorer.ui.private import read_address_again

SCHEMA, EARLIER = "2", ("1",)
UNPINNED = "none"
# A whole experiment as JSON, read once: then its settings stand in the link as any others.
EXPERIMENT_KEY = "experiment"
# Where a person's own data are kept for the visit.
DATA_KEY = "_own_data"
# Streamlit's own parameters, and ours that are not settings.
NOT_SETTINGS = {"v", "embed", "embed_options", *BASELINES, EXPERIMENT_KEY}
MAX_SHOWN = 60
NOTICE_KEY = "_link_notice"

_keeper = st.components.v2.component(
    "explorer_link_keeper", html="<i hidden></i>", js=Path(__file__).with_name("link.js").read_text(encoding="utf-8")
)


def check_link(
    shown: Kind | None, controls: Mapping[str, Control], read: Callable[[Mapping[str, str]], Mapping[str, str]] = dict
) -> None:
    """Remove invalid parameters from the address before widgets read it, and report them until a setting changes.

    Streamlit would drop most of them silently, and fails on some: a whole number of 400 digits. `shown` is the kind whose
    experiments the present page shows, None where it has settings of its own; `controls` are all by key, and `read` says
    an earlier link as the page's links say it now.
    """
    _modernize(read)
    problem = _open_from_address(shown)
    problems = complaints(controls) | ({EXPERIMENT_KEY: problem} if problem else {})
    # Before a person has chosen anything, all that is asked is the link's.
    if shown and NOTICE_KEY not in st.session_state:
        problems |= _unfit(shown, {name: text for name, text in st.query_params.items() if name not in problems})
    if problems:
        st.session_state[NOTICE_KEY] = list(problems.values())
        _discard(problems)
    _rewrite(controls)
    for sentence in st.session_state.get(NOTICE_KEY, []):
        st.warning(sentence, icon=":material/link_off:")


def _discard(names: Iterable[str]) -> None:
    """Remove parameters from the address."""
    read_address_again(without=names)
    st.query_params["v"] = SCHEMA


def _modernize(read: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
    """Write the address of an earlier version as links are written now."""
    asked = dict(st.query_params.items())
    meant = read(asked)
    if meant != asked:
        for name in asked.keys() - meant.keys():
            del st.query_params[name]
        st.query_params.update({name: text for name, text in meant.items() if asked.get(name) != text} | {"v": SCHEMA})
        read_address_again()


def _rewrite(controls: Mapping[str, Control]) -> None:
    """Write every value as its widget writes it, 2 as 2.0 and relu as ReLU: otherwise the widget would not recognize it."""
    changed = {}
    for name, said in st.query_params.items():
        control = controls.get(name)
        if isinstance(control, Choice | Number) and said and said != (text := str(control.parse(name, said))):
            changed[name] = text
    if changed:
        st.query_params.update(changed)
        read_address_again()


def _open_from_address(shown: Kind | None) -> str | None:
    """Open an experiment that the address holds as JSON, once; return what is wrong with it, if anything."""
    text = st.query_params.get(EXPERIMENT_KEY)
    if text is None:
        return None
    try:
        saved = read_experiment_json(text.encode("utf-8", "replace"), st.session_state.get(DATA_KEY))
    except ValueError as error:
        _discard([EXPERIMENT_KEY])
        return f"The experiment in the link cannot be opened: {verbatim(error)}."
    keys, controls = keys_of(kind_of(saved.experiment)), saved.experiment.controls()
    open_saved(saved, shown)
    # After it, as this run may end at any of these lines: then the next one reads the address once more. The experiment
    # sets all that is removed here: other values in the address do not count.
    _discard([EXPERIMENT_KEY, *([keys.baseline] * saved.pins), *(f"{keys.prefix}{name}" for name in controls)])
    if GO_KEY in st.session_state:
        return None
    # Widgets write a value into the address only when a person changes it.
    changed = saved.experiment.settings(changed_only=True)
    st.query_params.update({f"{keys.prefix}{name}": str(value) for name, value in changed.items()})
    if saved.pins and st.session_state[keys.baseline]:
        st.query_params[keys.baseline] = st.session_state[keys.baseline]
    read_address_again()
    return None


def open_saved(saved: Saved, shown: Kind | None) -> None:
    """Set every control to a saved experiment, and the baseline if it says one; before widgets are made.

    From a page that shows no experiments of its kind the app goes to one that does.
    """
    forget_notice()
    kind = kind_of(saved.experiment)
    keys, settings = keys_of(kind), saved.experiment.settings()
    set_values({f"{keys.prefix}{name}": value for name, value in settings.items()})
    if saved.pins:
        set_values({keys.baseline: encode(saved.baseline)})
    if kind is not shown:
        go_to(keys.home)


def present_link() -> str:
    """Return the address of what is shown, as others open it; empty if the browser has not sent it."""
    url = st.context.url
    settings = {name: st.query_params.get_all(name) for name in st.query_params}
    return f"{present_root().leads_to(url)}?{urlencode(settings | {'v': SCHEMA}, doseq=True)}" if url else ""


def lead_out() -> None:
    """Draw the line that leads from a figure inside another page to the whole app."""
    st.caption(f"[Open in Gradient Explorer]({present_link()})")


def forget_notice() -> None:
    """Remove the message about the link; for callbacks."""
    st.session_state[NOTICE_KEY] = []


def keep_link(page: str) -> None:
    """Keep the schema version in the address, and one step of the browser's history for each action of a person.

    Where the app goes to another page, the browser goes there: `st.switch_page` refuses to while settings are bound to
    the link. `page` is the title of the present one.
    """
    # Also after each report: Streamlit may have written the address again then, without the version.
    state = f"{page} {answered()} {sorted(st.query_params.items())}"
    go = st.session_state.get(GO_KEY)
    # Anew in every run until it is there: a message may be lost where one run follows another quickly.
    when = f"{state} {time.monotonic_ns()}" if go else state
    _keeper(key="_link_keeper", data={"version": SCHEMA, "page": page, "when": when, "go": go})


def complaints(controls: Mapping[str, Control]) -> dict[str, str]:
    """Return one sentence for every invalid setting in the present address, by name."""
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    problems = {name: _complaint(name, texts, controls.get(name)) for name, texts in asked.items()}
    return {name: problem for name, problem in problems.items() if problem}


def _complaint(name: str, texts: list[str], control: Control | None) -> str | None:
    if name == "v" and texts[-1] not in (SCHEMA, *EARLIER):
        version = verbatim(texts[-1], MAX_SHOWN)
        return f"The link says it is of version {version}; this app writes version {SCHEMA} and reads what it knows."
    if name in NOT_SETTINGS:
        return None
    if control is None:
        return f"The link has a setting called {verbatim(name, MAX_SHOWN)}, which does not exist; it is ignored."
    try:
        control.parse_all(name, texts)
    except ValueError as error:
        return f"{verbatim(error)}. The default, {control.default}, is used."
    return None


def _unfit(kind: Kind, asked: Mapping[str, str]) -> dict[str, str]:
    """Return one sentence for each valid setting of a link that does not fit the task, by name."""
    controls, prefix = kind.experiment.controls(), keys_of(kind).prefix
    settings = {
        name: control.parse(name, asked.get(f"{prefix}{name}", str(control.default)))
        for name, control in controls.items()
    }
    tasks = controls["task"].options  # type: ignore[attr-defined]
    return {
        f"{prefix}{name}": f"{name} = {settings[name]!r} needs another task than {settings['task']!r}: "
        f"{', '.join(task for task in tasks if name not in kind.experiment.unfit(settings | {'task': task}))}. "
        f"The default, {default}, is used."
        for name, default in kind.experiment.unfit(settings).items()
    }


# --- the baseline ------------------------------------------------------------------------------


def encode(experiment: Settings | None) -> str:
    """Write a baseline as the text of the link: only what differs from the opening example; None is nothing pinned.

    The empty text stands for the opening example of layers. For recurrent nets it means that nothing is pinned, so that
    their text always names one setting.
    """
    if experiment is None:
        return UNPINNED
    settings = experiment.settings(changed_only=True)
    if not settings and not kind_of(experiment).opens_pinned:
        settings = {"task": experiment.task}
    return ";".join(f"{name}:{value}" for name, value in settings.items())


def decode(text: str, data: Data | None, kind: Kind = LAYERS) -> Any:
    """Read what `encode` wrote: an experiment of the kind asked for; None where nothing is pinned.

    A ValueError says what is wrong and what is allowed.
    """
    if text == UNPINNED or not (text or kind.opens_pinned):
        return None
    if not text:
        return OPENING
    pairs = [part.partition(":") for part in text.split(";")]
    settings = {name: value for name, _, value in pairs}
    own = kind.takes_own_data and settings.get("task", "").casefold() == OWN
    if own and data is None:
        raise ValueError("the baseline is on somebody's own data, which a link does not carry: load the CSV first")
    return kind.experiment.from_strings(settings, **({"data": data} if own else {}))


def pinned(text: str, task: str, data: Data | None, kind: Kind = LAYERS) -> tuple[Any, str | None]:
    """Return the baseline of an experiment with this task and, if the link's text is invalid, a sentence that says why.

    The opening example, which nobody pinned, says nothing of another task.
    """
    try:
        baseline = decode(text, data, kind)
    except ValueError as error:
        return None, f"The baseline in the link cannot be used: {verbatim(error)}."
    return (None if not text and baseline is not None and baseline.task != task else baseline), None


# --- where others find the app ---------------------------------------------------------------------

# The variable of the environment that names the address that others open, as behind a proxy.
ADDRESS = "GRADIENT_EXPLORER_ADDRESS"
HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Root:
    """The address of the whole app, and whether other computers can open it."""

    address: str  # Without a slash at its end
    for_others: bool

    def leads_to(self, url: str) -> str:
        """Return the address of the page that a browser has open at `url`."""
        return f"{self.address}/{_parts(url).path.rpartition('/')[2]}"


def present_root() -> Root:
    """Return the app's address as it goes into links, slides and QR codes: the first of these that there is.

    What the setting says; what the browser came by, unless that is this computer's name for itself; this computer's
    address on the network, if the server listens there; else what the browser came by, for this computer only.
    """
    return root_of(
        st.context.url or "",
        setting=os.environ.get(ADDRESS, ""),
        listens=st.get_option("server.address") or "",
        port=st.get_option("server.port"),
    )


def root_of(url: str, *, setting: str = "", listens: str = "", port: int = 8501) -> Root:
    """Return the address of the whole app; `url` is that of a page, and `listens` what the server was told to listen at."""
    if set_to := _checked(setting):
        return Root(set_to, True)
    came_by = _parts(url)
    folder = came_by.path.rpartition("/")[0]
    if came_by.hostname and not _is_own_name(came_by.hostname):
        return Root(f"{came_by.scheme}://{came_by.netloc}{folder}", True)
    if listens not in HERE and (own := own_address()):
        return Root(f"{came_by.scheme or 'http'}://{own}:{port}{folder}", True)
    return Root(f"{came_by.scheme}://{came_by.netloc}{folder}" if came_by.netloc else f"http://localhost:{port}", False)


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # not even the form of an address
        return urlsplit("")


def _is_own_name(host: str) -> bool:
    """Whether a name means this computer only, to whoever says it."""
    return host.rstrip(".") in (*HERE, "0.0.0.0", "::") or host.startswith("127.")


@cache
def _checked(setting: str) -> str:
    """Return the setting if it is an address; otherwise say once what is wrong with it."""
    parts = _parts(setting.strip())
    if parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment:
        return setting.strip().rstrip("/")
    if setting:
        logging.getLogger(__name__).warning(
            "%s = %r is no address and is ignored; it takes one such as https://explorer.example.org", ADDRESS, setting
        )
    return ""


def own_address() -> str:
    """Return this computer's address on its network; empty if it is on none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of no one: RFC 5737 keeps it for examples
        except OSError:
            return ""
        own = str(probe.getsockname()[0])
    return "" if own.startswith(("127.", "0.")) else own
