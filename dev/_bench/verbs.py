"""The deduction by the verb alone, beside the least that SQL could do."""

from odoo.tools import SQL

from .loyalty import Deduct
from .measure import Benchmark

#: What each ticket takes: all of a month, and some lifetime incidents.
TAKEN = (3, 2)


class DeductTwo(Deduct):
    """Deductions for new tickets, which are in the cache, each from two allotments."""

    taken = TAKEN
    is_new = True

    def __init__(self):
        super().__init__(months=1)

    def make_one_ready(self, env, item):
        ticket = env["helpdesk.ticket"].browse(item[1]).sudo()
        ticket._incident_holder()
        ticket._incident_label()


class RawSql(DeductTwo):
    """The same numbers and entries, for who knows already what to take from where: one
    conditional update and two inserts, in one statement. It sees neither what is due
    nor what has ended, numbers no causes, and locks no account."""

    def prepare(self, env):
        items = super().prepare(env)
        allotments = dict.fromkeys(account_id for account_id, _ticket in items)
        for allotment in env["helpdesk.incident.allotment"].search(
            [("account_id", "in", list(allotments))], order="kind desc"
        ):
            account_id = allotment.account_id.id
            allotments[account_id] = (*(allotments[account_id] or ()), allotment.id)
        return [(allotments[account_id], ticket) for account_id, ticket in items]

    def run_one(self, env, item):
        (month, lifetime), ticket = item
        entry = """
            INSERT INTO helpdesk_incident_entry
                   (account_id, allotment_id, date, kind, effect, quantity, cause_key,
                    cause_number, res_model, res_id, ticket_id, name, user_id,
                    create_uid, create_date, write_uid, write_date)
            SELECT account_id, id, CURRENT_DATE, 'deduction', 'uses', -taken,
                   'ticket:' || %(ticket)s, {number}, 'helpdesk.ticket', %(ticket)s,
                   %(ticket)s, 'Ticket', 1, 1, now(), 1, now()
              FROM moved WHERE id = %({allotment})s
        """
        [(moved,)] = env.execute_query(
            SQL(
                f"""
                WITH moved AS (
                    UPDATE helpdesk_incident_allotment m
                       SET used = m.used + v.taken, balance = m.balance - v.taken,
                           write_uid = 1, write_date = now()
                      FROM (VALUES (%(month)s, %(of_month)s),
                                   (%(lifetime)s, %(of_lifetime)s)) AS v(id, taken)
                     WHERE m.id = v.id AND m.balance >= v.taken
                    RETURNING m.id, m.account_id, v.taken
                ),
                first AS ({entry.format(number=1, allotment="month")}),
                second AS ({entry.format(number=2, allotment="lifetime")})
                SELECT COUNT(*) FROM moved
                """,
                month=month,
                of_month=TAKEN[0],
                lifetime=lifetime,
                of_lifetime=TAKEN[1],
                ticket=ticket,
            )
        )
        assert moved == 2


def benchmarks(env):
    yield Benchmark(
        "a deduction from two allotments",
        "one conditional UPDATE and two INSERTs, in raw SQL",
        2,
        DeductTwo(),
        RawSql(),
    )
