import {PAY_ONLINE} from "@helpdesk_paid_support/../tests/tours/pay_online";
import {registry} from "@web/core/registry";

const FORM = "form[action='/submitted/ticket']";
const OFFER = ".o_incident_offer:contains('Pack of 10')";

function submit(subject) {
    return [
        {
            trigger: `${FORM} select[name='team']`,
            run: "selectByLabel Paid support",
        },
        {trigger: `${FORM} [name='subject']`, run: `edit ${subject}`},
        {trigger: `${FORM} [name='description']`, run: "edit Please help"},
        {
            content: "Submit the ticket",
            trigger: `${FORM} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
    ];
}

registry.category("web_tour.tours").add("helpdesk_paid_support_parked", {
    steps: () => [
        {
            trigger: `${FORM} select[name='team']`,
            run: "selectByLabel Paid support",
        },
        {
            content: "The form says what will happen",
            trigger: `${FORM} .o_incident_notice:visible [name='parks']`,
        },
        ...submit("It does not work"),
        {
            content: "The ticket says that it waits, and leads to buying",
            trigger: "[name='incident_parked']:contains('Needed: 3') a[name='buy']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "For this ticket",
            trigger: "[name='waiting']:contains('It does not work')",
        },
        {
            content: "Order it",
            trigger: `${OFFER} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Review the order, and pay",
            trigger: "#o_sale_portal_paynow",
            run: "click",
        },
        ...PAY_ONLINE,
        {
            content: "What came, and what went to the ticket that waited",
            trigger:
                "[name='paid_order']:contains('10 lifetime incidents') li a:contains('which waited, took 3 incidents')",
        },
        {
            content: "The ticket has taken what it needed",
            trigger: "[name='available']:contains('7')",
        },
        {
            content: "Nothing waits any more",
            trigger: "main:not(:has([name='parked']))",
        },
        {
            content: "Use up what is left",
            trigger: "table tbody tr:contains('It does not work') a",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "[name='incident_count']:contains('You have 7 left')",
            run: () => window.location.assign("/new/ticket"),
            expectUnloadPage: true,
        },
        ...submit("Second"),
        {
            trigger: "[name='incident_count']:contains('You have 4 left')",
            run: () => window.location.assign("/new/ticket"),
            expectUnloadPage: true,
        },
        ...submit("Third"),
        {
            trigger: "[name='incident_count']:contains('You have 1 left')",
            run: () => window.location.assign("/new/ticket"),
            expectUnloadPage: true,
        },
        ...submit("Not needed any more"),
        {
            content: "It waits, as too few are left, and says until when",
            trigger:
                "[name='incident_parked']:contains('You have: 1') [name='closes_on']:contains('2027')",
        },
        {
            content: "Nothing is withdrawn at once",
            trigger:
                "[name='incident_parked'] details[name='withdraw']:not([open]) summary",
            run: "click",
        },
        {
            content: "Withdraw it",
            trigger: "details[name='withdraw'][open] button[name='withdraw']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It says what happened",
            trigger: "[name='withdrawn']:contains('You have withdrawn this ticket')",
        },
        {
            content: "An urgent one waits for no money",
            trigger: "#card:contains('Cancelled'):not(:has([name='incident_parked']))",
            run: () => window.location.assign("/new/ticket"),
            expectUnloadPage: true,
        },
        {
            trigger: `${FORM} select[name='team']`,
            run: "selectByLabel On call",
        },
        {
            content: "What is missing, its price and the total are said before",
            trigger: `${FORM} .o_incident_notice:visible [name='later']:contains('2 support incidents for'):contains('12.00'):contains('6.00')`,
        },
        {trigger: `${FORM} [name='subject']`, run: "edit Mail server is down"},
        {trigger: `${FORM} [name='description']`, run: "edit Please help"},
        {
            content: "Not without consent",
            trigger: `${FORM} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Nothing that was typed is lost",
            trigger:
                "main:has([name='error']:contains('agree to pay')) [name='subject']:value('Mail server is down')",
        },
        {
            content: "Agree to pay later",
            trigger: `${FORM} .o_incident_notice:visible [name='later'] input`,
            run: "click",
        },
        {
            trigger: `${FORM} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It waits for nothing, and says what is to be paid",
            trigger:
                "main:has([name='incident_count']:contains('You have 0 left')) [name='overages']:contains('2 support incidents'):contains('12.00')",
        },
    ],
});
