import {Interaction} from "@web/public/interaction";
import {KeepLast} from "@web/core/utils/concurrency";
import {registry} from "@web/core/registry";
import {rpc} from "@web/core/network/rpc";

/**
 * Shows what another number of extra incidents costs (R9.4, R9.5). Without JavaScript
 * the order, which is reviewed before it is paid, is the first to say it.
 */
export class SubscriptionPrices extends Interaction {
    static selector = "form.o_incident_form[data-prices]";
    dynamicContent = {
        "input[type='number']": {
            "t-on-input": this.debounced(this.showPrices, 300),
        },
    };

    setup() {
        this.keepLast = new KeepLast();
    }

    async showPrices(ev) {
        const texts = await this.waitFor(
            this.keepLast.add(
                rpc(this.el.dataset.prices, {
                    page: this.el.dataset.page,
                    number: ev.target.value,
                })
            )
        );
        for (const el of this.el.querySelectorAll("[data-text]")) {
            el.textContent = texts[el.dataset.text] ?? "";
        }
    }
}

registry
    .category("public.interactions")
    .add("helpdesk_paid_support.subscription_prices", SubscriptionPrices);
