"""Small mistakes, as people make them: a sign, a bound, an order, a forgotten lock.

Each stands in the code that moves incidents or says how many are due, and the tests
named with it must find it (``dev/mutants``).
"""

from typing import NamedTuple


class Mutation(NamedTuple):
    name: str
    #: what stands once in the code, and what takes its place
    before: str
    after: str
    #: the files of tests that must find it
    tests: tuple[str, ...]


MUTATIONS = [
    # -- what gives ----------------------------------------------------
    Mutation(
        "settle: give the target anew instead of the difference",
        "difference = cause.target - given.get(place, 0)",
        "difference = cause.target",
        ("settle",),
    ),
    Mutation(
        "settle: without the lock",
        "count = accounts._lock()._open_and_close()\n        period_causes",
        "count = accounts._due()._open_and_close()\n        period_causes",
        ("concurrency",),
    ),
    Mutation(
        "settle: revoke one more than what is unused",
        "unused := min(allotment.balance, allotment.granted - allotment.target)",
        "unused := min(allotment.balance, allotment.granted - allotment.target + 1)",
        ("settle", "sale_take_back"),
    ),
    Mutation(
        "settle: a target that rises again grants nothing",
        "to_grant = GREATEST(EXCLUDED.target - m.granted, 0)",
        "to_grant = GREATEST(m.target - m.granted, 0)",
        ("settle",),
    ),
    Mutation(
        "settle: an adjustment is no revocation",
        'taken_back = difference < 0 and cause.kind != "adjustment"',
        "taken_back = difference < 0",
        ("manual",),
    ),
    Mutation(
        "cause: what staff should look at is not said",
        'UserError("\\n".join(problems)) if problems else None',
        "None",
        ("free", "typed_invoice", "pack"),
    ),
    Mutation(
        "check: what a payment remembers is not compared",
        "return _forgotten(\n            self._incident_said(),",
        "return _forgotten(\n            self.browse()._incident_said(),",
        ("ledger_check",),
    ),
    # -- what takes ----------------------------------------------------
    Mutation(
        "use: lifetime incidents before those of the month",
        'for row in rows:\n            taken = min(row["usable"], missing)',
        'for row in reversed(rows):\n            taken = min(row["usable"], missing)',
        ("deduct",),
    ),
    Mutation(
        "use: one more than there is",
        "if left < 0:",
        "if left < -1:",
        ("deduct",),
    ),
    Mutation(
        "use: take without writing first what is due",
        'while any(row["is_due"] for row in rows):',
        "while False:",
        ("deduct", "open_and_close"),
    ),
    Mutation(
        "use: return what was taken first, first",
        "for allotment, taken in reversed(self._taken_by(",
        "for allotment, taken in list(self._taken_by(",
        ("return",),
    ),
    Mutation(
        "use: returned on the last day it has lapsed",
        "if allotment.date_to < today:\n                    lapsed",
        "if allotment.date_to <= today:\n                    lapsed",
        ("return",),
    ),
    Mutation(
        "use: return without the lock",
        "        self._lock()._open_and_close()\n        legs, missing",
        "        self._due()._open_and_close()\n        legs, missing",
        ("concurrency", "return"),
    ),
    # -- what a ticket takes in the end --------------------------------
    Mutation(
        "target: time and submission add up",
        "return max(number, ticket.incident_timed if timed is None else timed)",
        "return number + (ticket.incident_timed if timed is None else timed)",
        ("ticket_target",),
    ),
    Mutation(
        "target: a block that has only begun is free",
        "return -(-minutes // self.incident_block_minutes)",
        "return minutes // self.incident_block_minutes",
        ("ticket_target",),
    ),
    Mutation(
        "target: short by all that it takes",
        "missing -= min(missing, max(account.available, 0))",
        "missing -= missing if account.available >= missing else 0",
        ("ticket_target",),
    ),
    Mutation(
        "target: what has more than it takes keeps it",
        "if target - missing != held:",
        "if target - missing > held:",
        ("ticket_target", "ticket_outcome"),
    ),
    Mutation(
        "target: time counts beside a number set by hand",
        "            return ticket.incident_chosen\n",
        "            return max(ticket.incident_chosen, ticket.incident_timed)\n",
        ("ticket_target",),
    ),
    Mutation(
        "target: a number set by hand leaves it short",
        "incident_chosen=number)\n        ticket._incident_note_short(0)",
        "incident_chosen=number)",
        ("ticket_target",),
    ),
    Mutation(
        "target: what waits notes what it holds",
        '                    if ticket.incident_parking == "parked"\n'
        "                    else ticket._incident_holds(),",
        "                    if False\n"
        "                    else ticket._incident_holds(),",
        ("ticket_outcome",),
    ),
    Mutation(
        "target: what has waited is submitted for its time only",
        "if self.incident_basis:\n            number = self.team_id",
        "if False:\n            number = self.team_id",
        ("ticket_target", "ticket_outcome"),
    ),
    Mutation(
        "target: a duplicate takes nothing whatever its company says",
        "if marked != self.incident_is_duplicate and (free or not marked):",
        "if marked != self.incident_is_duplicate:",
        ("ticket_target",),
    ),
    Mutation(
        "outcome: one that is charged takes nothing",
        "return bool(outcome) and not outcome.charged",
        "return bool(outcome)",
        ("ticket_outcome",),
    ),
    Mutation(
        "outcome: what comes back lapses",
        "return self._incident_has_free_outcome() or super()._incident_keeps_ended()",
        "return super()._incident_keeps_ended()",
        ("ticket_outcome",),
    ),
    Mutation(
        "outcome: a stage takes the place of another one",
        "if outcome and not ticket._incident_has_free_outcome():",
        "if outcome:",
        ("ticket_outcome",),
    ),
    Mutation(
        "outcome: what was answered is returned, too",
        "and not any(m._incident_is_answer() for m in ticket.message_ids)",
        "",
        ("ticket_outcome",),
    ),
    Mutation(
        "outcome: a note is an answer",
        "            and not self.is_internal\n"
        "            and not self.subtype_id.internal\n",
        "",
        ("ticket_outcome",),
    ),
    Mutation(
        "outcome: whoever answers takes nothing",
        "        if message.sudo()._incident_is_answer():\n"
        "            self.sudo()._incident_go_on()\n",
        "",
        ("ticket_outcome",),
    ),
    # -- time ----------------------------------------------------------
    Mutation(
        "time: a period ends a day early",
        "m.balance <> 0 AND m.date_to < today.day",
        "m.balance <> 0 AND m.date_to <= today.day",
        ("open_and_close",),
    ),
    Mutation(
        "time: a period begins a day late",
        "m.to_grant <> 0 AND m.date_from <= today.day",
        "m.to_grant <> 0 AND m.date_from < today.day",
        ("open_and_close",),
    ),
    Mutation(
        "time: what ends is dated today",
        'ended = SQL("m.date_to" if by_time else "today.day")',
        'ended = SQL("today.day")',
        ("open_and_close",),
    ),
    Mutation(
        "time: a month counts from the month before",
        "return anchor + relativedelta(months=number)",
        "return anchor + relativedelta(months=number, days=1 if number > 9 else 0)",
        ("periods", "subscription"),
    ),
    # -- what is paid --------------------------------------------------
    Mutation(
        "paid: a payment that was reset counts",
        "return self.state in EFFECTIVE and (\n"
        '            not self.move_id or self.move_id.state == "posted"\n        )',
        "return self.state in EFFECTIVE",
        ("sale_take_back", "first_payment", "topup"),
    ),
    Mutation(
        "paid: what is nearly paid is paid",
        "if self.currency_id.compare_amounts(amount, price) >= 0",
        "if self.currency_id.compare_amounts(amount + 1, price) >= 0",
        ("sale_paid", "sale_money", "online_payment"),
    ),
    Mutation(
        "paid: credited in part is rounded up",
        "floor(total * quantity / ordered) - floor(total * credited / ordered)",
        "floor(total * quantity / ordered) + floor(-total * credited / ordered)",
        ("sale_take_back", "sale_money"),
    ),
    Mutation(
        "paid: goodwill takes back",
        "        if note.incident_goodwill:\n            return\n        target[0]",
        "        target[0]",
        ("sale_take_back", "sale_money"),
    ),
    Mutation(
        "paid: what credits an invoice has paid for it",
        "        payers -= own\n",
        "",
        ("sale_paid", "sale_money", "sale_take_back"),
    ),
    # -- subscriptions -------------------------------------------------
    Mutation(
        "subscription: the first periods give way first",
        "        for period in self._periods():\n            numbers[period] = min(due",
        "        for period in self._periods()[::-1]:\n"
        "            numbers[period] = min(due",
        ("subscription", "subscription_life", "sale_take_back"),
    ),
    Mutation(
        "subscription: a month that ends today has gone",
        "return sum(last < day for last in days)",
        "return sum(last <= day for last in days)",
        ("subscription_extra", "subscription_change", "subscription_life"),
    ),
    Mutation(
        "subscription: periods of several months overlap",
        "for number in range(first, first + self.months, self.period_months)",
        "for number in range(first, first + self.months)",
        ("period_months",),
    ),
    Mutation(
        "subscription: extra incidents reach beyond the current length",
        "            elif months != length:\n                break\n",
        "",
        ("period_months",),
    ),
    Mutation(
        "carry-over: what is carried over is not late",
        "self._months_before([last for _first, last in self._periods()], day)",
        "self._months_before(map(self._usable_to, self._periods()), day)",
        ("carry_over",),
    ),
    Mutation(
        "carry-over: what ends later is withdrawn",
        "target=number if subscription._is_kept_until(last) else 0",
        "target=number if subscription._is_kept_until(usable_to) else 0",
        ("carry_over",),
    ),
    Mutation(
        "carry-over: a month has one window, whatever the plan",
        'return key if last == usable_to else f"{key}:{usable_to}"',
        "return key",
        ("carry_over",),
    ),
    Mutation(
        "carry-over: what a late change leaves is taken back",
        "                    total[window] += number\n",
        "                    total[window] += 0\n",
        ("carry_over",),
    ),
    Mutation(
        "pack: as lifetime incidents",
        "line.incident_due, *line._incident_window()",
        "line.incident_due",
        ("pack",),
    ),
    Mutation(
        "subscription: a renewal begins on the last paid day",
        "after = self.date_end and self.date_end + timedelta(days=1)",
        "after = self.date_end and self.date_end",
        ("subscription_life", "subscription"),
    ),
    Mutation(
        "subscription: a change credits the month that runs, too",
        "number for (first, _last), number in given.items() if first >= boundary",
        "number for (_f, last), number in given.items() if last >= self._today()",
        ("subscription_change",),
    ),
    # -- late replies --------------------------------------------------
    Mutation(
        "late reply: on the last day on which it is none",
        "return ago.days > team.incident_reopen_days",
        "return ago.days >= team.incident_reopen_days",
        ("ticket_continued",),
    ),
    Mutation(
        "late reply: into the ticket of another customer",
        "return owner <= owners and ticket._incident_has_replies()",
        "return ticket._incident_has_replies()",
        ("ticket_continued",),
    ),
    Mutation(
        "late reply: of two at once both take",
        "other = self._incident_other_reply()",
        "other = self.browse()",
        ("ticket_continued",),
    ),
    Mutation(
        "late reply: to the ticket of somebody else, in the client area",
        "lambda ticket: ticket.closed and ticket._incident_is_own(request.env.user)",
        "lambda ticket: ticket.closed",
        ("ticket_continued_portal",),
    ),
    # -- reminders -----------------------------------------------------
    Mutation(
        "reminder: told again further from the end",
        "AND known.days <= row.days)",
        "AND known.days = row.days)",
        ("reminder_days",),
    ),
    Mutation(
        "reminder: by the largest number that is reached",
        "(SELECT MIN(number) FROM unnest",
        "(SELECT MAX(number) FROM unnest",
        ("reminder_days",),
    ),
    Mutation(
        "reminder: of what has just begun",
        "AND (%(first)s < %(last)s - number OR number = %(least)s))",
        "AND (%(first)s < %(last)s OR number = %(least)s))",
        ("reminder_days",),
    ),
    Mutation(
        "running low: only below the number",
        "if left <= number < before",
        "if left < number < before",
        ("running_low",),
    ),
    Mutation(
        "running low: told again while nothing has come",
        "if left <= number < before",
        "if left <= number <= before",
        ("running_low",),
    ),
    Mutation(
        "running low: though there are more by now",
        "if self.kind in LOW and max(self.account_id.available, 0) > self.quantity:",
        "if self.kind in LOW and False:",
        ("running_low",),
    ),
    Mutation(
        "running low: who has left is told",
        "user.active\n                and not user.share\n",
        "not user.share\n",
        ("running_low",),
    ),
]
