"""Everybody at once on one account: what they were told is what the ledger says."""

import time

from .campaign import Campaign


class Races(Campaign):
    def run(self):
        """Let everybody work, and look at what came of it, now and then.

        :return: whether nothing was wrong.
        """
        answers, options = self.load.answers, self.options
        end = time.monotonic() + options.minutes * 60
        while answers.total() < options.number and time.monotonic() < end:
            part = min(answers.total() + max(options.number // 10, 50), options.number)
            start = time.monotonic()
            self.load.start(part, end - time.monotonic())
            self.load.join()
            self.seconds += time.monotonic() - start
            self.check(f"after {answers.total():,}")
            print(f"• {answers.total():,} operations", flush=True)
        if answers.total() < options.number:
            self.found.append(
                f"{answers.total():,} of {options.number:,} operations in time"
            )
        if lost := answers.total("lost"):
            self.found.append(f"{lost:,} operations without a clean answer")
        return self.report()
