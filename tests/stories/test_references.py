"""References: whatever is cited anywhere stands in the list, in full and once."""

import re
from pathlib import Path

import pytest

from explorer.choices.registry import Entry
from explorer.stories.references import REFERENCES, cited
from tests.test_structure import REGISTRIES

ROOT = Path(__file__).resolve().parents[2]
YEAR = re.compile(r"\b(?:18|19|20)\d\d\b")
# A name, or several, and a year: as a work is cited in running text.
CITATION = re.compile(r"[A-Z][\wéö’]+(?:(?:, [A-Z]\w+)* (?:&|and) [A-Z]\w+| et al\.)? \(?(?:19|20)\d\d\b")
# How texts and comments cite works that the list has under another name.
OTHERWISE = {"Pascanu, Mikolov and Bengio 2013": "Pascanu et al. 2013"}
SOURCES = {
    f"{registry}, {name}": entry.source
    for registry, table in REGISTRIES.items()
    for name, entry in table.items()
    if isinstance(entry, Entry) and entry.source
}


@pytest.mark.parametrize("source", sorted(set(SOURCES.values())))
def test_every_source_leads_to_full_references(source):
    found = cited(source)
    assert found
    assert len(YEAR.findall(source)) == sum(reference.name[-4:].isdigit() for reference in found)


def test_whatever_a_text_or_comment_cites_is_in_the_list():
    files = [*(ROOT / "explorer").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "README.md"]
    found = {name for path in files for name in CITATION.findall(" ".join(path.read_text(encoding="utf-8").split()))}
    assert len(found) > 50
    assert not [name for name in found if not cited(OTHERWISE.get(name, name.replace("(", "")))]


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=str)
def test_every_reference_is_whole(reference):
    assert reference.authors and reference.caption and reference.venue
    assert reference.year == "undated" or reference.year == reference.name[-4:]
    assert reference.link == "" or re.fullmatch(r"https://\S+[^\s.]", reference.link)
    first = reference.name.split()[0].rstrip(",")
    assert first == "CS231n" or reference.authors.startswith(first)
    authors = len(re.findall(r"[A-Z][^,]*, [A-Z]", reference.authors))
    named = 3 if "et al." in reference.name else reference.name.count("&") + reference.name.count(",") + 1
    assert first == "CS231n" or (authors >= named if "et al." in reference.name else authors == named)


def test_references_stand_in_alphabetical_order_and_two_links_never_lead_to_one_place():
    firsts = [reference.authors.split(",")[0].casefold() for reference in REFERENCES.values()]
    assert firsts == sorted(firsts)
    links = [reference.link for reference in REFERENCES.values() if reference.link]
    assert len(links) == len(set(links))


def test_a_name_within_another_is_not_cited():
    assert [reference.name for reference in cited("Le et al. 2015")] == ["Le et al. 2015"]
    assert [reference.name for reference in cited("Kingma & Ba 2015; Wu & He 2018")] == [
        "Kingma & Ba 2015",
        "Wu & He 2018",
    ]
    assert cited("Nobody 2031") == []
