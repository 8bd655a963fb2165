"""What gives incidents and takes them back: causes (R3.4), and managers (R7)."""

from dataclasses import dataclass
from datetime import date

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, formatLang

from ...fields import MAX_INCIDENTS


@dataclass(frozen=True)
class Cause:
    """What should have been given by now, and why (R3.4).

    With a window it is given as a period allotment, without one as lifetime incidents.
    """

    #: the ``helpdesk.incident.account`` to give to
    account: models.BaseModel
    #: what it is, as "payment:12"; the same for ever
    key: str
    #: how many incidents should have been given by now, of them all
    target: int
    #: a kind of R3.2 for the entries that give; with a window it keeps its first one
    kind: str
    #: why, in words that the customer understands
    name: str
    #: the document it comes from, if any
    source: models.BaseModel | None = None
    #: why it is taken back, if it is; by default ``name``
    taken: str = ""
    #: first and last day of validity, inclusive
    date_from: date | None = None
    date_to: date | None = None
    #: the last day of its own period, where what is unused then is carried over to
    #: ``date_to`` (R15.3)
    date_period_to: date | None = None


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _settle(self, causes):
        """Write the difference between what causes should have given and have given.

        Doing so twice changes nothing; a lower target takes back, a higher one gives
        again, in the same window (R3.4). At most the unused incidents of a period
        allotment are taken back (R3.5).

        :param list[Cause] causes: if several have the same key, the last one says what
            should have been given in the end, and those before it are the steps that
            led there; each period occurs only once.
        :return: the number of entries written.
        :rtype: int
        """
        if any(abs(cause.target) > MAX_INCIDENTS for cause in causes):
            raise UserError(self._too_many_message())
        accounts = self.union(*(cause.account for cause in causes)).sudo()
        # What is due is granted with the new targets, what has ended is closed
        # before anything is taken back.
        count = accounts._lock()._open_and_close()
        period_causes = [cause for cause in causes if cause.date_from]
        if period_causes:
            self._set_targets(period_causes)
            count += self._post_lines(self._revocation_lines(period_causes))
            count += accounts._due()._open_and_close(by_time=False)
        return count + self._post_lines(
            self._lifetime_lines([c for c in causes if not c.date_from])
        )

    def _adjust(self, quantity, name, cause_key=None, source=None):
        """Give lifetime incidents by hand, or take them back (R7).

        :param int quantity: incidents, below zero to take back.
        :param str name: why, in the customer's words.
        :param str cause_key: the same key for a repeated call, so that it counts once;
            by default each call counts.
        :param source: the document it comes from, if any.
        :raise UserError: if more would be taken back than was ever given.
        :return: the number of entries written.
        """
        self._lock()
        keys = {
            account: f"{cause_key}:{account.id}"
            if cause_key
            else f"adjustment:{account.id}"
            for account in self
        }
        given = {} if cause_key else self._given(keys.values())
        count = self._settle(
            [
                Cause(
                    account=account,
                    key=key,
                    target=given.get((key, account.id), 0) + quantity,
                    kind="adjustment",
                    name=name,
                    source=source,
                )
                for account, key in keys.items()
            ]
        )
        # Do not read the fields: while one of them is being written, the ORM reads it
        # as zero.
        numbers = self._numbers() if count else {}
        for account in self if count else []:
            granted = numbers[account.id]["lifetime_granted"]
            if quantity < 0 and granted < 0:
                raise UserError(
                    self.env._(
                        "%(customer)s was given %(given)s lifetime incidents in all; "
                        "%(quantity)s cannot be taken back.",
                        customer=account.partner_id.display_name,
                        given=granted - quantity,
                        quantity=-quantity,
                    )
                )
            if granted > MAX_INCIDENTS:
                raise UserError(self._too_many_message())
        return count

    def _adjust_to(self, maximum):
        """Adjust the lifetime incidents ever given to ``maximum`` (R7.1).

        :raise UserError: if ``maximum`` is below zero.
        """
        self.ensure_one()
        if maximum < 0:
            raise UserError(
                self.env._("The maximum number of support incidents is zero or more.")
            )
        self._lock()
        difference = maximum - self._numbers()[self.id]["lifetime_granted"]
        if difference:
            self._adjust(
                difference,
                self._in_customer_language().env._(
                    "Maximum number of incidents set to %(maximum)s", maximum=maximum
                ),
            )

    def _has_entry(self, kind):
        """Return whether this account ever had an entry of this kind."""
        return bool(
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search_count([("account_id", "=", self.id), ("kind", "=", kind)], limit=1)
        )

    @api.model
    def _given(self, keys):
        """Return what causes have given so far, by key and id of the account.

        :rtype: dict[tuple[str, int], int]
        """
        if not keys:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT cause_key, account_id, SUM(quantity)::int4
                  FROM helpdesk_incident_entry
                 WHERE cause_key IN %s
                 GROUP BY cause_key, account_id HAVING SUM(quantity) <> 0
                """,
                tuple(keys),
            )
        )
        return {(key, account_id): quantity for key, account_id, quantity in rows}

    @api.model
    def _check_owner(self, key, account_id, owners):
        """
        :raise ValueError: if a cause has given to another account than it now names;
            that account is not locked.
        """
        if account_id != owners[key].id:
            raise ValueError(f"{key} belongs to another account")

    @api.model
    def _lifetime_lines(self, causes):
        owners = {cause.key: cause.account for cause in causes}
        given = self._given(owners)
        accounts = self.union(*(cause.account for cause in causes))
        lifetime = {a.account_id.id: a for a in accounts._lifetime()}
        lines = []
        for cause in causes:
            place = cause.key, cause.account.id
            difference = cause.target - given.get(place, 0)
            if difference:
                lines.append(
                    self._cause_line(cause, lifetime[cause.account.id], difference)
                )
                given[place] = cause.target
        # What moves to another account is taken back at the old one first.
        for (key, account_id), number in given.items():
            if number:
                self._check_owner(key, account_id, owners)
        return lines

    @api.model
    def _set_targets(self, causes):
        """Open the period allotments of ``causes``, or set their targets."""
        values = [
            (
                cause.account.id,
                cause.key,
                cause.date_from,
                cause.date_to,
                cause.date_period_to,
                cause.target,
                None if cause.kind == "period" else cause.kind,
                cause.name,
                cause.source._name if cause.source is not None else None,
                cause.source.id if cause.source is not None else None,
            )
            for cause in causes
        ]
        columns = (
            "account_id cause_key date_from date_to date_period_to target grant_kind "
            "name res_model res_id"
        )
        self.env.execute_query(
            SQL(
                """
                INSERT INTO helpdesk_incident_allotment AS m
                       (%(columns)s, kind, to_grant, granted, used, lapsed, balance,
                        create_uid, create_date, write_uid, write_date)
                SELECT %(columns)s, 'period', target, 0, 0, 0, 0,
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM (VALUES %(values)s) AS v(%(columns)s)
                ON CONFLICT (cause_key) WHERE cause_key IS NOT NULL
                DO UPDATE SET target = EXCLUDED.target,
                              to_grant = GREATEST(EXCLUDED.target - m.granted, 0),
                              write_uid = EXCLUDED.write_uid,
                              write_date = EXCLUDED.write_date
                        WHERE m.target <> EXCLUDED.target
                """,
                columns=SQL(", ").join(map(SQL.identifier, columns.split())),
                values=SQL(", ").join(
                    SQL(
                        "(%s, %s, %s::date, %s::date, %s::date, %s, %s, %s, %s, "
                        "%s::int4)",
                        *row,
                    )
                    for row in values
                ),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self._invalidate_balances()
        owners = {cause.key: cause.account for cause in causes}
        for allotment in (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search([("cause_key", "in", list(owners))])
        ):
            self._check_owner(allotment.cause_key, allotment.account_id.id, owners)

    @api.model
    def _revocation_lines(self, causes):
        by_key = {cause.key: cause for cause in causes}
        allotments = (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search([("cause_key", "in", list(by_key)), ("balance", ">", 0)])
        )
        return [
            self._cause_line(by_key[allotment.cause_key], allotment, -unused)
            for allotment in allotments
            if (unused := min(allotment.balance, allotment.granted - allotment.target))
            > 0
        ]

    @api.model
    def _cause_line(self, cause, allotment, difference):
        taken_back = difference < 0 and cause.kind != "adjustment"
        return {
            "account_id": cause.account.id,
            "allotment_id": allotment.id,
            "date": cause.account.company_id._incident_today(),
            "kind": "revocation" if taken_back else cause.kind,
            "quantity": difference,
            "cause_key": cause.key,
            "res_model": cause.source._name if cause.source is not None else None,
            "res_id": cause.source.id if cause.source is not None else None,
            "name": taken_back and cause.taken or cause.name,
        }

    @api.model
    def _too_many_message(self):
        return self.env._(
            "A customer can be given at most %(limit)s incidents.",
            limit=formatLang(self.env, MAX_INCIDENTS, digits=0),
        )
