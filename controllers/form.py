"""Forms that are shown once more, with what was typed."""

from lxml import html
from markupsafe import Markup, escape

from .parse import typed

#: What nobody has typed.
NOT_TYPED = {"button", "file", "image", "password", "reset", "submit"}


def sent_values(pairs):
    """Return what a form has sent, without what no text is.

    :param pairs: the name and the value of each field; nothing in them can be trusted.
    :return: a list of texts for each name.
    :rtype: dict[str, list[str]]
    """
    values = {}
    for name, value in pairs:
        if isinstance(value, str):
            values.setdefault(typed(name), []).append(typed(value))
    return values


def filled(form, values, sent=True):
    """Return a form with what was typed into it, whichever add-on brings its fields
    (R11.2). What is no choice any more is not chosen.

    :param Markup form: what was rendered.
    :param dict values: a list of texts for the name of each field.
    :param bool sent: whether these are all values of the form: a box that is not among
        them was not ticked.
    :rtype: Markup
    """
    if not values:
        return form
    root = html.fragment_fromstring(str(form), create_parent="div")
    left = {name: [typed(text) for text in texts] for name, texts in values.items()}
    for field in root.iter("input", "select", "textarea"):
        name = field.get("name")
        kind = field.get("type", "text").lower() if field.tag == "input" else field.tag
        if kind in ("checkbox", "radio"):
            if name in values or sent:
                _mark(field, "checked", _value(field) in values.get(name, []))
        elif not left.get(name):
            continue
        elif kind == "select":
            _choose(field, left[name])
        elif kind == "textarea":
            text = left[name].pop(0)
            # Browsers drop the first line break of a text area.
            field.text = f"\n{text}" if text[:1] in ("\r", "\n") else text
        elif kind == "hidden":
            # A value of the page, such as a token, stays.
            field.set("value", field.get("value") or left[name].pop(0))
        elif kind not in NOT_TYPED:
            field.set("value", left[name].pop(0))
    inner = (html.tostring(child, encoding="unicode") for child in root)
    return escape(root.text or "") + Markup("".join(inner))


def _choose(select, texts):
    options = list(select.iter("option"))
    if {_value(option) for option in options} & set(texts):
        for option in options:
            _mark(option, "selected", _value(option) in texts)


def _value(field):
    value = field.get("value")
    if value is None:
        value = "on" if field.tag == "input" else " ".join(field.text_content().split())
    return value


def _mark(field, name, on):
    if on:
        field.set(name, name)
    elif name in field.attrib:
        del field.attrib[name]
