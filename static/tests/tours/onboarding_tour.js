import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("helpdesk_paid_support_onboarding", {
    steps: () => [
        {
            content: "The Helpdesk app says how to begin",
            trigger: ".o_incident_setup:contains('One form makes') button[name='begin']",
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
            content: "It asks for a price before it begins",
            trigger: ".modal [name='no_price']:contains('Enter a price')",
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
            content: "What is done, and what is left to do",
            trigger:
                ".modal div[name='done']:contains('Paid support is on') [data-step='team']:has([aria-label='Done'])",
        },
        {trigger: ".modal [data-step='customer']:has([aria-label='To do'])"},
        {trigger: ".modal footer .btn-primary:contains('Close')", run: "click"},
        {
            content: "It stays on the dashboard",
            trigger: "body:not(:has(.modal)) .o_incident_setup:contains('Left to do: 4 of 6')",
        },
        {
            content: "Each step leads to where it is done",
            trigger: ".o_incident_setup [data-step='mail'] button",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name='name'] input:value('Server support')",
        },
        {
            content: "The wizard begins with the same list now",
            trigger: "button[data-menu-xmlid='helpdesk_mgmt.helpdesk_ticket_config_main_menu']",
            run: "click",
        },
        {
            trigger:
                ".dropdown-item[data-menu-xmlid='helpdesk_paid_support.helpdesk_incident_onboarding_menu']",
            run: "click",
        },
        {
            content: "To the plans",
            trigger: ".modal [data-step='plan'] button",
            run: "click",
        },
        {trigger: ".o_kanban_record:contains('Starter')"},
        {
            content: "Back on the dashboard, it can be hidden",
            trigger: "[data-menu-xmlid='helpdesk_mgmt.helpdesk_ticket_dashboard_menu']",
            run: "click",
        },
        {trigger: ".o_incident_setup button[name='hide']", run: "click"},
        {trigger: ".o_helpdesk_team_dashboard:not(:has(.o_incident_setup))"},
    ],
});
