package mail

import (
	"cmp"
	"fmt"
	"html/template"
	"net/mail"
	"strings"
	texttemplate "text/template"

	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"

	"github.com/dialtone/dialtone/internal/mobile"
)

// letter is what every mail has: who writes to whom, who helps, and where the customer's own
// page is. Its values have been checked and stand in the form in which they are shown.
type letter struct {
	Subject      string
	TenantName   string
	CustomerName string
	SupportPhone string
	SupportTel   string // E.164 for a tel: link; empty when SupportPhone is not a number
	SupportHours string
	ReplyTo      string
	PortalLink   string

	// from is an address, or a name with an address in angle brackets.
	from, to     string
	noticeID     string
	activationID string
}

// letterFields are the fields that every mail is made of, as they were given.
type letterFields struct {
	noticeID     string
	activationID mobile.ActivationID
	tenant       mobile.Tenant
	customerName string
	to           string
	portalLink   string
}

// letter checks every field. mobile's parsers refuse CR, LF, NUL and all that could turn a
// line around, and read addresses with net/mail; names and addresses end in headers.
func (c *checks) letter(subject string, f letterFields) letter {
	l := letter{
		Subject:      subject,
		TenantName:   take(c, "tenant.display_name", f.tenant.DisplayName, mobile.ParseName),
		CustomerName: optional(c, "customer_name", f.customerName, mobile.ParseName),
		SupportPhone: take(c, "tenant.support_phone", f.tenant.SupportPhone, mobile.ParseName),
		SupportHours: take(c, "tenant.support_hours", f.tenant.SupportHours, mobile.ParseName),
		ReplyTo:      optional(c, "tenant.mail_reply_to", f.tenant.MailReplyTo, mobile.ParseEmail),
		PortalLink:   take(c, "portal_link", f.portalLink, safeLink),
		from:         take(c, "tenant.mail_from", f.tenant.MailFrom, mobile.ParseSender),
		to:           take(c, "to", f.to, mobile.ParseEmail),
		noticeID:     take(c, "notice_id", f.noticeID, mobile.ParseID),
		activationID: take(c, "activation_id", string(f.activationID), mobile.ParseID),
	}
	if national, refusal := nationalForm(l.SupportPhone); refusal == nil {
		l.SupportPhone, l.SupportTel = national, l.SupportPhone
	}
	return l
}

// envelope is everything but the parts. Tracking is off because click tracking rewrites the
// links: that breaks the one-tap links, shows activation codes and portal tokens to SendGrid's
// redirector, and an open pixel tells third parties when the customer reads. A customer who
// has unsubscribed from the tenant's advertising has not unsubscribed from the line that they
// ordered; bounces and spam reports are still respected.
func (l letter) envelope() *sgmail.SGMailV3 {
	off, on := false, true
	body := sgmail.NewV3Mail()
	body.SetFrom(l.sender())
	if l.ReplyTo != "" {
		body.SetReplyTo(sgmail.NewEmail(l.TenantName, l.ReplyTo))
	}
	body.Subject = l.Subject
	to := sgmail.NewPersonalization()
	to.AddTos(sgmail.NewEmail(l.CustomerName, l.to))
	body.AddPersonalizations(to)
	body.SetCustomArg(argNotice, l.noticeID)
	body.SetCustomArg(argActivation, l.activationID)
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

// sender is who the mail is from: the tenant by its name, unless mail_from brings another.
func (l letter) sender() *sgmail.Email {
	parsed, err := mail.ParseAddress(l.from)
	if err != nil {
		return sgmail.NewEmail(l.TenantName, l.from) // checked before: it never fails
	}
	return sgmail.NewEmail(cmp.Or(parsed.Name, l.TenantName), parsed.Address)
}

// form is the two templates of a mail: what it says as plain text and as HTML.
type form struct {
	text *texttemplate.Template
	html *template.Template
}

// addParts writes the parts. SendGrid wants the plain one first: clients show the last that
// they can (RFC 2046 §5.1.4).
func (f form) addParts(body *sgmail.SGMailV3, view any) error {
	var text, html strings.Builder
	if err := f.text.Execute(&text, view); err != nil {
		return fmt.Errorf("write the text part: %w", err)
	}
	if err := f.html.Execute(&html, view); err != nil {
		return fmt.Errorf("write the HTML part: %w", err)
	}
	body.AddContent(
		sgmail.NewContent("text/plain", fill(text.String())),
		sgmail.NewContent("text/html", html.String()),
	)
	return nil
}
