"""Opening balances from a file (R21.4), by Odoo's own *Import records*."""

from odoo import api, models
from odoo.exceptions import UserError

#: A file with more wrong lines than this is another file: the rest is not named.
MOST_ERRORS = 100


class HelpdeskIncidentOpening(models.Model):
    _inherit = "helpdesk.incident.opening"

    @api.model
    def get_import_templates(self):
        """Override of `base_import`."""
        return [
            {
                "label": self.env._("Import Template for Opening Balances"),
                "template": "/helpdesk_paid_support/static/csv/opening_balances.csv",
            }
        ]

    @api.model
    def load(self, fields, data):
        """Override: every wrong line is named, where Odoo stops after ten: what is left
        is tried without those that are named. Nothing is written while one is wrong."""
        fields, data = self._found_once(fields, data)
        result = super().load(fields, data)
        rows, errors = range(len(data)), self._errors(result)
        if not errors:
            return result
        messages = list(errors.values())
        while errors and len(messages) < MOST_ERRORS:
            rows = [row for number, row in enumerate(rows) if number not in errors]
            with self.env.cr.savepoint() as savepoint:
                more = super().load(fields, [data[row] for row in rows])
                savepoint.rollback()
            errors = self._errors(more)
            messages += [
                {
                    **message,
                    "record": rows[number],
                    "rows": {"from": rows[number], "to": rows[number]},
                }
                for number, message in errors.items()
            ]
        return {**result, "messages": messages}

    @api.model
    def _found_once(self, fields, data):
        """Return the same lines with ids of customers and plans, where each name stands
        for one: Odoo looks it up in each line, which takes most of the time.

        :rtype: tuple[list[str], list[list[str]]]
        """
        fields, data = list(fields), [list(line) for line in data]
        for name in {"partner_id", "product_id"} & set(fields):
            column, model = (
                fields.index(name),
                self.env[self._fields[name].comodel_name],
            )
            found = {
                value: model.name_search(value, operator="=", limit=2)
                for value in {line[column] for line in data}
            }
            if all(value and len(found[value]) == 1 for value in found):
                fields[column] = f"{name}/.id"
                for line in data:
                    line[column] = str(found[line[column]][0][0])
        return fields, data

    @api.model
    def _errors(self, result):
        """Return what is wrong with lines, by their numbers: the first error of each,
        from which others may follow.

        :param dict result: what ``load`` returns.
        :rtype: dict[int, dict]
        """
        errors = {}
        for message in result["messages"]:
            if message["type"] == "error" and "rows" in message:
                errors.setdefault(message["rows"]["from"], message)
        return errors

    def _load_records(self, data_list, update=False):
        """Override: when several lines fail together Odoo blames the first one for what
        is wrong with another. It tries each by itself, and that says it."""
        try:
            return super()._load_records(data_list, update)
        except UserError as error:
            if len(data_list) == 1:
                raise
            raise ValueError("one of these lines is wrong") from error
