import {IntegerField, integerField} from "@web/views/fields/integer/integer_field";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";

/**
 * The support incidents of a ticket, with − and + beside the number. Where the customer
 * has too few, what is missing can be ordered while the form is not saved.
 */
export class IncidentStepperField extends IntegerField {
    static template = "helpdesk_paid_support.IncidentStepperField";

    setup() {
        super.setup();
        this.action = useService("action");
    }

    get number() {
        return this.props.record.data[this.props.name] || 0;
    }

    // What is missing, unless the notice at the top offers to order that.
    get missing() {
        const {data, resId} = this.props.record;
        const noticed = data.incident_more || data.incident_short;
        const offered = data.incident_due || (noticed && !data.incident_preview);
        return resId && !offered && data.incident_missing;
    }

    order() {
        return this.action.doAction(
            "helpdesk_paid_support.helpdesk_ticket_order_action",
            {
                additionalContext: {
                    default_ticket_id: this.props.record.resId,
                    default_missing: this.missing,
                },
            }
        );
    }

    step(difference) {
        const number = Math.max(this.number + difference, 0);
        return this.props.record.update({[this.props.name]: number});
    }
}

registry.category("fields").add("incident_stepper", {
    ...integerField,
    component: IncidentStepperField,
});
