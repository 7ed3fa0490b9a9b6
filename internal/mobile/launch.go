package mobile

import (
	"strings"

	"github.com/dialtone/dialtone/internal/fault"
)

// LaunchForm holds the seven fields of the launch form as they arrived.
type LaunchForm struct {
	SubscriptionID  string
	IMEI            string
	ZIPCode         string
	NameOverride    string
	EmailOverride   string
	PortPhoneNumber string
	PortCarrier     string
}

// Launch is a launch form whose fields are valid and in their normal form.
type Launch struct {
	Subscription  SubscriptionID
	IMEI          IMEI
	ZIP           ZIP
	NameOverride  string
	EmailOverride string
	// PortNumber is E.164, and empty for a new line.
	PortNumber string
	// PortCarrier is the donor as it was named; the donor table resolves it.
	PortCarrier string
}

// NewLaunch checks a launch form and puts it into its normal form. It reports every field
// that is wrong, not the first; Field paths start at "mobile_activation.".
func NewLaunch(form LaunchForm) (Launch, []fault.Violation) {
	c := check{prefix: "mobile_activation."}
	launch := Launch{
		Subscription:  c.subscription("subscription_id", form.SubscriptionID),
		IMEI:          c.imei("imei", form.IMEI),
		ZIP:           c.zip("zip_code", form.ZIPCode),
		NameOverride:  c.optional("name_override", form.NameOverride, ParseName),
		EmailOverride: c.optional("email_override", form.EmailOverride, ParseEmail),
	}
	number, carrier := strings.TrimSpace(form.PortPhoneNumber), strings.TrimSpace(form.PortCarrier)
	switch {
	case number == "" && carrier == "":
	case number == "":
		c.optional("port_carrier", carrier, ParseName)
		c.refuse("port_phone_number", "PORT_FIELDS_TOGETHER", "To port a number, give both port_phone_number and port_carrier; for a new line, neither.")
	case carrier == "":
		c.optional("port_phone_number", number, ParsePortNumber)
		c.refuse("port_carrier", "PORT_FIELDS_TOGETHER", "To port a number, give both port_phone_number and port_carrier; for a new line, neither.")
	default:
		launch.PortNumber = c.optional("port_phone_number", number, ParsePortNumber)
		launch.PortCarrier = c.optional("port_carrier", carrier, ParseName)
	}
	return launch, c.violations
}

// Type tells which journey the launch asks for.
func (l Launch) Type() Type {
	if l.PortNumber != "" || l.PortCarrier != "" {
		return TypePortIn
	}
	return TypeNewLine
}

// Fields gives the normal form in a fixed order, for the digest by which a repeated request
// is recognised. Adding a field adds it at the end. A rule of NewLaunch may be loosened later
// but not tightened without a thought for repeats: what was accepted once must still be
// recognised.
func (l Launch) Fields() []string {
	return []string{
		string(l.Type()), string(l.Subscription), string(l.IMEI), string(l.ZIP),
		l.NameOverride, l.EmailOverride, l.PortNumber, l.PortCarrier,
	}
}

// check gathers the violations of a request.
type check struct {
	prefix     string
	violations []fault.Violation
}

func (c *check) refuse(field, reason, text string) {
	c.violations = append(c.violations, fault.Violation{Field: c.prefix + field, Reason: reason, Text: text})
}

// take records the violation that a parser returned.
func (c *check) take(field string, v *Refusal) {
	if v != nil {
		c.refuse(field, v.Reason, v.Text)
	}
}

func (c *check) subscription(field, s string) SubscriptionID {
	id, v := ParseSubscriptionID(s)
	c.take(field, v)
	return id
}

func (c *check) imei(field, s string) IMEI {
	imei, v := ParseIMEI(s)
	c.take(field, v)
	return imei
}

func (c *check) zip(field, s string) ZIP {
	zip, v := ParseZIP(s)
	c.take(field, v)
	return zip
}

// optional leaves an empty field empty and parses any other.
func (c *check) optional(field, s string, parse func(string) (string, *Refusal)) string {
	if s == "" {
		return ""
	}
	value, v := parse(s)
	c.take(field, v)
	return value
}
