"""The addresses that core answers: what others get with the ids of a customer.

``test_attack_routes.py`` sends each of them, and fails for one that is missing here.
"""

#: Modules that this one depends on, whose addresses are of no document: they log in,
#: bring programs and pictures, or go by the rights of each model over RPC, which
#: ``test_attack_rpc.py`` is about.
FRAMEWORK = {
    "auth_signup",
    "base_setup",
    "bus",
    "digest",
    "html_editor",
    "http_routing",
    "web",
}
#: Of `mail`: talks, calls and pictures.
CHANNELS = (
    "/chat/",
    "/discuss/",
    "/mail/font_to_img/",
    "/mail/rtc/",
    "/meet/",
    "/web_editor/font_to_img/",
    "/websocket/",
)

#: The beginning of an address that it leads to, or one of these.
ANSWERED, REFUSED = "+", "!"

LINK = {"access_token": "{token}"}
ORDER = {"res_model": "sale.order", "order_id": "{order_id}"}
SECTIONS = {**ORDER, "child_field": "order_line"}
PLAN = {
    "product_template_id": "{template_id}",
    "product_tmpl_id": "{template_id}",
    "ptav_ids": [],
    "quantity": 1,
    "currency_id": "{currency_id}",
    "so_date": "2027-04-11",
    "date": "2027-04-11",
    "company_id": "{company_id}",
    "pricelist_id": "{pricelist_id}",
}
CARD = {
    "provider_id": "{provider_id}",
    "payment_method_id": "{method_id}",
    "token_id": "{card_id}",
    "amount": 1,
    "flow": "token",
    "tokenization_requested": False,
    "landing_route": "/my",
}
PAYER = {"partner_id": "{partner_id}", "currency_id": "{currency_id}"}
ADDRESS = {
    "partner_id": "{contact_id}",
    "name": "Eve",
    "email": "eve@example.com",
    "phone": "+49 30 123456",
    "street": "Street 1",
    "city": "City",
    "zip": "12345",
    "country_id": "{country_id}",
}
RECORD = {"res_model": "helpdesk.ticket", "res_id": "{ticket_id}"}
THREAD = {"thread_model": "helpdesk.ticket", "thread_id": "{ticket_id}"}
SHARED = {"token": "{token}", "hash": "0" * 64, "pid": "{partner_id}"}
MESSAGE = {"message_id": "{message_id}"}
ASKED = ["activities", "attachments", "followers", "scheduledMessages"]

