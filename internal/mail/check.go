package mail

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// view is what the templates of the *Mobile Activation* mail see: values that have been
// checked, in the form in which they are shown.
type view struct {
	letter
	Number      string // (212) 555-0123
	Ported      bool
	Moves       string // Tuesday, March 3 at 10:00 AM EST; empty when it is not known
	AppleLink   string
	AndroidLink string
	Address     string
	MatchingID  string
	LPA         string
	QRWidth     int
}

// view checks every field.
func (m ActivationMail) view() (view, error) {
	var c checks
	v := view{
		letter: c.letter(ActivationSubject, letterFields{
			noticeID: m.NoticeID, activationID: m.ActivationID, tenant: m.Tenant,
			customerName: m.CustomerName, to: m.To, portalLink: m.PortalLink,
		}),
		Number:      take(&c, "number", m.Number, nationalForm),
		Ported:      m.Ported,
		AppleLink:   m.Code.AppleLink(),
		AndroidLink: m.Code.AndroidLink(),
		Address:     m.Code.Address(),
		MatchingID:  m.Code.MatchingID(),
		LPA:         m.Code.LPA(),
	}
	if m.Ported && !m.Moves.IsZero() {
		v.Moves = c.moment("moves", m.Moves, m.Tenant.TimeZone)
	}
	if m.Code == (mobile.ActivationCode{}) {
		c.refuse("code", "FIELD_REQUIRED", "The activation code is required.")
	}
	if err := c.refusal(); err != nil {
		return view{}, err
	}
	return v, nil
}

type checks struct{ violations []fault.Violation }

func (c *checks) refuse(field, reason, text string) {
	c.violations = append(c.violations, fault.Violation{Field: field, Reason: reason, Text: text})
}

// refusal is ErrFields with all that was noted; nil when nothing was.
func (c *checks) refusal() error {
	if len(c.violations) == 0 {
		return nil
	}
	refused := *ErrFields
	refused.Violations = c.violations
	return &refused
}

// take parses one field and notes its refusal.
func take(c *checks, field, value string, parse func(string) (string, *mobile.Refusal)) string {
	parsed, refusal := parse(value)
	if refusal != nil {
		c.refuse(field, refusal.Reason, refusal.Text)
	}
	return parsed
}

// optional is take for a field that may be empty.
func optional(c *checks, field, value string, parse func(string) (string, *mobile.Refusal)) string {
	if value == "" {
		return ""
	}
	return take(c, field, value, parse)
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
