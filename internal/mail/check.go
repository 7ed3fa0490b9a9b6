package mail

import (
	"cmp"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// view is what the templates see: values that have been checked, in the form in which they
// are shown.
type view struct {
	TenantName   string
	CustomerName string
	Number       string // (212) 555-0123
	Ported       bool
	SupportPhone string
	SupportTel   string // E.164 for a tel: link; empty when SupportPhone is not a number
	SupportHours string
	ReplyTo      string
	PortalLink   string
	AppleLink    string
	AndroidLink  string
	Address      string
	MatchingID   string
	LPA          string
	QRWidth      int

	// from is an address, or a name with an address in angle brackets.
	from, to string
}

// view checks every field. mobile's parsers refuse CR, LF, NUL and all that could turn a
// line around, and read addresses with net/mail; names and addresses end in headers.
func (m ActivationMail) view() (view, error) {
	var c checks
	v := view{
		TenantName:   take(&c, "tenant.display_name", m.Tenant.DisplayName, mobile.ParseName),
		SupportPhone: take(&c, "tenant.support_phone", m.Tenant.SupportPhone, mobile.ParseName),
		SupportHours: take(&c, "tenant.support_hours", m.Tenant.SupportHours, mobile.ParseName),
		from:         take(&c, "tenant.mail_from", m.Tenant.MailFrom, mobile.ParseSender),
		to:           take(&c, "to", m.To, mobile.ParseEmail),
		Number:       take(&c, "number", m.Number, nationalForm),
		PortalLink:   take(&c, "portal_link", m.PortalLink, safeLink),
		Ported:       m.Ported,
		AppleLink:    m.Code.AppleLink(),
		AndroidLink:  m.Code.AndroidLink(),
		Address:      m.Code.Address(),
		MatchingID:   m.Code.MatchingID(),
		LPA:          m.Code.LPA(),
	}
	take(&c, "notice_id", m.NoticeID, mobile.ParseID)
	take(&c, "activation_id", string(m.ActivationID), mobile.ParseID)
	if m.CustomerName != "" {
		v.CustomerName = take(&c, "customer_name", m.CustomerName, mobile.ParseName)
	}
	if m.Tenant.MailReplyTo != "" {
		v.ReplyTo = take(&c, "tenant.mail_reply_to", m.Tenant.MailReplyTo, mobile.ParseEmail)
	}
	if national, refusal := nationalForm(v.SupportPhone); refusal == nil {
		v.SupportPhone, v.SupportTel = national, v.SupportPhone
	}
	if m.Code == (mobile.ActivationCode{}) {
		c.violations = append(c.violations, fault.Violation{Field: "code", Reason: "FIELD_REQUIRED", Text: "The activation code is required."})
	}
	if len(c.violations) > 0 {
		refused := *ErrFields
		refused.Violations = c.violations
		return view{}, &refused
	}
	return v, nil
}

type checks struct{ violations []fault.Violation }

// take parses one field and notes its refusal.
func take(c *checks, field, value string, parse func(string) (string, *mobile.Refusal)) string {
	parsed, refusal := parse(value)
	if refusal != nil {
		c.violations = append(c.violations, fault.Violation{Field: field, Reason: refusal.Reason, Text: refusal.Text})
	}
	return parsed
}

var e164US = regexp.MustCompile(`^\+1([2-9]\d{2})([2-9]\d{2})(\d{4})$`)

// nationalForm shows +12125550123 as (212) 555-0123.
func nationalForm(e164 string) (string, *mobile.Refusal) {
	parts := e164US.FindStringSubmatch(e164)
	if parts == nil {
		return "", &mobile.Refusal{Reason: "NUMBER_NOT_VALID", Text: "The number must be +1 and ten digits."}
	}
	return "(" + parts[1] + ") " + parts[2] + "-" + parts[3], nil
}

// linkMax is as long as a link may be and still be followed by every mail client.
const linkMax = 2000

// safeLink accepts https, and http to a loopback address, where the sandbox's portal lives.
func safeLink(link string) (string, *mobile.Refusal) {
	refusal := &mobile.Refusal{Reason: "LINK_NOT_SAFE", Text: "The link must be an https address."}
	if len(link) > linkMax || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"<>\^{|}`+"`", r) }) {
		return "", refusal
	}
	u, err := url.Parse(link)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return "", refusal
	}
	if u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()) {
		return link, nil
	}
	return "", refusal
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// sender is who the mail is from: the tenant by its name, unless mail_from brings another.
func (v view) sender() *sgmail.Email {
	parsed, err := mail.ParseAddress(v.from)
	if err != nil {
		return sgmail.NewEmail(v.TenantName, v.from) // checked before: it never fails
	}
	return sgmail.NewEmail(cmp.Or(parsed.Name, v.TenantName), parsed.Address)
}
