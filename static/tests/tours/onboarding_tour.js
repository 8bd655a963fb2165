import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("helpdesk_paid_support_onboarding", {
    steps: () => [
        {
            content: "Nobody has incidents yet: the list says how to begin",
            trigger: ".o_nocontent_help a[type='action']:contains('Set up paid support')",
            run: "click",
        },
        {
            content: "A new team",
            trigger: ".modal .o_field_widget[name='team_name'] input",
            run: "edit Server support",
        },
        {
            content: "The plan",
            trigger: ".modal .o_field_widget[name='plan_name'] input",
            run: "edit Starter",
        },
        {
            trigger: ".modal .o_field_widget[name='incident_quantity'] input",
            run: "edit 0",
        },
        {
            trigger: ".modal .o_field_widget[name='list_price'] input",
            run: "edit 45",
        },
        {
            content: "A plan without incidents is refused",
            trigger: ".modal footer button[name='action_apply']",
            run: "click",
        },
        {
            trigger: ".modal:contains('1 or more') footer .btn-primary:contains('Close')",
            run: "click",
        },
        {
            content: "What was typed is kept",
            trigger: ".modal .o_field_widget[name='team_name'] input:value('Server support')",
        },
        {
            trigger: ".modal .o_field_widget[name='incident_quantity'] input",
            run: "edit 6",
        },
        {
            trigger: ".modal footer button[name='action_apply']",
            run: "click",
        },
        {
            content: "What is left to do",
            trigger: ".modal div[name='done']:contains('Paid support is on') ul[name='steps']",
        },
        {
            content: "To the plan",
            trigger: ".modal button[name='action_open_plan']",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name='name'] textarea:value('Starter')",
        },
    ],
});
