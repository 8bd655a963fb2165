import {registry} from "@web/core/registry";

const ASKED = "section[name='proposal']";
const FORM = "form[action='/submitted/ticket']";

function chooseTeam(name) {
    return {
        content: `Choose the team ${name}`,
        trigger: `${FORM} select[name='team']`,
        run: `selectByLabel ${name}`,
    };
}

function type(field, text) {
    return {
        content: `Type the ${field}`,
        trigger: `${FORM} [name='${field}']`,
        run: `edit ${text}`,
    };
}

const SUBMIT = {
    content: "Submit the ticket",
    trigger: `${FORM} button[type='submit']`,
    run: "click",
    expectUnloadPage: true,
};

registry.category("web_tour.tours").add("helpdesk_paid_support_submit", {
    steps: () => [
        {
            trigger: "form.oe_login_form input[name='login']",
            run: "edit hps-nora",
        },
        {
            trigger: "form.oe_login_form input[name='password']",
            run: "edit hps-nora",
        },
        {
            content: "Log in",
            trigger: "form.oe_login_form button[type='submit']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The home page shows what is available and used",
            trigger: ".o_portal_my_home a[href='/my/incidents']:contains('5')",
        },
        {
            content: "Open the tickets",
            trigger: ".o_portal_my_home button[name='create_new_ticket']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "No team is chosen, no notice is shown",
            trigger: `${FORM}:not(:has(.o_incident_notice:visible))`,
        },
        chooseTeam("Emergency support"),
        {
            content: "The notice follows the choice",
            trigger: `${FORM} .o_incident_notice:visible:contains('2 after')`,
        },
        chooseTeam("Questions"),
        {
            content: "A free team takes nothing",
            trigger: `${FORM}:not(:has(.o_incident_notice:visible))`,
        },
        chooseTeam("Paid support"),
        {
            content: "How many, how many are left, and which",
            trigger: `${FORM} .o_incident_notice:visible:contains('1 support incident'):contains('You have 5 now and'):contains('4 after'):contains('1 lifetime')`,
        },
        type("subject", "It does not work"),
        type("description", "Please help"),
        SUBMIT,
        {
            content: "The ticket says what it took and what is left",
            trigger: "[name='incident_count']:contains('You have 4 left')",
        },
        {
            content: "Go to the incidents",
            trigger: "[name='incident_count'] a",
            run: "click",
            expectUnloadPage: true,
        },
        {trigger: "[name='available']:contains('4')"},
        {
            content: "Contest what it took",
            trigger:
                "table tbody tr:contains('It does not work'):contains('−1') a[name='contest']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "details[name='contest_form'] summary",
            run: "click",
        },
        {
            content: "Say why",
            trigger: "details[name='contest_form'] textarea:visible",
            run: "edit Your update has broken it",
        },
        {
            trigger: "details[name='contest_form'] button[name='contest']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is looked at, and not asked for again",
            trigger:
                "section[name='contest']:not(:has(details)) [name='open']:contains('Your update has broken it')",
        },
        {
            content: "What is asked first is on the home page",
            trigger: "[name='incident_count']:contains('You have 4 left')",
            run: () => window.location.assign("/my/home"),
            expectUnloadPage: true,
        },
        {
            trigger: "[name='incident_attention']:contains('Questions about tickets: 2')",
            run: () => window.location.assign("/my/tickets"),
            expectUnloadPage: true,
        },
        {
            trigger: "table a:contains('Files are gone')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What it takes, and what is left then",
            trigger: `${ASKED}:contains('Restore of a backup'):contains('takes 2 more'):contains('4 now'):contains('2 after') button[name='approve']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It has happened, once: nothing is asked again",
            trigger: `main:has([name='incident_count']:contains('You have 2 left')):has(li[name='approved']:contains('Restore of a backup')):not(:has(${ASKED}:contains('Restore of a backup')))`,
        },
        {
            content: "Decline the other one",
            trigger: `${ASKED}:contains('Move to a larger disk') details[name='decline'] summary`,
            run: "click",
        },
        {
            trigger: `${ASKED} details[name='decline'][open] textarea`,
            run: "edit Not this year",
        },
        {
            trigger: `${ASKED} details[name='decline'][open] button[name='decline']`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Nothing was taken",
            trigger: `main:not(:has(${ASKED})):has([name='incident_count']:contains('You have 2 left')) li[name='declined']:contains('Not this year')`,
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_paid_support_too_few", {
    steps: () => [
        chooseTeam("Emergency support"),
        {
            content: "The form says so beside the team",
            trigger: `${FORM} .o_incident_notice.alert-warning:visible:contains('3 support incidents'):contains('have 1')`,
        },
        type("subject", "Server down"),
        type("description", "Please help quickly"),
        SUBMIT,
        {
            content: "It says why",
            trigger: "[name='error']:contains('3 needed, 1 available')",
        },
        {
            content: "What was typed is kept",
            trigger: `${FORM} input[name='subject']:value('Server down')`,
        },
        {
            trigger: `${FORM} textarea[name='description']:value('Please help quickly')`,
        },
        {
            content: "The team is still chosen, with its notice",
            trigger: `${FORM} .o_incident_notice.alert-warning:visible:contains('Emergency support')`,
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_paid_support_none", {
    steps: () => [
        {
            content: "Paid teams are not offered",
            trigger: `${FORM} select[name='team']:not(:has(option:contains('Paid support')))`,
        },
        chooseTeam("Questions"),
        type("subject", "A question"),
        type("description", "How much is it?"),
        SUBMIT,
        {trigger: "#card:contains('A question')"},
    ],
});

registry.category("web_tour.tours").add("helpdesk_paid_support_rules", {
    steps: () => [
        chooseTeam("Support"),
        {
            content: "Without a category it takes what the team says",
            trigger: ".o_incident_notice:visible:contains('A ticket takes 1 support')",
        },
        {
            content: "Choose a category that costs nothing",
            trigger: `${FORM} select[name='category']`,
            run: "selectByLabel Billing",
        },
        {
            content: "The notice follows",
            trigger: ".o_incident_notice:visible:contains('takes no support incidents')",
        },
        {
            content: "Choose one that costs more",
            trigger: `${FORM} select[name='category']`,
            run: "selectByLabel Outage",
        },
        {
            content: "The notice follows again",
            trigger: ".o_incident_notice:visible:contains('takes 3 support incidents')",
        },
        type("subject", "Everything is down"),
        type("description", "Please help"),
        SUBMIT,
        {
            content: "It is submitted",
            trigger: "body:contains('Everything is down')",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_paid_support_continued", {
    steps: () => [
        {
            content: "The history is there",
            trigger: "#chatterRoot:shadow .o-mail-Thread",
        },
        {
            content: "Nobody can write in it",
            trigger: "#chatterRoot:shadow .o-mail-Chatter:not(:has(.o-mail-Composer))",
        },
        {
            content: "Go on in a new ticket",
            trigger: "[name='incident_past'] a[name='go_on']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The form says to what it refers, and what it takes",
            trigger: `.o_incident_notice:visible:contains('1 support incident')`,
        },
        {
            trigger: "[name='previous'] a:contains('Mail server refuses')",
        },
        type("description", "It refuses again"),
        SUBMIT,
        {
            content: "From the new ticket to the old one",
            trigger: "[name='incident_chain'] a:contains('Mail server refuses')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "And back",
            trigger: "[name='incident_past'] a[name='go_on']:contains('Go on in ticket')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "[name='incident_count']:contains('You have 4 left')",
        },
    ],
});
