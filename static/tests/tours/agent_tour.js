import {registry} from "@web/core/registry";

const NOTICE = "div[name='incident_due']";
const COUNT = ".o_field_widget[name='incident_count']";

/** What is typed in a new ticket are the agent's defaults. */
const NEW = {
    content: "A customer calls: a new ticket",
    trigger: ".o_control_panel .o_form_button_create",
    run: "click",
};

registry.category("web_tour.tours").add("helpdesk_paid_support_agent", {
    steps: () => [
        {
            content: "What the customer has, and which would be used",
            trigger: "div[name='incident_available']:contains('5 available'):contains('5 lifetime')",
        },
        {
            content: "The form says that nothing was deducted",
            trigger: "div[name='incident_due'] button:contains('Deduct')",
            run: "click",
        },
        {
            content: "The history shows it",
            trigger: ".o-mail-Message:contains('deducted: 3 (3 lifetime)'):contains('2 left')",
        },
        {trigger: "body:not(:has(div[name='incident_due']))"},
        {
            content: "One less",
            trigger: `${COUNT} button[name='less']`,
            run: "click",
        },
        {
            content: "What is left then, before it is saved",
            trigger: ".o_field_widget[name='incident_preview']:contains('2 → 3 left (1 lifetime)')",
        },
        {
            content: "Say why",
            trigger: ".o_field_widget[name='incident_reason'] input",
            run: "edit One was a mistake",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: ".o-mail-Message:contains('returned: 1 (1 lifetime)'):contains('3 left'):contains('Reason: One was a mistake')",
        },
        {trigger: "div[name='incident_available']:contains('3 available')"},
        NEW,
        {
            content: "What it takes, and what there is, before it is saved",
            trigger: `${NOTICE}:contains('takes 3, 3 available') button:contains('Save and deduct')`,
            run: "click",
        },
        {
            trigger: ".o-mail-Message:contains('deducted: 3 (3 lifetime)'):contains('0 left')",
        },
        NEW,
        {
            content: "Too few: no dead end",
            trigger: `${NOTICE}:contains('takes 3, 0 available') button:contains('Send a link to buy')`,
            run: "click",
        },
        {
            content: "It waits",
            trigger: `${NOTICE}:contains('Waiting for incidents since')`,
            run: () => window.location.assign("/odoo/helpdesk-dashboard"),
            expectUnloadPage: true,
        },
        {
            content: "The dashboard counts it apart from what is to do",
            trigger: ".o_kanban_record:contains('Emergency support'):contains('2 To Do') a:contains('1 waiting')",
            run: "click",
        },
        {
            content: "The card says since when, and what is missing",
            trigger: ".o_kanban_record:contains('On the phone') .badge:contains('Waiting since'):contains('3 missing')",
            run: "click",
        },
        {
            content: "Order for the customer",
            trigger: `${NOTICE} button:contains('Order for the customer')`,
            run: "click",
        },
        {
            content: "The plan that suffices, and what it costs",
            trigger: ".modal .o_field_widget[name='preview']:contains('10 lifetime incidents'):contains('50.00')",
        },
        {
            trigger: ".modal footer button[name='action_order']",
            run: "click",
        },
        {trigger: ".o_notification:contains('waits for the customer')"},
        {
            content: "The history tells of it",
            trigger: ".o-mail-Message:contains('was made for this ticket')",
            run: () =>
                window.location.assign(
                    "/odoo/action-helpdesk_paid_support.helpdesk_incident_contest_action"
                ),
            expectUnloadPage: true,
        },
        {
            content: "What a customer contests",
            trigger:
                ".o_data_row:contains('Blue Bakery') td[name='ticket_id'], .o_kanban_record:contains('Blue Bakery')",
            run: "click",
        },
        {
            content: "Decide",
            trigger: ".o_form_view button[name='action_decide']",
            run: "click",
        },
        {
            content: "The customer's words",
            trigger: ".modal .o_field_widget[name='reason']:contains('It was your fault')",
        },
        {
            content: "By which outcome it takes nothing",
            trigger: ".modal .o_field_widget[name='outcome_id'] input",
            run: "click",
        },
        {
            content: "From the list, or from the dialog of a phone",
            trigger:
                ".o-autocomplete--dropdown-item:contains('Defect of ours'), .modal .o_kanban_record:contains('Defect of ours')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='answer'] textarea",
            run: "edit We are sorry",
        },
        {
            trigger: ".modal footer button[name='action_accept']",
            run: "click",
        },
        {
            content: "It was accepted",
            trigger: ".o_form_view .o_field_widget[name='answer']:contains('We are sorry')",
        },
    ],
});
