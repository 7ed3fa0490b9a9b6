package mobile

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dialtone/dialtone/internal/fault"
)

// PortingForm holds what the customer filled in, as it arrived. What is empty, or blank, was
// not given.
type PortingForm struct {
	AccountNumber     string
	PIN               string
	AccountZIP        string
	FirstName         string
	LastName          string
	AddressLine       string
	City              string
	Region            string
	PINMakeDate       string
	NumberInService   *bool
	AcceptsLineLosses bool
}

// The longest values (porting_info.proto).
const (
	accountNumberLengthMax = 30
	pinLengthMax           = 20
	personNameLengthMax    = 50
	addressLengthMax       = 100
	cityLengthMax          = 50
)

// NewPortingInfo checks what was given and puts it into its normal form; now is the time, for
// the day of the PIN. It reports every field that is wrong, not the first; Field paths start
// at "us.". It refuses little: what a donor takes only the donor knows, so that forms differ
// by hints, never by refusals.
func NewPortingInfo(form PortingForm, now time.Time) (PortingInfo, []fault.Violation) {
	c := check{prefix: "us."}
	info := PortingInfo{
		AccountNumber:     c.given(FieldAccountNumber, form.AccountNumber, ParseAccountNumber),
		PIN:               c.given(FieldPIN, form.PIN, ParsePIN),
		AccountZIP:        ZIP(c.given(FieldAccountZIP, form.AccountZIP, parseAccountZIP)),
		FirstName:         c.given(FieldFirstName, form.FirstName, visibleText(personNameLengthMax, "A name")),
		LastName:          c.given(FieldLastName, form.LastName, visibleText(personNameLengthMax, "A name")),
		AddressLine:       c.given(FieldAddressLine, form.AddressLine, visibleText(addressLengthMax, "Street and number")),
		City:              c.given(FieldCity, form.City, visibleText(cityLengthMax, "A city")),
		Region:            c.given(FieldRegion, form.Region, parseRegion),
		NumberInService:   form.NumberInService,
		PINMakeDate:       c.given(FieldPINMakeDate, form.PINMakeDate, func(s string) (string, *Refusal) { return parsePINMakeDate(s, now) }),
		AcceptsLineLosses: form.AcceptsLineLosses,
	}
	return info, c.violations
}

// given leaves out what is blank, since a phone's keyboard ends words with a blank, and
// parses the rest.
func (c *check) given(field PortingField, s string, parse func(string) (string, *Refusal)) string {
	return c.optional(string(field), strings.Trim(s, " \u00a0\u3000"), parse)
}

// ParseAccountNumber accepts an account number: 1 to 30 characters of A-Z a-z 0-9 and
// punctuation. Blanks are dropped, and dashes stay as typed: some donors print them and some
// carriers want them; PortingInfo.Value compares without.
func ParseAccountNumber(s string) (string, *Refusal) {
	return parseCode(s, accountNumberLengthMax, &Refusal{
		"ACCOUNT_NUMBER_NOT_VALID", "An account number has 1 to 30 letters, digits or dashes. Copy it from the bill or the account at the old provider.",
	})
}

// ParsePIN accepts a PIN: 1 to 20 characters of A-Z a-z 0-9 and punctuation. It is a string:
// leading zeros count. Blanks are dropped, since people copy "12 34 56".
func ParsePIN(s string) (string, *Refusal) {
	return parseCode(s, pinLengthMax, &Refusal{
		"PIN_NOT_VALID", "A PIN has 1 to 20 letters or digits. Copy it as the old provider gave it to you.",
	})
}

// parseCode normalises what was copied from a screen: compatibility forms such as full-width
// digits become plain ones (Unicode NFKC), every dash a hyphen, and blanks go.
func parseCode(s string, lengthMax int, refusal *Refusal) (string, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case unicode.Is(unicode.Pd, r), r == '\u2212':
			return '-'
		}
		return r
	}, norm.NFKC.String(s))
	if code == "" || len(code) > lengthMax || strings.IndexFunc(code, func(r rune) bool { return r < '!' || r > '~' }) >= 0 {
		return "", refusal
	}
	return code, nil
}

// parseAccountZIP accepts what ParseZIP does, and military ZIP codes too: a bill may go to
// one, though no line is used there.
func parseAccountZIP(s string) (string, *Refusal) {
	zip, v := ParseZIP(s)
	if v != nil && v.Reason == "ZIP_MILITARY" {
		m := zipForm.FindStringSubmatch(strings.TrimSpace(s))
		return strings.TrimSuffix(m[1]+"-"+m[2], "-"), nil
	}
	return string(zip), v
}

// visibleText parses a line of text that has a letter or a digit in it.
func visibleText(lengthMax int, what string) func(string) (string, *Refusal) {
	return func(s string) (string, *Refusal) {
		text, v := ParseText(s, lengthMax)
		if v == nil && strings.IndexFunc(text, visible) < 0 {
			return "", &Refusal{"FIELD_BLANK", what + " has a letter or a digit that can be seen."}
		}
		return strings.Join(strings.Fields(text), " "), v
	}
}

// parseRegion accepts the two letters of a state, the District of Columbia, a territory or
// the armed forces (USPS Publication 28, appendix B).
func parseRegion(s string) (string, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	region := strings.ToUpper(norm.NFKC.String(s))
	known := slices.ContainsFunc(usAreaCodes, func(a stateAreaCodes) bool { return a.state == region })
	if !known && !slices.Contains([]string{"AA", "AE", "AP"}, region) {
		return "", &Refusal{"REGION_NOT_VALID", "Give the two letters of the state, as in CA."}
	}
	return region, nil
}

// pinAgeMax is how old a PIN's day may be (porting_info.proto): no donor's PIN that lapses
// lives a year, so that an older date is a mistyped one.
const pinAgeMax = 1 // year

// parsePINMakeDate accepts a day, YYYY-MM-DD, that has begun in UTC and is at most a year
// ago. All states are behind UTC, so that nobody there is refused their own today; whoever
// is ahead of it in Guam or the Northern Marianas may give the day before, which ends the
// PIN's time a little early and never late.
func parsePINMakeDate(s string, now time.Time) (string, *Refusal) {
	day, err := time.Parse(time.DateOnly, s)
	now = now.UTC()
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch {
	case err != nil:
		return "", &Refusal{"PIN_MAKE_DATE_NOT_VALID", "Give the day on which you got the PIN as YYYY-MM-DD, as in 2026-03-31."}
	case day.After(today):
		return "", &Refusal{"PIN_MAKE_DATE_IN_FUTURE", "This day is still to come. Give the day on which you got the PIN."}
	case day.Before(today.AddDate(-pinAgeMax, 0, 0)):
		return "", &Refusal{"PIN_MAKE_DATE_TOO_OLD", "This is more than a year ago. Get a new PIN from the old provider, and give its day."}
	}
	return s, nil
}

// redacted stands for what a customer gave wherever it would be printed.
const redacted = "[porting info]"

// String tells nothing.
func (p PortingInfo) String() string { return redacted }

// GoString tells nothing.
func (p PortingInfo) GoString() string { return redacted }

// Format tells nothing, whatever the verb. JSON has it all, for that is how it is sealed: never
// hand one to a log that writes JSON.
func (p PortingInfo) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// Format tells nothing, whatever the verb.
func (PortingForm) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }
