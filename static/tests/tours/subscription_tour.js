import {PAY_ONLINE} from "@helpdesk_paid_support/../tests/tours/pay_online";
import {registry} from "@web/core/registry";

const EXTRA = "form[action$='/extra']";
const CHANGE = "form[action$='/change']";
const TOPUP = "form[name='topup_form']";
const TICKET = "form[action='/submitted/ticket']";

const REVIEW_AND_PAY = [
    {
        content: "Review the order, and pay",
        trigger: "#o_sale_portal_paynow",
        run: "click",
    },
    ...PAY_ONLINE,
];

registry.category("web_tour.tours").add("helpdesk_paid_support_subscription", {
    steps: () => [
        {
            content: "What expires can be bought again in its place",
            trigger: "li:contains('valid to Apr 10, 2028') a[name='buy_again']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is a group of its own",
            trigger:
                "[name='group']:contains('Valid for a limited time') + .row .o_incident_offer:contains('10 incidents, valid for 12 months')",
        },
        {
            content: "Back to what there is",
            trigger: ".o_portal_submenu a[href='/my/incidents']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "From the list to the subscription",
            trigger: "[name='subscriptions'] a:contains('Standard support, 3 months')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is renewed automatically, and says how",
            trigger: "[name='auto_renew']:contains('On'):contains('without your consent')",
        },
        {
            content: "Buy extra incidents",
            trigger: "a[name='extra']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What one costs, and in which months it is",
            trigger: "[name='price']:contains('4.00 per incident and month')",
        },
        {trigger: "[name='months']:contains('3 months')"},
        {trigger: `${EXTRA} [data-text='total']:contains('12.00')`},
        {trigger: `${EXTRA} input[name='number']`, run: "edit 2"},
        {
            content: "The total follows",
            trigger: `${EXTRA} [data-text='total']:contains('24.00')`,
        },
        {
            trigger: `${EXTRA} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        ...REVIEW_AND_PAY,
        {
            content: "What was paid is there",
            trigger:
                "[name='paid_order']:contains('2 more incidents in each of 3 months')",
        },
        {trigger: "[name='number']:contains('10 incidents every month, and 2 extra')"},
        {
            content: "Change the plan",
            trigger: "a[name='change']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "150.00 less two months of 38.00",
            trigger: `${CHANGE} label:contains('Business support'):contains('74.00'):contains('May 11, 2027') input`,
            run: "click",
        },
        {
            trigger: `${CHANGE} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        ...REVIEW_AND_PAY,
        {
            content: "The plan is the new one",
            trigger: "[name='paid_order']:contains('20 incidents every month')",
        },
        {trigger: "h1:contains('Business support, 3 months')"},
        {
            content: "Switch automatic renewal off",
            trigger: "[name='auto_renew'] button[value='off']",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "[name='done']:contains('switched off')"},
        {trigger: "[name='auto_renew'] button[value='on']"},
        {
            content: "Let incidents be topped up",
            trigger: ".o_portal_submenu a[href='/my/incidents']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "[name='topup']:contains('Never wait') a[name='topup_choose']",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: `${TOPUP} input[name='threshold']`, run: "edit 25"},
        {trigger: `${TOPUP} input[name='limit']`, run: "edit 100"},
        {
            trigger: `${TOPUP} label:contains('Pack of 10') input[name='plan']`,
            run: "click",
        },
        {
            trigger: `${TOPUP} button[name='topup_save']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It says what it does, and when",
            trigger:
                "[name='topup_words']:contains('Below 25, buy Pack of 10 for $ 50.00, at most $ 100.00 a month')",
        },
        {trigger: "[name='topup_next']:contains('after your next ticket')"},
        {
            content: "The next ticket",
            trigger: "a[name='new_ticket']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: `${TICKET} select[name='team']`,
            run: "selectByLabel Paid support",
        },
        {trigger: `${TICKET} [name='subject']`, run: "edit Mail server refuses"},
        {trigger: `${TICKET} [name='description']`, run: "edit Please help"},
        {
            trigger: `${TICKET} button[type='submit']`,
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "[name='incident_count']:contains('You have 21 left')"},
    ],
});
