/** What a customer does on the payment page, with the demo provider. */
export const PAY_ONLINE = [
    {
        content: "The payment details of the demo provider",
        trigger: "#o_payment_form input[name='customer_input']:visible",
        run: "edit 4242 4242 4242 4242",
    },
    {
        content: "Pay",
        trigger: "button[name='o_payment_submit_button']:visible:not(:disabled)",
        run: "click",
        expectUnloadPage: true,
    },
];
