import {PAY_ONLINE} from "@helpdesk_paid_support/../tests/tours/pay_online";
import {registry} from "@web/core/registry";

const FORM = "form[action='/submitted/ticket']";
const OFFER = ".o_incident_offer:contains('Standard support, 3 months')";

registry.category("web_tour.tours").add("helpdesk_paid_support_buy", {
    steps: () => [
        {
            content: "The team that requires incidents is offered to who can buy them",
            trigger: `${FORM} select[name='team']`,
            run: "selectByLabel Paid support",
        },
        {
            content: "The labels lead to their fields",
            trigger: `${FORM} label[for='subject']`,
            run: "click",
        },
        {
            trigger: `${FORM} [name='subject']:focus`,
            run: "edit Mail server refuses",
        },
        {trigger: `${FORM} [name='description']`, run: "edit Please help"},
        {
            content: "The form says that there are none, and leads to buying",
            trigger: `${FORM} .o_incident_notice:visible:contains('You have 0') button[name='buy']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What a customer gets, and what it costs",
            trigger: `${OFFER}:contains('10 incidents every month for 3 months'):contains('90.00')`,
        },
        {
            content: "Order it",
            trigger: `main:has(a[name='continue']) ${OFFER} button[type='submit']`,
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
            content: "What came",
            trigger:
                "[name='paid_order']:contains('is paid') li:contains('10 incidents every month for 3 months')",
        },
        {trigger: "[name='available']:contains('10')"},
        {
            content: "To May 10, as it was bought on April 11",
            trigger: "[name='breakdown']:contains('valid to May 10, 2027')",
        },
        {
            content: "Continue with the ticket",
            trigger: "a[name='continue']:contains('“Mail server refuses”')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is as it was typed",
            trigger: `${FORM} [name='subject']:value('Mail server refuses')`,
        },
        {trigger: `${FORM} [name='description']:value('Please help')`},
        {trigger: `${FORM} .o_incident_notice:visible:contains('9 after')`},
        {
            trigger: `${FORM} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The ticket says what it took and what is left",
            trigger: "[name='incident_count']:contains('You have 9 left')",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_paid_support_funds", {
    steps: () => [
        {
            content: "There is no money yet",
            trigger: "[name='balance']:contains('0.00')",
        },
        {
            trigger: "a[name='add_funds']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What adding funds brings",
            trigger: "[name='funds_offers']:contains('Pay $ 100.00 more and get 2')",
        },
        {trigger: ".o_incident_funds input[name='amount']", run: "edit 50"},
        {
            trigger: ".o_incident_funds button[type='submit']",
            run: "click",
            expectUnloadPage: true,
        },
        ...PAY_ONLINE,
        {
            content: "The money is there",
            trigger: "[name='paid_funds']:contains('50.00 was added')",
        },
        {trigger: "[name='balance']:contains('50.00')"},
        {
            content: "Buy from it",
            trigger: "a[name='buy']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: `${OFFER} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It does not suffice, and says what is missing",
            trigger:
                "a[name='balance_short']:contains('Your balance is $ 50.00, $ 40.00 short')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The amount is filled in; a bit more brings incidents",
            trigger: ".o_incident_funds input[name='amount']:value('40')",
        },
        {
            trigger:
                "[name='funds_offers'] button:contains('50.00'):contains('2 incidents free')",
            run: "click",
            expectUnloadPage: true,
        },
        ...PAY_ONLINE,
        {
            content: "What came with it",
            trigger: "[name='paid_funds'] li:contains('2 incidents free')",
        },
        {
            content: "Back to the order, which can be paid now",
            trigger: "[name='payable'] a",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "form[name='pay_from_balance']:contains('100.00') button",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "[name='paid_order'] li:contains('10 incidents every month')"},
        {trigger: "[name='available']:contains('12')"},
        {trigger: "[name='balance']:contains('10.00')"},
    ],
});

// From the form: what the ticket lacks is bought with it, from the account balance.
registry.category("web_tour.tours").add("helpdesk_paid_support_pack", {
    url: "/new/ticket",
    steps: () => [
        {
            trigger: `${FORM} select[name='team']`,
            run: "selectByLabel Paid support",
        },
        {trigger: `${FORM} [name='subject']`, run: "edit Mail server refuses"},
        {trigger: `${FORM} [name='description']`, run: "edit Please help"},
        {
            content: "What suffices, what it costs and what pays it; not chosen yet",
            trigger: `${FORM} .o_incident_notice:visible [name='pack']:contains('Pack of 10'):contains('50.00'):contains('110.00') input:not(:checked)`,
            run: "click",
        },
        {
            trigger: `${FORM} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Bought, paid and submitted",
            trigger: "[name='incident_count']:contains('You have 9 left')",
        },
    ],
});
