"""What is translated fits its page: every message of a catalogue stands there, has a translation, and keeps its markup."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from markdown_it import MarkdownIt

pytestmark = pytest.mark.xdist_group("book")
HOME = Path(__file__).parents[2] / "book" / "locale" / "zh_CN" / "LC_MESSAGES"
CATALOGUES = sorted(HOME.rglob("*.po"))


def messages(path):
    with path.open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


@pytest.fixture(scope="module")
def extracted(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gettext")
    ran = build(folder, "-b", "gettext", "-D", "nb_execution_mode=off")
    assert ran.returncode == 0, ran.stderr
    return folder


def marks(text):
    """Code, formulas and emphasis, which a translation keeps."""
    tokens = [child.type for token in MarkdownIt().parseInline(text) for child in token.children]
    emphasis = tokens.count("strong_open"), tokens.count("em_open")
    return emphasis, sorted(re.findall(r"`[^`]*`|\$[^$]+\$|</?\w+", text))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_fits_its_page(path, extracted):
    page = path.relative_to(HOME).with_suffix(".pot")
    known = messages(path)
    assert set(known) == set(messages(extracted / page))
    for source, message in known.items():
        assert message.string, source
        assert not message.fuzzy, source
        if re.search(r"[A-Za-z]{2,}", source):
            assert marks(message.string) == marks(source), source
