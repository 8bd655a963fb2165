import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import xml_translate

ROOT = Path(__file__).parent.parent
#: A term that is a piece of a sentence begins, or ends, so.
BEGINS = re.compile(r"^[,.;:)]|^(and|or|of|for|to|is|are|was|were|on|from)\b")
ENDS = re.compile(
    r"[,(]$|\b(of|on|in|for|with|the|a|an|to|from|by|at|is|are|and|or|than)$"
)
TAGS = re.compile(r"<[^>]*>")
#: Whole all the same: labels, and what stands between two fields of the settings.
WHOLE = {
    *("Charged by", "Paid for", "Paid support is on", "Sent on", "Switch on"),
    *("for the term", "incidents, from"),
}


def piece(term):
    """Return whether a term is a piece of a sentence.

    Placeholders, and what is written within a template, count as words.
    """
    words = " ".join(TAGS.sub("", term).split())
    if words in WHOLE or not any(map(str.isalpha, words)):
        return False
    return bool(BEGINS.search(words) or ENDS.search(words))


@tagged("post_install", "-at_install")
class TestSentences(TransactionCase):
    """R11.4: languages order words in their own way, so sentences are translated as a
    whole. What is put into one is a part of it: in code by its name; in a template it
    is marked by the class ``o_translate_inline``, with an example inside."""

    def terms(self, arch):
        found = []
        xml_translate(found.append, arch)
        return found

    def test_pieces_are_found(self):
        """What the guard is for, and what it lets pass."""
        pieces = (
            '<p>It ends on <t t-out="day"/>, unless you renew it.</p>',
            '<p><t t-out="number"/> is paid.</p>',
            '<h1>Extra incidents for <t t-out="plan"/></h1>',
        )
        for arch in pieces:
            self.assertTrue(any(map(piece, self.terms(arch))), arch)
        for arch in (
            '<p>It ends on <b class="o_translate_inline" t-out="day">May 3</b>.</p>',
            '<p><bdi class="o_translate_inline" t-out="number">S42</bdi> is paid.</p>',
        ):
            self.assertEqual(len(self.terms(arch)), 1)
            self.assertFalse(any(map(piece, self.terms(arch))), arch)

    def test_templates(self):
        """Every page, form and list of this module."""
        found = set()
        for path in ROOT.glob("*/*.xml"):
            if path.parent.name not in ("views", "wizards", "report"):
                continue
            for term in self.terms(path.read_text().partition("?>")[2].strip()):
                if piece(term):
                    found.add(f"{path.name}: {' '.join(term.split())}")
        self.assertEqual(sorted(found), [])
