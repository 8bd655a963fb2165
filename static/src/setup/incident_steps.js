import {Component} from "@odoo/owl";
import {HelpdeskDashboard} from "@helpdesk_mgmt/views/helpdesk_dashboard/helpdesk_dashboard.esm";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {useService} from "@web/core/utils/hooks";

/** What is left to do until support is sold, each with a button that leads there. */
export class IncidentSteps extends Component {
    static template = "helpdesk_paid_support.IncidentSteps";
    static props = {steps: Array};

    setup() {
        this.action = useService("action");
    }

    open(step) {
        // The wizard may be left in many ways: look again after it.
        return this.action.doAction(step.action, {
            onClose: () => this.action.doAction("soft_reload"),
        });
    }
}

/** The same in the wizard, done or not. */
export class IncidentStepsField extends Component {
    static template = "helpdesk_paid_support.IncidentStepsField";
    static components = {IncidentSteps};
    static props = {...standardFieldProps};

    get steps() {
        return this.props.record.data[this.props.name] || [];
    }
}

registry.category("fields").add("incident_steps", {
    component: IncidentStepsField,
    supportedTypes: ["json"],
});

/** Above the dashboard, for managers, until all is done or they hide it. */
export class IncidentSetup extends Component {
    static template = "helpdesk_paid_support.IncidentSetup";
    static components = {IncidentSteps};
    static props = {section: Object};

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
    }

    begin() {
        return this.action.doAction(
            "helpdesk_paid_support.helpdesk_incident_onboarding_action",
            {onClose: () => this.action.doAction("soft_reload")}
        );
    }

    async hide() {
        await this.orm.call("helpdesk.incident.onboarding", "action_hide_steps", [[]]);
        await this.action.doAction("soft_reload");
    }
}

HelpdeskDashboard.components = {...HelpdeskDashboard.components, IncidentSetup};
