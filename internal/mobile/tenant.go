package mobile

import (
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dialtone/dialtone/internal/fault"
)

// Bounds of a tenant's settings, in characters.
const (
	displayNameLengthMax  = 60
	supportPhoneLengthMax = 32
	supportHoursLengthMax = 100
	portalURLLengthMax    = 500
	partnerNameLengthMax  = 64
	plansMax              = 200
)

// PortalToken is the mark in PortalURLTemplate that a customer's token replaces.
const PortalToken = "{token}"

// NewTenant checks a tenant's settings and puts them into their normal form. It reports
// every field that is wrong; prefix goes before the fields' names.
func NewTenant(t Tenant, prefix string) (Tenant, []fault.Violation) {
	c := check{prefix: prefix}
	id, v := ParseID(string(t.ID))
	c.take("tenant_id", v)
	t.ID = TenantID(id)
	t.DisplayName = c.text("display_name", t.DisplayName, displayNameLengthMax)
	t.MailFrom = c.required("mail_from", t.MailFrom, ParseSender)
	t.MailReplyTo = c.optional("mail_reply_to", t.MailReplyTo, ParseEmail)
	t.SupportPhone = c.text("support_phone", t.SupportPhone, supportPhoneLengthMax)
	t.SupportHours = c.text("support_hours", t.SupportHours, supportHoursLengthMax)
	t.PortalURLTemplate = c.required("portal_url_template", t.PortalURLTemplate, ParsePortalURLTemplate)
	t.TimeZone = c.required("time_zone", t.TimeZone, ParseTimeZone)
	t.Plans = c.plans(t.Plans)
	return t, c.violations
}

func (c *check) text(field, s string, lengthMax int) string {
	text, v := ParseText(s, lengthMax)
	c.take(field, v)
	return text
}

// required refuses an empty field and parses any other.
func (c *check) required(field, s string, parse func(string) (string, *Refusal)) string {
	if s == "" {
		c.refuse(field, "FIELD_REQUIRED", "This field is required.")
		return ""
	}
	return c.optional(field, s, parse)
}

// plans checks a table of plans and sorts it by name.
func (c *check) plans(plans []Plan) []Plan {
	if len(plans) > plansMax {
		c.refuse("plans", "FIELD_TOO_LONG", "A tenant has at most 200 plans.")
		return nil
	}
	checked := make([]Plan, 0, len(plans))
	seen := make(map[string]bool, len(plans))
	for i, p := range plans {
		at := "plans[" + strconv.Itoa(i) + "]."
		p.Name = c.required(at+"plan", p.Name, ParseID)
		if p.Name != "" && seen[p.Name] {
			c.refuse(at+"plan", "PLAN_TWICE", "This plan stands in the table twice.")
		}
		seen[p.Name] = true
		p.CarrierPlan = c.partnerName(at+"carrier_plan", p.CarrierPlan, p.Kind)
		p.ProfileType = c.partnerName(at+"profile_type", p.ProfileType, p.Kind)
		if p.Kind == "" {
			c.refuse(at+"kind", "FIELD_REQUIRED", "Say what the plan sells: MOBILE, INTERNET or OTHER.")
		}
		checked = append(checked, p)
	}
	slices.SortFunc(checked, func(a, b Plan) int { return strings.Compare(a.Name, b.Name) })
	return checked
}

// partnerName is what a partner calls a mobile plan; others have none.
func (c *check) partnerName(field, s string, kind PlanKind) string {
	switch {
	case kind == PlanMobile:
		return c.text(field, s, partnerNameLengthMax)
	case s != "":
		c.refuse(field, "FIELD_NOT_ALLOWED", "Only a mobile plan has this field.")
	}
	return ""
}

// ParseSender accepts the sender of mails: a bare address, or one with a name before it as
// in "Lakeside <mobile@lakeside.example>".
func ParseSender(s string) (string, *Refusal) {
	text, v := ParseText(s, emailLengthMax)
	if v != nil {
		return "", v
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		return "", &Refusal{"EMAIL_NOT_VALID", "This is neither an e-mail address nor a name with an address in angle brackets."}
	}
	if _, v := ParseEmail(parsed.Address); v != nil {
		return "", v
	}
	return text, nil
}

// ParsePortalURLTemplate accepts an https address, or http on loopback, that holds "{token}"
// exactly once.
func ParsePortalURLTemplate(s string) (string, *Refusal) {
	template, v := ParseText(s, portalURLLengthMax)
	if v != nil {
		return "", v
	}
	if strings.Count(template, PortalToken) != 1 {
		return "", &Refusal{"FIELD_MALFORMED", "The address must hold {token} exactly once: there the customer's token goes."}
	}
	u, err := url.Parse(strings.Replace(template, PortalToken, "token", 1))
	switch {
	case err != nil || u.Host == "" || u.User != nil || strings.ContainsRune(template, ' '):
		return "", &Refusal{"FIELD_MALFORMED", "This is not an address such as https://portal.example.com/mobile?token={token}."}
	case strings.Contains(u.Host, "token") && !strings.Contains(template, u.Host):
		return "", &Refusal{"FIELD_MALFORMED", "The token goes into the path or the query, not into the host."}
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return "", &Refusal{"FIELD_MALFORMED", "The address must begin with https:// (http:// is for loopback only)."}
	}
	return template, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// ParseTimeZone accepts the IANA name of a time zone, as in "America/Los_Angeles".
func ParseTimeZone(s string) (string, *Refusal) {
	name := strings.TrimSpace(s)
	if name == "" || name == "Local" {
		return "", &Refusal{"FIELD_MALFORMED", "Give the IANA name of a time zone, such as America/Los_Angeles."}
	}
	if _, err := time.LoadLocation(name); err != nil {
		return "", &Refusal{"FIELD_MALFORMED", "Give the IANA name of a time zone, such as America/Los_Angeles."}
	}
	return name, nil
}

// TenantIDFrom makes an id from a tenant's name: "Lakeside Fibre" becomes "lakeside-fibre".
// It is empty when the name has no letter or digit that an id may hold.
func TenantIDFrom(displayName string) TenantID {
	var b strings.Builder
	for _, r := range norm.NFKD.String(displayName) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(unicode.ToLower(r))
		case unicode.Is(unicode.Mn, r):
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return TenantID(strings.Trim(b.String()[:min(b.Len(), 64)], "-"))
}
