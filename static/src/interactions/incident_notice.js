import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";

/**
 * Shows what the chosen team takes, beside the choice (R11.1). Without JavaScript the
 * notices of all paid teams stand there.
 */
export class IncidentNotice extends Interaction {
    static selector = "form[action='/submitted/ticket']";
    dynamicContent = {
        "select[name='team']": {"t-on-change": () => undefined},
        ".o_incident_notice": {
            "t-att-class": (el) => ({"d-none": el.dataset.teamId !== this.teamId}),
        },
    };

    get teamId() {
        const select = this.el.querySelector("select[name='team']");
        return select ? select.value : "";
    }
}

registry
    .category("public.interactions")
    .add("helpdesk_paid_support.incident_notice", IncidentNotice);
