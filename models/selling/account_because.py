"""Why what was bought is taken back, in the customer's words (R3.8, R8.4)."""

from collections import defaultdict

from odoo import models


class Because:
    """In the context, as ``incident_because``: what has just happened. Nobody can send
    this object over RPC."""

    def __init__(self, facts):
        """
        :param list facts: pairs of the id of a customer, and a function that says in
            words what has happened, in the language of the environment that it takes.
        """
        #: the functions by customer: of thousands of orders each is asked for its own
        self.facts = defaultdict(list)
        for customer, words in facts:
            self.facts[customer].append(words)


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _taken_words(self, name):
        """Return why something is taken back from this account, as far as it is known;
        nothing that has happened to other customers.

        :param str name: what is taken back, in the customer's language.
        :rtype: str
        """
        self.ensure_one()
        because = self.env.context.get("incident_because")
        facts = because.facts if isinstance(because, Because) else {}
        own = facts.get(self.partner_id.id)
        if not own:
            return name
        env = self._in_customer_language().env
        return env._(
            "%(why)s – %(what)s",
            why=", ".join(dict.fromkeys(words(env) for words in own)),
            what=name,
        )
