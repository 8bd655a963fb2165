import {registry} from "@web/core/registry";

const FORM = ".o_incident_statement_form";

/** No page is wider than the screen. */
const FITS = {
    content: "Nothing has to be moved sideways",
    trigger: "#wrap",
    run() {
        const {scrollWidth, clientWidth} = document.documentElement;
        const tables = [...document.querySelectorAll("#wrap .table-responsive")];
        if (
            scrollWidth > clientWidth ||
            tables.some((table) => table.scrollWidth > table.clientWidth)
        ) {
            throw new Error(`The page is ${scrollWidth} wide, not ${clientWidth}`);
        }
    },
};

/** Headings go down one level at a time. */
const HEADINGS = {
    content: "Headings are in order",
    trigger: "#wrap h1",
    run() {
        const levels = [...document.querySelectorAll("#wrap :is(h1,h2,h3,h4,h5,h6)")].map(
            (heading) => Number(heading.tagName[1])
        );
        const ordered = levels.every(
            (level, index) => level <= (index ? levels[index - 1] : 0) + 1
        );
        if (!ordered) {
            throw new Error(`Headings are out of order: ${levels}`);
        }
    },
};

registry.category("web_tour.tours").add("helpdesk_paid_support_statement", {
    steps: () => [
        {
            content: "What is left today, as a number",
            trigger: "[name='available']:contains('22')",
        },
        {
            content: "A bar for the month, which screen readers read",
            trigger:
                "[name='breakdown'] [role='progressbar'][aria-valuenow='7'][aria-valuemax='10'][aria-label]",
        },
        {
            content: "With its last day",
            trigger:
                "[name='breakdown']:contains('7 of 10 left'):contains('valid to May 10, 2027')",
        },
        {
            content: "Lifetime incidents as a number",
            trigger: "[name='breakdown']:contains('15 lifetime')",
        },
        {
            content: "What happens next",
            trigger:
                "[name='outlook']:contains('7 incidents expire at the end of May 10, 2027.'):contains('At your pace')",
        },
        {
            content: "What can be done",
            trigger: "[name='actions'] a[href='/new/ticket']",
        },
        {trigger: "a[name='add_funds']"},
        HEADINGS,
        FITS,
        {
            content: "To the statement",
            trigger: "[name='actions'] a[name='statement']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What it sums to",
            trigger: "[name='figures'] [name='closing']:contains('22')",
        },
        HEADINGS,
        FITS,
        {
            content: "Last month",
            trigger: "[name='periods'] a:contains('Last month')",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "[name='figures'] [name='opening']:contains('26')"},
        {trigger: "[name='figures'] [name='closing']:contains('25')"},
        {trigger: `${FORM} input[name='since']:value('2027-04-01')`},
        {
            content: "What has lapsed",
            trigger: "[name='groups'] a:contains('Lapsed')",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "[name='count']:contains('1 entry')"},
        {trigger: "table tbody tr:contains('−8')"},
        {
            content: "Search for what is not there",
            trigger: `${FORM} input[name='search']`,
            run: "edit Ticket",
        },
        {
            trigger: `${FORM} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It says so, and leads back",
            trigger: "[name='no_matches'] a",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "All of April again",
            trigger: "[name='count']:contains('4 entries')",
        },
        {
            content: "The file and the paper are of the same",
            trigger: "a[name='csv'][href*='since=2027-04-01']",
        },
        {
            content: "Print it here, not in a new window",
            trigger: "a[name='print'][href*='until=2027-04-30']",
            run() {
                this.anchor.removeAttribute("target");
                this.anchor.click();
            },
            expectUnloadPage: true,
        },
        {
            content: "For whom, and for when",
            trigger: "[name='period']:contains('From Apr 1, 2027 to Apr 30, 2027')",
        },
        {trigger: "[name='customer']:contains('Northwind')"},
        {trigger: ".o_incident_print_button:contains('Print')"},
        HEADINGS,
        FITS,
    ],
});

registry.category("web_tour.tours").add("helpdesk_paid_support_no_statement", {
    steps: () => [
        {trigger: "[name='available']:contains('0')"},
        {trigger: "[name='nothing']:contains('no support incidents')"},
        FITS,
        {
            trigger: "[name='actions'] a[name='statement']",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "[name='no_entries']:contains('Nothing has happened yet')"},
        FITS,
    ],
});
