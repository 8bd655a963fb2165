import {registry} from "@web/core/registry";

function setIncidents(number) {
    return [
        {
            content: `Set the support incidents to ${number}`,
            trigger: ".o_field_widget[name='incident_count'] input",
            run: `edit ${number}`,
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {trigger: ".o_form_saved"},
    ];
}

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
        ...setIncidents(2),
        {
            trigger: ".o-mail-Message:contains('returned: 1 (1 lifetime)'):contains('3 left')",
        },
        {trigger: "div[name='incident_available']:contains('3 available')"},
    ],
});
