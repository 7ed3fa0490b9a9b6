package mail

import "github.com/dialtone/dialtone/internal/fault"

var (
	// ErrFields refuses to compose a mail from what is held of the customer or the tenant.
	// Its Violations name the fields and never repeat their values.
	ErrFields = fault.New(fault.Invalid, "MAIL_FIELDS_INVALID",
		"The mail cannot be written from what is held. Correct the customer's contact or the tenant's settings.")
	// ErrMessage refuses bytes that are not a message composed here.
	ErrMessage = fault.New(fault.Internal, "MAIL_MESSAGE_INVALID",
		"The stored mail cannot be read.")
	// ErrWebhookKey refuses a SendGrid verification key.
	ErrWebhookKey = fault.New(fault.Invalid, "MAIL_WEBHOOK_KEY_INVALID",
		"The webhook key is not SendGrid's: it must be the base64 text of an ECDSA P-256 public key, as SendGrid's Event Webhook settings show it.")
	// ErrSignature refuses events that SendGrid did not sign with the key that we hold.
	ErrSignature = fault.New(fault.Unauthenticated, "MAIL_WEBHOOK_SIGNATURE_INVALID",
		"The signature of these events is missing, wrong or too old.")
	// ErrEvents refuses a signed body that is not a list of events.
	ErrEvents = fault.New(fault.Invalid, "MAIL_WEBHOOK_BODY_INVALID",
		"The body is not a JSON array of events.")
)
