import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";

/**
 * Prints the statement (R11.4): when the page has come, and by its button.
 */
export class StatementPrint extends Interaction {
    static selector = ".o_incident_print_button";
    dynamicContent = {
        _root: {"t-on-click": () => window.print()},
    };

    start() {
        this.waitForTimeout(() => window.print(), 500);
    }
}

registry
    .category("public.interactions")
    .add("helpdesk_paid_support.statement_print", StatementPrint);
