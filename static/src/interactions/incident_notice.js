import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";

/**
 * Shows what the chosen team takes, beside the choice (R11.1). Without JavaScript the
 * notices of all paid teams stand there.
 */
export class IncidentNotice extends Interaction {
    static selector = "form[action='/submitted/ticket']";
    dynamicContent = {
        _root: {"t-on-change": this.follow},
        ".o_incident_notice": {
            "t-att-class": (el) => ({"d-none": el.dataset.teamId !== this.teamId}),
        },
        // What was typed is kept while the customer buys (R11.2).
        "button[name='buy']": {"t-on-click": this.keepAndBuy},
    };

    setup() {
        this.asked = 0;
    }

    /**
     * What a ticket takes can depend on anything in the form (R16.3): the server says
     * so. Of several answers the last one counts.
     */
    follow(ev) {
        const box = this.el.querySelector("#incident_notices");
        if (box && ev.target.name && !box.contains(ev.target)) {
            // The notice of the chosen team shows at once.
            this.ask(box);
        }
    }

    async ask(box) {
        const asked = ++this.asked;
        const form = new FormData(this.el);
        for (const input of this.el.querySelectorAll("input[type='file']")) {
            form.delete(input.name);
        }
        const answer = await this.waitFor(
            fetch("/new/ticket/incidents", {method: "POST", body: form})
        );
        const html = answer.ok ? await this.waitFor(answer.text()) : "";
        if (html && asked === this.asked) {
            box.innerHTML = html;
            this.updateContent();
        }
    }

    get teamId() {
        const select = this.el.querySelector("select[name='team']");
        return select ? select.value : "";
    }

    keepAndBuy() {
        const form = this.el;
        const action = form.getAttribute("action");
        const files = [...form.querySelectorAll("input[type='file']")];
        const chosen = document.createElement("input");
        Object.assign(chosen, {type: "hidden", name: "incident_files"});
        chosen.value = files.some((input) => input.files.length) ? "1" : "";
        form.append(chosen);
        // They are not kept: do not send them.
        files.forEach((input) => (input.disabled = true));
        form.setAttribute("action", "/new/ticket/keep");
        form.submit();
        // Whoever comes back by the button of the browser finds the form as it was.
        form.setAttribute("action", action);
        files.forEach((input) => (input.disabled = false));
        chosen.remove();
    }
}

registry
    .category("public.interactions")
    .add("helpdesk_paid_support.incident_notice", IncidentNotice);
