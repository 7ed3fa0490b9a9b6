package mail

import (
	"encoding/base64"
	"time"

	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"

	"github.com/dialtone/dialtone/internal/mobile"
)

// ActivationSubject is the subject of the mail that carries the QR code, always: nothing of
// the customer's may stand in a header.
const ActivationSubject = "Mobile Activation"

// qrContentID is how the HTML part names the QR code within its own message (RFC 2392).
const qrContentID = "activation-qr"

// ActivationMail is what the *Mobile Activation* mail is made of.
type ActivationMail struct {
	// NoticeID and ActivationID are opaque ids of ours (mobile.ParseID). They stand in
	// custom_args and come back with every event.
	NoticeID     string
	ActivationID mobile.ActivationID
	// Tenant gives display name, sender, reply-to, support phone and hours, and TimeZone when
	// Moves is to be shown; nothing else of it is read. MailReplyTo may be empty; the others
	// are required. A SupportPhone in E.164 is shown in national form and linked, any other
	// is shown as it is.
	Tenant mobile.Tenant
	// CustomerName may be empty.
	CustomerName string
	// To is the one recipient's bare address.
	To string
	// Number is the line's number in E.164, +1 and ten digits.
	Number string
	// Code is what the QR code carries.
	Code mobile.ActivationCode
	// PortalLink leads to the customer's own page; https, or http on a loopback address.
	PortalLink string
	// Ported says that Number still lives on another company's SIM and moves over later. A port
	// that has completed already is mailed like a new line.
	Ported bool
	// Moves is when Number moves over; zero says that it moves soon. It is read only when
	// Ported is set.
	Moves time.Time
}

// Compose writes the mail: a plain-text and an HTML part with the same content, and the QR
// code inline. It is a pure function: the same fields give the same bytes. What cannot be
// written is refused with ErrFields, all faults at once.
func (m ActivationMail) Compose() (Message, error) {
	view, err := m.view()
	if err != nil {
		return Message{}, err
	}
	png, width, err := qrPNG(m.Code)
	if err != nil {
		return Message{}, err
	}
	view.QRWidth = width
	body := view.envelope()
	if err := activationForm.addParts(body, view); err != nil {
		return Message{}, err
	}
	body.AddAttachment(&sgmail.Attachment{
		Content:     base64.StdEncoding.EncodeToString(png),
		Type:        "image/png",
		Filename:    "esim-qr-code.png",
		Disposition: "inline",
		ContentID:   qrContentID,
	})
	return newMessage(body)
}