#: What the public, and a portal user of another customer, get of each address, and what
#: is sent: ids of the customer, and the link to an order of the other one. The public
#: may be asked to log in instead.
CORE_ROUTES = {
    # sale, sale_management
    "/my/orders": (ANSWERED, {}),
    "/my/orders/page/<int:page>": (ANSWERED, {}),
    "/my/quotes": (ANSWERED, {}),
    "/my/quotes/page/<int:page>": (ANSWERED, {}),
    "/my/orders/<int:order_id>": ("/my", LINK),
    "/my/orders/<int:order_id>/accept": (
        ANSWERED,
        {**LINK, "name": "Eve", "signature": "R0lGODlhAQABAAAAACw="},
    ),
    "/my/orders/<int:order_id>/decline": ("/my", {**LINK, "decline_message": "No"}),
    "/my/orders/<int:order_id>/document/<int:document_id>": ("/my", LINK),
    "/my/orders/<int:order_id>/download_edi": ("/my", LINK),
    "/my/orders/<int:order_id>/transaction": (REFUSED, {**LINK, **CARD}),
    "/my/orders/<int:order_id>/update_line_dict": (
        ANSWERED,
        {**LINK, "line_id": "{line_id}", "input_quantity": 5},
    ),
    "/sale/combo_configurator/get_data": (REFUSED, PLAN),
    "/sale/combo_configurator/get_price": (REFUSED, PLAN),
    "/sale/product_configurator/create_product": (REFUSED, PLAN),
    "/sale/product_configurator/get_optional_products": (
        REFUSED,
        {**PLAN, "parent_ptav_ids": []},
    ),
    "/sale/product_configurator/get_values": (REFUSED, PLAN),
    "/sale/product_configurator/update_combination": (REFUSED, PLAN),
    # product, account
    "/product/catalog/create_section": (
        REFUSED,
        {**SECTIONS, "name": "Eve", "position": "top"},
    ),
    "/product/catalog/get_sections": (REFUSED, SECTIONS),
    "/product/catalog/order_lines_info": (
        REFUSED,
        {**ORDER, "product_ids": ["{product_id}"]},
    ),
    "/product/catalog/resequence_sections": (REFUSED, {**SECTIONS, "sections": []}),
    "/product/catalog/update_order_line_info": (
        REFUSED,
        {**ORDER, "product_id": "{product_id}", "quantity": 5},
    ),
    "/product/document/upload": (
        ANSWERED,
        {"res_model": "product.template", "res_id": "{template_id}"},
    ),
    "/product/export/pricelist/": (
        REFUSED,
        {"report_data": {"pricelist_id": "{pricelist_id}"}, "export_format": "csv"},
    ),
    '/account/download_invoice_attachments/<models("ir.attachment"):attachments>': (
        REFUSED,
        {},
    ),
    '/account/download_invoice_documents/<models("account.move"):invoices>'
    "/<string:filetype>": (REFUSED, {}),
    '/account/download_move_attachments/<models("account.move"):moves>': (REFUSED, {}),
    "/account/init_tests_shared_js_python": (REFUSED, {}),
    "/account/post_tests_shared_js_python": (REFUSED, {"results": []}),
    "/my/invoices": (ANSWERED, {}),
    "/my/invoices/page/<int:page>": (ANSWERED, {}),
    "/my/invoices/<int:invoice_id>": ("/my", LINK),
    "/my/journal/<int:journal_id>/unsubscribe": (REFUSED, SHARED),
    "/terms": (ANSWERED, {}),
    # account_payment, payment
    "/invoice/transaction/<int:invoice_id>": (REFUSED, {**LINK, **CARD}),
    "/invoice/transaction/overdue": (REFUSED, {"payment_reference": "1", **CARD}),
    "/my/invoices/overdue": ("/my", LINK),
    "/my/payment_method": (ANSWERED, {}),
    "/payment/archive_token": (ANSWERED, {"token_id": "{card_id}"}),
    "/payment/confirmation": (REFUSED, {**LINK, "tx_id": "{tx_id}"}),
    "/payment/pay": (
        REFUSED,
        {**LINK, **PAYER, "amount": 1, "invoice_id": "{invoice_id}"},
    ),
    "/payment/status": (ANSWERED, {}),
    "/payment/status/poll": (ANSWERED, {}),
    "/payment/transaction": (REFUSED, {**LINK, **PAYER, **CARD}),
    # portal
    "/my": (ANSWERED, {}),
    "/my/home": (ANSWERED, {}),
    "/my/account": (ANSWERED, {}),
    "/my/address": (REFUSED, {"partner_id": "{contact_id}"}),
    "/my/address/archive": (REFUSED, {"partner_id": "{contact_id}"}),
    '/my/address/country_info/<model("res.country"):country>': (
        ANSWERED,
        {"address_type": "billing"},
    ),
    "/my/address/submit": (REFUSED, ADDRESS),
    "/my/addresses": (ANSWERED, {}),
    "/my/counters": (
        ANSWERED,
        {"counters": ["order_count", "invoice_count", "ticket_count"]},
    ),
    "/my/deactivate_account": (
        ANSWERED,
        {"validation": "{login}", "password": "{login}"},
    ),
    "/my/security": (
        ANSWERED,
        {"op": "new", "old": "{login}", "new1": "Long enough", "new2": "Long enough"},
    ),
    "/portal/attachment/remove": (
        REFUSED,
        {**LINK, "attachment_id": "{attachment_id}"},
    ),
    "/portal/chatter_init": (ANSWERED, {**THREAD, **SHARED}),
    "/mail/avatar/mail.message/<int:res_id>/author_avatar/<int:width>x<int:height>": (
        ANSWERED,
        LINK,
    ),
    "/mail/chatter_fetch": (REFUSED, {**THREAD, **SHARED, "fetch_params": {}}),
    "/mail/update_is_internal": (REFUSED, {**MESSAGE, "is_internal": False}),
    # helpdesk_mgmt
    "/my/ticket/<int:ticket_id>": ("/my", LINK),
    "/my/ticket/<int:ticket_id>/<access_token>": ("/my", LINK),
    "/new/ticket": (ANSWERED, {}),
    # mail
    "/mail/action": (ANSWERED, {"fetch_params": [["mail.thread", THREAD]]}),
    "/mail/attachment/delete": (REFUSED, {**LINK, "attachment_id": "{attachment_id}"}),
    "/mail/attachment/pdf_first_page/<int:attachment_id>": (REFUSED, LINK),
    "/mail/attachment/update_thumbnail": (
        REFUSED,
        {**LINK, "attachment_id": "{attachment_id}", "thumbnail": "eA=="},
    ),
    "/mail/attachment/upload": (REFUSED, {**THREAD, **SHARED}),
    "/mail/attachment/zip": (REFUSED, {"file_ids": "{attachment_id}", "zip_name": "x"}),
    "/mail/data": (
        ANSWERED,
        {"fetch_params": [["mail.thread", {**THREAD, "request_list": ASKED}]]},
    ),
    "/mail/guest/update_name": (REFUSED, {"guest_id": 1, "name": "Eve"}),
    "/mail/history/messages": (ANSWERED, {}),
    "/mail/inbox/messages": (ANSWERED, {}),
    "/mail/link_preview": (ANSWERED, MESSAGE),
    "/mail/link_preview/hide": (ANSWERED, {"message_link_preview_ids": [1]}),
    "/mail/message/<int:message_id>": (REFUSED, {}),
    "/mail/message/post": (
        REFUSED,
        {**THREAD, **SHARED, "post_data": {"body": "Eve", "partner_ids": []}},
    ),
    "/mail/message/reaction": (REFUSED, {**MESSAGE, "content": "x", "action": "add"}),
    "/mail/message/translate": (REFUSED, MESSAGE),
    "/mail/message/update_content": (
        REFUSED,
        {**MESSAGE, "update_data": {"body": "Eve", "attachment_ids": []}},
    ),
    "/mail/partner/from_email": (ANSWERED, {**THREAD, "emails": ["n@example.com"]}),
    "/mail/read_subscription_data": (REFUSED, {"follower_id": "{follower_id}"}),
    "/mail/set_manual_im_status": (ANSWERED, {"status": "online"}),
    "/mail/starred/messages": (ANSWERED, {}),
    "/mail/thread/messages": (ANSWERED, THREAD),
    "/mail/thread/recipients": (REFUSED, {**THREAD, **MESSAGE}),
    "/mail/thread/recipients/fields": (ANSWERED, THREAD),
    "/mail/thread/recipients/get_suggested_recipients": (REFUSED, THREAD),
    "/mail/thread/subscribe": (REFUSED, {**RECORD, "partner_ids": ["{me_id}"]}),
    "/mail/thread/unsubscribe": (REFUSED, {**RECORD, "partner_ids": ["{contact_id}"]}),
    "/mail/unfollow": (
        REFUSED,
        {**RECORD, "model": "helpdesk.ticket", "pid": "{contact_id}", **LINK, **SHARED},
    ),
    "/mail/view": ("/my", {**LINK, **RECORD, "model": "helpdesk.ticket"}),
}
#: Of `web`: documents of a customer by the model's name.
WEB_ADDRESSES = (
    "/report/html/sale.report_saleorder/{order_id}",
    "/report/html/account.report_invoice/{invoice_id}",
    "/report/text/account.report_invoice_with_payments/{invoice_id}",
    "/web/content/{attachment_id}?access_token={token}",
    "/web/content/ir.attachment/{attachment_id}/raw",
    "/web/content/helpdesk.ticket/{ticket_id}/description",
    "/web/content/sale.order/{order_id}/name",
)
