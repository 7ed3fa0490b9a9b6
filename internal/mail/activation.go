package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"

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
	// Tenant gives display name, sender, reply-to, support phone and hours; nothing else of
	// it is read. MailReplyTo may be empty; the others are required. A SupportPhone in
	// E.164 is shown in national form and linked, any other is shown as it is.
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
	var text, html bytes.Buffer
	if err := textTemplate.Execute(&text, view); err != nil {
		return Message{}, fmt.Errorf("write the text part: %w", err)
	}
	if err := htmlTemplate.Execute(&html, view); err != nil {
		return Message{}, fmt.Errorf("write the HTML part: %w", err)
	}
	body := view.envelope(m)
	// SendGrid wants the plain part first: clients show the last that they can (RFC 2046 §5.1.4).
	body.AddContent(
		sgmail.NewContent("text/plain", text.String()),
		sgmail.NewContent("text/html", html.String()),
	)
	body.AddAttachment(&sgmail.Attachment{
		Content:     base64.StdEncoding.EncodeToString(png),
		Type:        "image/png",
		Filename:    "esim-qr-code.png",
		Disposition: "inline",
		ContentID:   qrContentID,
	})
	return newMessage(body)
}

// envelope is everything but the parts. Tracking is off because click tracking rewrites the
// one-tap links, which breaks them and shows the activation code to SendGrid's redirector,
// and because an open pixel tells third parties when the customer reads. A customer who has
// unsubscribed from the tenant's advertising has not unsubscribed from the line that they
// ordered; bounces and spam reports are still respected.
func (v view) envelope(m ActivationMail) *sgmail.SGMailV3 {
	off, on := false, true
	body := sgmail.NewV3Mail()
	body.SetFrom(v.sender())
	if v.ReplyTo != "" {
		body.SetReplyTo(sgmail.NewEmail(v.TenantName, v.ReplyTo))
	}
	body.Subject = ActivationSubject
	to := sgmail.NewPersonalization()
	to.AddTos(sgmail.NewEmail(v.CustomerName, v.to))
	body.AddPersonalizations(to)
	body.SetCustomArg(argNotice, m.NoticeID)
	body.SetCustomArg(argActivation, string(m.ActivationID))
	body.SetTrackingSettings(&sgmail.TrackingSettings{
		ClickTracking:        &sgmail.ClickTrackingSetting{Enable: &off, EnableText: &off},
		OpenTracking:         &sgmail.OpenTrackingSetting{Enable: &off},
		SubscriptionTracking: &sgmail.SubscriptionTrackingSetting{Enable: &off},
		GoogleAnalytics:      &sgmail.GaSetting{Enable: &off},
	})
	body.SetMailSettings(&sgmail.MailSettings{
		BypassUnsubscribeManagement: &sgmail.Setting{Enable: &on},
	})
	return body
}
