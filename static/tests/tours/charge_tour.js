import {PAY_ONLINE} from "@helpdesk_paid_support/../tests/tours/pay_online";
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("helpdesk_paid_support_charge", {
    steps: () => [
        {
            content: "Charge in the ticket",
            trigger: ".o_form_statusbar button[name='action_charge']",
            run: "click",
        },
        {
            content: "What for is the title of the ticket",
            trigger: ".modal .o_field_widget[name='name'] input:value('Restore a backup')",
        },
        {
            content: "How much",
            trigger: ".modal .o_field_widget[name='amount'] input",
            run: "edit 60 && press Tab",
        },
        {
            content: "What it comes to, and the balance after",
            trigger: ".modal .o_field_widget[name='balance_after']:contains('-60.00')",
        },
        {trigger: ".modal div[name='negative']:contains('does not suffice')"},
        {
            content: "Post it",
            trigger: ".modal footer button[name='action_apply']:contains('Charge')",
            run: "click",
        },
        {
            content: "It stands at the top of the form",
            trigger: "button[name='action_view_charges']:contains('60.00')",
        },
        {
            content: "The history tells of it",
            trigger: ".o-mail-Message:contains('Charged: “Restore a backup”')",
        },
        {
            content: "Raise it",
            trigger: ".o_notebook .nav-link:contains('Charges')",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name='charge_ids'] button[name='action_edit']",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='amount'] input",
            run: "edit 100 && press Tab",
        },
        {trigger: ".modal .o_field_widget[name='amount_total']:contains('40.00')"},
        {
            trigger: ".modal footer button[name='action_apply']:contains('Change')",
            run: "click",
        },
        {trigger: "button[name='action_view_charges']:contains('100.00')"},
        {
            content: "And refund it",
            trigger: ".o_field_widget[name='charge_ids'] button[name='action_refund']",
            run: "click",
        },
        {
            content: "What will happen is said before",
            trigger: ".modal:contains('credit note of all that is left') footer .btn-primary",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name='charge_ids'] td[name='payment_state']:contains('Refunded')",
        },
        {
            content: "Charge again",
            trigger: ".o_form_statusbar button[name='action_charge']",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='amount'] input",
            run: "edit 45 && press Tab",
        },
        {trigger: ".modal .o_field_widget[name='balance_after']:contains('-45.00')"},
        {
            trigger: ".modal footer button[name='action_apply']:contains('Charge')",
            run: "click",
        },
        {trigger: "button[name='action_view_charges']:contains('45.00')"},
    ],
});

registry.category("web_tour.tours").add("helpdesk_paid_support_charge_pay", {
    steps: () => [
        {
            content: "What was charged, at the top of the ticket",
            trigger: "[name='charges']:contains('Restore a backup'):contains('45.00'):contains('To pay')",
        },
        {
            content: "Pay it",
            trigger: "[name='charges'] a[name='pay_charge']",
            run: "click",
            expectUnloadPage: true,
        },
        ...PAY_ONLINE,
        {
            content: "Back on the page of the invoice",
            trigger: "#portal_pay, .o_portal_sidebar",
        },
    ],
});
