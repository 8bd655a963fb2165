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
        good = self.report()
        lost = answers.total("lost")
        if lost:
            print(f"WITHOUT A CLEAN ANSWER: {lost}")
        failed = [text for text in self.actions.outcomes() if "failed" in text]
        return good and not lost and not failed
